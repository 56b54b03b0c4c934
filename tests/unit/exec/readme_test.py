#!/usr/bin/python3
"""Does plugins/exec/README.md say what the schema in exec.so says?

Called with the path of exec.so and of the README. Compares every row of the settings table with the schema and checks the
settings of every JSON example against it.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from settings_table import fits, schema_of, table_faults, table_rows


def example_faults(text, schema):
    examples = [json.loads(example) for example in re.findall(r"```json\n(.*?)```", text, re.S)]
    settings = [instance["settings"] for example in examples for instance in example["instances"]
                if instance["plugin"] == "exec"]
    if not settings:
        return ["no examples found"]
    return [fault for number, one in enumerate(settings, 1) for fault in fits(one, schema, f"example {number}")]


def main():
    schema = schema_of(sys.argv[1])
    text = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    faults = table_faults(schema, text) + example_faults(text, schema)
    print("\n".join(faults) if faults else f"{len(list(table_rows(text)))} settings agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
