"""Makes the modules of this package from the texts in the shared object. Runs once for each copy of python.so in a process, with

native   the module _tftpkit, functions of that copy
sources  name of a module -> its text; packages before what is in them

A newer copy puts its own modules in place of the older one's; what has the older ones goes on with them.
"""
import linecache
import sys
import types

sys.modules["_tftpkit"] = native
for name in [old for old in sys.modules if old.split(".")[0] == "tftpkit"]:
    del sys.modules[name]
for name, text in sources.items():
    module = types.ModuleType(name)
    module.__file__ = f"<tftpkit>/{name}"
    is_package = any(other.startswith(name + ".") for other in sources)
    module.__package__ = name if is_package else name.rpartition(".")[0]
    if is_package:
        module.__path__ = []
    sys.modules[name] = module
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)
border = sys.modules["tftpkit._border"]
border.prepare()
