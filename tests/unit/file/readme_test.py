#!/usr/bin/python3
"""Does plugins/file/README.md say what the schema in file.so says?

Called with the path of file.so and of the README. Compares every row of the settings table with the schema (name, type,
default, text), and checks every JSON example against it.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from settings_table import fits, schema_of, table_faults, table_rows


def example_faults(text, schema):
    examples = re.findall(r"```json\n(.*?)```", text, re.S)
    if len(examples) < 3:
        return [f"only {len(examples)} examples found"]
    faults = []
    for number, example in enumerate(examples, 1):
        value = json.loads(example)
        if isinstance(value, list):
            faults += fits(value, schema["properties"]["rewrite"], f"example {number}")
            continue
        for settings in [instance["settings"] for instance in value["instances"]] if "instances" in value else [value]:
            faults += fits(settings, schema, f"example {number}")
    return faults


def main():
    schema = schema_of(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        text = file.read()
    faults = table_faults(schema, text) + example_faults(text, schema)
    print("\n".join(faults) if faults else f"{len(list(table_rows(text)))} settings agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
