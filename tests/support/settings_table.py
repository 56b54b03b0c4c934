"""The settings table of a plugin's README and the schema in its shared object: do they say the same?

What the README tests of plugins share. Knows the part of JSON Schema that our plugins use.
"""
import ctypes
import json


class Descriptor(ctypes.Structure):
    """The beginning of tftpkit_plugin, as far as the schema."""
    _fields_ = ([(name, ctypes.c_uint32) for name in
                 ("struct_size", "abi_version", "abi_minor_needed", "execution", "flags", "reserved")]
                + [(name, ctypes.c_char_p) for name in
                   ("name", "version", "summary", "license", "homepage", "settings_schema")])


def has_sanitizer(library):
    """Is a sanitizer built into it? It would end a Python that loads it."""
    with open(library, "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def schema_of(library):
    entry = ctypes.CDLL(library).tftpkit_plugin_v1
    entry.restype = ctypes.POINTER(Descriptor)
    return json.loads(entry().contents.settings_schema.decode())


def type_text(schema):
    if schema.get("format") in ("path", "size", "duration"):
        return schema["format"]
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema["type"] == "array":
        return "list of rules" if schema["items"]["type"] == "object" else "list of " + type_text(schema["items"])
    return schema["type"]


def expected_rows(schema, prefix=""):
    for key, value in schema["properties"].items():
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        if key in schema.get("required", []):
            default = "required"
        yield (f"`{prefix}{key}`", type_text(value), default, value["description"])
        items = value.get("items", {})
        if items.get("type") == "object":
            yield from expected_rows(items, f"{prefix}{key}/*/")


def table_rows(text):
    section = text.split("## Settings", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def fits(value, schema, where):
    """Faults of one value, in the part of JSON Schema that the plugin uses."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, kinds[name]) for name in types):
        return [f"{where}: should be {' or '.join(types)}"]
    faults = []
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, list):
        for index, element in enumerate(value):
            faults += fits(element, schema["items"], f"{where}/{index}")
    if isinstance(value, dict):
        faults += [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, element in value.items():
            if key not in schema["properties"]:
                faults.append(f"{where}/{key}: no such setting")
            else:
                faults += fits(element, schema["properties"][key], f"{where}/{key}")
    return faults


def table_faults(schema, text):
    """Rows that only one of the two has."""
    expected, found = list(expected_rows(schema)), list(table_rows(text))
    faults = [f"the schema has, the table has not: {row}" for row in expected if row not in found]
    faults += [f"the table has, the schema has not: {row}" for row in found if row not in expected]
    if not faults and expected != found:
        faults.append("the rows are in another order than in the schema")
    return faults
