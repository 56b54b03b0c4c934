#include "interpreter.hpp"

#include "host_link.hpp"
#include "sources.hpp"

#include <dlfcn.h>
#include <mutex>
#include <string>
#include <vector>

namespace tftpkit::python {
namespace {

// Threads end without waiting for the GIL, which may be held for long; their states are freed by the next
// who has it. Never destroyed: threads end after static objects, too.
class Abandoned {
 public:
  void add(PyThreadState* state) {
    const std::lock_guard lock(mutex_);
    states_.push_back(state);
  }
  void free_all() {
    std::vector<PyThreadState*> states;
    {
      const std::lock_guard lock(mutex_);
      states.swap(states_);
    }
    for (PyThreadState* state : states) {
      PyThreadState_Clear(state);
      PyThreadState_Delete(state);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<PyThreadState*> states_;
};

Abandoned& abandoned() {
  static Abandoned& all = *new Abandoned;
  return all;
}

struct Kept {
  PyThreadState* state = nullptr;
  ~Kept() {
    if (state != nullptr) abandoned().add(state);
  }
};

thread_local Kept kept;

// Extension modules are not linked with Python's library: they look for it among the symbols of the process,
// and a plugin's libraries are not among these.
void show_library_to_extensions() {
  Dl_info library;
  if (::dladdr(reinterpret_cast<void*>(&Py_IsInitialized), &library) != 0)
    ::dlopen(library.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

[[noreturn]] void did_not_start(const PyStatus& status) {
  const std::string why = status.err_msg == nullptr ? "no reason given" : status.err_msg;
  throw Failure(Status::unavailable, "Python did not start: " + why + "; is libpython" +
                                         TFTPKIT_PYTHON_VERSION + "-stdlib installed?");
}

void check(const PyStatus& status) {
  if (PyStatus_Exception(status) != 0) did_not_start(status);
}

// A guest in the process: no signal handlers, nothing of the environment, no file written beside sources.
// UTF-8 whatever the locale, and what is printed appears at once.
void start() {
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  check(Py_PreInitialize(&before));
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.install_signal_handlers = 0;
  config.write_bytecode = 0;
  config.buffered_stdio = 0;
  PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, TFTPKIT_PYTHON_PROGRAM);
  if (PyStatus_Exception(status) == 0) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  check(status);
  static_cast<void>(PyEval_SaveThread());
}

PyObject* run_bootstrap() {
  const Gil gil;
  const Object native = made(host_link_module());
  const Object texts = made(PyDict_New());
  for (const Source& source : sources) {
    if (&source == &sources.front()) continue;
    const Object text = made(PyUnicode_FromString(source.text));
    done(PyDict_SetItemString(texts.get(), source.name, text.get()));
  }
  const Object names = made(PyDict_New());
  done(PyDict_SetItemString(names.get(), "__builtins__", PyEval_GetBuiltins()));
  done(PyDict_SetItemString(names.get(), "native", native.get()));
  done(PyDict_SetItemString(names.get(), "sources", texts.get()));
  const Object code = made(Py_CompileString(sources.front().text, "<tftpkit>/bootstrap", Py_file_input));
  const Object nothing = made(PyEval_EvalCode(code.get(), names.get(), names.get()));
  return made(PyMapping_GetItemString(names.get(), "border")).release();
}

}  // namespace

PyObject* border() {
  static std::mutex mutex;
  static PyObject* module = nullptr;
  static std::string failure;  // a start that failed cannot be tried again
  const std::lock_guard lock(mutex);
  if (module != nullptr) return module;
  if (!failure.empty()) throw Failure(Status::unavailable, failure);
  try {
    show_library_to_extensions();
    if (Py_IsInitialized() == 0) start();
    module = run_bootstrap();
    return module;
  } catch (const Failure& failed) {
    failure = failed.what();
    throw;
  }
}

Gil::Gil() {
  const bool is_new = PyGILState_GetThisThreadState() == nullptr;
  state_ = PyGILState_Ensure();
  if (!is_new) return;
  // Ensured once more than released: the state stays for the next time.
  kept.state = PyThreadState_Get();
  static_cast<void>(PyGILState_Ensure());
  abandoned().free_all();
}

Gil::~Gil() {
  PyGILState_Release(state_);
}

}  // namespace tftpkit::python
