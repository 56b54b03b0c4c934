// The settings as JSON Schema (draft 7). The host checks, fills in defaults and prints the table from this;
// the descriptions are also the ones in README.md (a test compares them).
#pragma once

namespace tftpkit::firmware {

inline constexpr char settings_schema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "firmware",
  "type": "object",
  "additionalProperties": false,
  "required": ["rules"],
  "properties": {
    "rules": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The file with the rules, JSON; read again when it changes."
    },
    "inventory": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The file with the devices, CSV; read again when it changes."
    },
    "root": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The directory that the instance behind this one serves; without it nothing tells which files exist."
    },
    "templates": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The directory with the templates, *.tmpl; read again when one changes."
    },
    "leases": {
      "type": "array", "items": {"type": "string", "format": "path", "minLength": 1}, "default": [],
      "description": "Lease files of DHCP servers (dnsmasq, Kea, ISC) that tell which MAC has an address."
    },
    "record": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The file to which a line of JSON is appended for every answer; may be moved away at any time."
    },
    "verify": {
      "type": "string", "enum": ["required", "never"], "default": "required",
      "description": "Hand out an image of the catalogue only when its file has the hash that the catalogue says, or do not look."
    },
    "remember": {
      "type": "string", "format": "duration", "default": "5m",
      "description": "For how long a device that asks again for the same name gets the same decision; \"0\" for not at all."
    }
  }
})json";

}  // namespace tftpkit::firmware
