#!/usr/bin/env python3
"""Makes the C source of the plugin: border.c, the interpreter around it (cffi's embedding), and plugin.py as text in it.

Argument: the C file to write.
"""
import pathlib
import sys

import cffi

HERE = pathlib.Path(__file__).resolve().parent

# Runs inside the plugin, after plugin.py.
GLUE = '''
import itertools

from @IDENT@_border import ffi, lib

OK, DECLINED, E_INTERNAL = 100, 2, -1  # as PYTHON_OK in border.c
instances = {}
numbers = itertools.count(1)


def explained(host):
    """Turns what was raised into a status and its explanation. cffi calls it inside of the except block."""
    def on_error(_kind, error, _traceback):
        why = (str(error) or type(error).__name__).encode()
        lib.border_explain(host, why, len(why))
        return E_INTERNAL
    return on_error


def setting_of(host):
    def setting(pointer):
        size = ffi.new("size_t *")
        value = lib.border_setting(host, pointer.encode(), size)
        return None if value == ffi.NULL else ffi.buffer(value, size[0])[:].decode()
    return setting


def guarded(host, body):
    try:
        return body()
    except BaseException as error:  # nothing gets past the border
        return explained(host)(None, error, None)


@ffi.def_extern(error=E_INTERNAL)
def py_create(host, number):
    def body():
        made = Plugin(setting_of(host))
        number[0] = next(numbers)
        instances[number[0]] = made
        return OK
    return guarded(host, body)


@ffi.def_extern()
def py_destroy(number):
    instances.pop(number, None)


@ffi.def_extern(error=E_INTERNAL)
def py_open(host, number, path, length, data, size):
    def body():
        content = instances[number].open(ffi.buffer(path, length)[:].decode())
        if content is None:
            return DECLINED
        data[0] = lib.border_copy(content, len(content))
        if data[0] == ffi.NULL:
            raise MemoryError("no memory for the content")
        size[0] = len(content)
        return OK
    return guarded(host, body)
'''


def main():
    builder = cffi.FFI()
    builder.cdef("""
        const char *border_setting(const void *host, const char *pointer, size_t *len);
        void border_explain(const void *host, const char *text, size_t len);
        void *border_copy(const char *bytes, size_t len);
    """)
    builder.embedding_api("""
        int32_t py_create(const void *host, uint64_t *number);
        void py_destroy(uint64_t number);
        int32_t py_open(const void *host, uint64_t number, const char *path, size_t len, void **data, size_t *size);
    """)
    border = (HERE / "border.c").read_text(encoding="utf-8").replace("@PYTHON@", sys.executable)
    builder.set_source("@IDENT@_border", border)
    builder.embedding_init_code((HERE / "plugin.py").read_text(encoding="utf-8") + GLUE)
    builder.emit_c_code(sys.argv[1])


main()
