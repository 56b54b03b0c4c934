// Python's objects as values of C++: one owner, and exceptions instead of NULL. Whoever makes, uses or drops
// one holds the GIL (interpreter.hpp).
#pragma once

// Before all other headers, as Python asks for.
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#include <memory>
#include <string>

namespace tftpkit::python {

struct Release {
  void operator()(PyObject* object) const noexcept { Py_XDECREF(object); }
};
using Object = std::unique_ptr<PyObject, Release>;

// Takes over what a function of Python's has made. NULL: throws a tftpkit::Failure with the words of Python's
// exception, which is cleared.
[[nodiscard]] Object made(PyObject* object);

// The same for functions that answer with a number, negative on failure.
void done(int status);

// A str as UTF-8, whatever is in it; what is no str, as str() shows it.
[[nodiscard]] std::string utf8(PyObject* object);

// One more owner of an object that is there.
[[nodiscard]] inline Object shared(PyObject* object) noexcept {
  Py_XINCREF(object);
  return Object(object);
}

}  // namespace tftpkit::python
