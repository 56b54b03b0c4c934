#include "script.hpp"

#include "kit/ip.hpp"
#include "transfer.hpp"

#include <utility>

namespace tftpkit::python {
namespace {

// What answer() of tftpkit._border gives.
struct Given {
  int kind = 0;  // TFTPKIT_SOURCE_*, or a status
  PyObject* content = nullptr;
  long long size = 0;
  long long offset = 0;
  PyObject* closer = nullptr;
};

std::string host_text(const Address& address) {
  const auto ip = kit::ip_of(address);
  if (!ip) return {};
  return kit::ip_text(*ip) + (address.scope_id == 0 ? "" : "%" + std::to_string(address.scope_id));
}

// Latin-1 turns every byte into one character and back.
Object options_of(const Request& request) {
  Object options = made(PyDict_New());
  for (const tftpkit_option& option : request.options()) {
    const auto text = [](const tftpkit_str& bytes) {
      return made(PyUnicode_DecodeLatin1(bytes.ptr, static_cast<Py_ssize_t>(bytes.len), nullptr));
    };
    done(PyDict_SetItem(options.get(), text(option.name).get(), text(option.value).get()));
  }
  return options;
}

Object ask(PyObject* script, const Request& request) {
  const std::string_view path = request.path();
  const std::string_view wire = request.wire_path();
  const std::string peer = host_text(request.peer());
  const std::string local = host_text(request.local());
  return made(PyObject_CallMethod(
      script, "answer", "Ks#y#iIIIsIsIN", static_cast<unsigned long long>(request.id()), path.data(),
      static_cast<Py_ssize_t>(path.size()), wire.data(), static_cast<Py_ssize_t>(wire.size()),
      request.netascii() ? 1 : 0, request.blksize(), request.windowsize(), request.answer_within_ms(),
      peer.c_str(), unsigned{request.peer().port}, local.c_str(), unsigned{request.local().port},
      options_of(request).release()));
}

std::uint64_t size_of(const Given& given) {
  return given.size < 0 ? TFTPKIT_SIZE_UNKNOWN : static_cast<std::uint64_t>(given.size);
}

tftpkit_source source_of(const Given& given) {
  tftpkit_source source;
  tftpkit_source_init(&source);
  source.kind = static_cast<std::uint32_t>(given.kind);
  source.size = size_of(given);
  if (given.kind == TFTPKIT_SOURCE_BUFFER) source.data = PyBytes_AS_STRING(given.content);
  if (given.kind == TFTPKIT_SOURCE_FD) {
    source.fd = static_cast<int>(PyLong_AsLong(given.content));
    source.fd_offset = static_cast<std::uint64_t>(given.offset);
  }
  if (given.kind == TFTPKIT_SOURCE_REDIRECT) {
    Py_ssize_t length = 0;
    source.redirect.ptr = PyUnicode_AsUTF8AndSize(given.content, &length);
    source.redirect.len = static_cast<std::size_t>(length);
    if (source.redirect.ptr == nullptr) done(-1);
  }
  return source;
}

}  // namespace

Script::Script(const Wanted& wanted, PyObject* link) : piece_(wanted.piece) {
  const Gil gil;
  object_ =
      made(PyObject_CallMethod(border(), "load", "Ossss", link, wanted.instance.c_str(),
                               wanted.script.c_str(), wanted.settings.c_str(), wanted.more_paths.c_str()));
  if (PyUnicode_Check(object_.get()) != 0) {
    const std::string why = utf8(object_.get());
    object_.reset();
    throw Failure(Status::option, why);
  }
  const Object files = made(PyObject_GetAttrString(object_.get(), "files"));
  for (Py_ssize_t i = 0; i < PyList_Size(files.get()); ++i)
    files_.emplace_back(utf8(PyList_GetItem(files.get(), i)));
}

// Collected at once: a namespace and its functions hold each other.
Script::~Script() {
  stop();
  const Gil gil;
  object_.reset();
  PyGC_Collect();
}

void Script::stop() const noexcept {
  const Gil gil;
  const Object nothing(PyObject_CallMethod(object_.get(), "stop", nullptr));
  PyErr_Clear();
}

void Script::start() const {
  const Gil gil;
  const Object said = made(PyObject_CallMethod(object_.get(), "start", nullptr));
  if (said.get() != Py_None) throw Failure(Status::internal, utf8(said.get()));
}

Answer Script::answer(const Request& request) const {
  const Gil gil;
  const Object tuple = ask(object_.get(), request);
  Given given;
  if (PyArg_ParseTuple(tuple.get(), "iOLLO", &given.kind, &given.content, &given.size, &given.offset,
                       &given.closer) == 0)
    done(-1);
  if (given.kind < TFTPKIT_SOURCE_BUFFER) return {given.kind, utf8(given.content)};
  const tftpkit_source source = source_of(given);
  auto transfer = std::make_unique<Transfer>(Transfer::Parts{shared_from_this(), shared(given.content),
                                                             shared(given.closer), size_of(given), piece_});
  return {TFTPKIT_OK, {}, source, std::move(transfer)};
}

}  // namespace tftpkit::python
