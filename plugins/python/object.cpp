#include "object.hpp"

#include <tftpkit/plugin.hpp>

namespace tftpkit::python {
namespace {

[[noreturn]] void throw_pythons() {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  const Object held_type(type);
  const Object held_value(value);
  const Object held_traceback(traceback);
  const std::string name = value == nullptr ? "Python" : Py_TYPE(value)->tp_name;
  throw Failure(Status::internal, name + ": " + utf8(value));
}

}  // namespace

Object made(PyObject* object) {
  if (object == nullptr) throw_pythons();
  return Object(object);
}

std::string utf8(PyObject* object) {
  const Object text(object == nullptr ? nullptr : PyObject_Str(object));
  const Object bytes(text ? PyUnicode_AsEncodedString(text.get(), "utf-8", "backslashreplace") : nullptr);
  if (bytes) return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
  PyErr_Clear();
  return "(no words for it)";
}

void done(int status) {
  if (status < 0) throw_pythons();
}

}  // namespace tftpkit::python
