// The settings as JSON Schema (draft 7). The host checks, fills in defaults and prints the table from this;
// the descriptions are also the ones in README.md (a test compares them).
#pragma once

namespace tftpkit::python {

inline constexpr char settings_schema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "python",
  "type": "object",
  "additionalProperties": false,
  "required": ["script"],
  "properties": {
    "script": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The Python file that answers; loaded anew when it, or a module beside it, changes."
    },
    "settings": {
      "type": "object", "default": {},
      "description": "Handed to the script as it stands here."
    },
    "path": {
      "type": "array", "items": {"type": "string", "format": "path"}, "default": [],
      "description": "More directories with modules, a virtual environment's site-packages for example."
    },
    "read_size": {
      "type": ["integer", "string"], "format": "size", "default": "128KiB",
      "description": "Bytes that a stream is asked for at once, between 4KiB and 16MiB; each open transfer keeps as many."
    }
  }
})json";

}  // namespace tftpkit::python
