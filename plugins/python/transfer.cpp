#include "transfer.hpp"

#include "script.hpp"

#include <algorithm>
#include <cstring>

namespace tftpkit::python {
namespace {

// A stream of unknown length may be short: it begins with little, and grows.
constexpr std::size_t first_piece = 16 * 1024;

}  // namespace

Transfer::Transfer(Parts parts) : parts_(std::move(parts)), left_(parts_.size) {}

Transfer::~Transfer() {
  const Gil gil;
  piece_.reset();
  parts_ = {};
}

// A byte more than is left lets content that is longer than its size give itself away.
std::size_t Transfer::next_size() {
  if (parts_.size != TFTPKIT_SIZE_UNKNOWN)
    return static_cast<std::size_t>(std::min<std::uint64_t>(parts_.piece, left_ + 1));
  asked_ = asked_ == 0 ? std::min(first_piece, parts_.piece) : std::min(asked_ * 4, parts_.piece);
  return asked_;
}

void Transfer::fetch() {
  const Gil gil;
  piece_ = made(PyObject_CallFunction(parts_.content.get(), "n", static_cast<Py_ssize_t>(next_size())));
  if (PyBytes_Check(piece_.get()) == 0) {
    const Object failed = std::move(piece_);
    int status = 0;
    PyObject* text = nullptr;
    if (PyArg_ParseTuple(failed.get(), "iO", &status, &text) == 0) done(-1);
    throw Failure(static_cast<Status>(status), utf8(text));
  }
  rest_ = {PyBytes_AS_STRING(piece_.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(piece_.get()))};
  left_ -= std::min<std::uint64_t>(left_, rest_.size());
  ended_ = rest_.empty();
}

std::int64_t Transfer::read(std::span<std::byte> into) {
  if (rest_.empty() && !ended_) fetch();
  const std::size_t count = std::min(into.size(), rest_.size());
  std::memcpy(into.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return static_cast<std::int64_t>(count);
}

void Transfer::end(const Outcome& outcome) {
  if (parts_.closer.get() == Py_None) return;
  const Gil gil;
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const Object nothing =
      made(PyObject_CallFunction(parts_.closer.get(), "IKKK", outcome.end, number(outcome.bytes),
                                 number(outcome.elapsed_us), number(outcome.resends)));
}

}  // namespace tftpkit::python
