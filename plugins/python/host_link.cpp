#include "host_link.hpp"

#include <cstdint>
#include <string>

namespace tftpkit::python {
namespace {

constexpr const char* capsule_name = "tftpkit.host";

// A capsule may not hold NULL: this one stands for "no more".
constexpr tftpkit_host nobody{};

// False: an exception is set. Py_None is no link, which is as good as one that was cut.
bool host_of(PyObject* link, const tftpkit_host*& host) {
  host = nullptr;
  if (link == Py_None) return true;
  host = static_cast<const tftpkit_host*>(PyCapsule_GetPointer(link, capsule_name));
  if (host == nullptr) return false;
  if (host == &nobody) host = nullptr;
  return true;
}

PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject* log(PyObject*, PyObject* arguments) {
  PyObject* link = nullptr;
  const tftpkit_host* host = nullptr;
  unsigned level = 0;
  PyObject* text = nullptr;
  if (PyArg_ParseTuple(arguments, "OIU", &link, &level, &text) == 0 || !host_of(link, host)) return nullptr;
  const std::string line = utf8(text);
  if (host != nullptr) host->log(host, level, line.data(), line.size());
  return none();
}

PyObject* log_enabled(PyObject*, PyObject* arguments) {
  PyObject* link = nullptr;
  const tftpkit_host* host = nullptr;
  unsigned level = 0;
  if (PyArg_ParseTuple(arguments, "OI", &link, &level) == 0 || !host_of(link, host)) return nullptr;
  return PyBool_FromLong(host != nullptr && host->log_enabled(host, level) != 0);
}

PyObject* cancelled(PyObject*, PyObject* arguments) {
  PyObject* link = nullptr;
  const tftpkit_host* host = nullptr;
  unsigned long long id = 0;
  if (PyArg_ParseTuple(arguments, "OK", &link, &id) == 0 || !host_of(link, host)) return nullptr;
  return PyBool_FromLong(host == nullptr || host->cancelled(host, id) != 0);
}

PyObject* link_address(PyObject*, PyObject* arguments) {
  PyObject* link = nullptr;
  const tftpkit_host* host = nullptr;
  unsigned long long id = 0;
  if (PyArg_ParseTuple(arguments, "OK", &link, &id) == 0 || !host_of(link, host)) return nullptr;
  std::uint8_t mac[6] = {};
  if (host == nullptr || host->peer_link_address(host, id, mac) != TFTPKIT_OK) return none();
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(mac), sizeof mac);
}

PyMethodDef functions[] = {
    {"log", log, METH_VARARGS, "log(link, level, text)"},
    {"log_enabled", log_enabled, METH_VARARGS, "log_enabled(link, level)"},
    {"cancelled", cancelled, METH_VARARGS, "cancelled(link, request id)"},
    {"link_address", link_address, METH_VARARGS, "link_address(link, request id): 6 bytes, or None"},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_tftpkit", nullptr, -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyObject* host_link_module() {
  return PyModule_Create(&definition);
}

Object make_link(const tftpkit_host* host) {
  return made(PyCapsule_New(const_cast<tftpkit_host*>(host), capsule_name, nullptr));
}

void cut_link(PyObject* link) noexcept {
  PyCapsule_SetPointer(link, const_cast<tftpkit_host*>(&nobody));
}

}  // namespace tftpkit::python
