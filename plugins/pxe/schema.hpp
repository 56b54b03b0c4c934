// The settings as JSON Schema (draft 7). The host checks, fills in defaults and prints the table from this;
// the descriptions are also the ones in README.md (a test compares them).
#pragma once

namespace tftpkit::pxe {

inline constexpr char settings_schema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "pxe",
  "type": "object",
  "additionalProperties": false,
  "required": ["inventory"],
  "properties": {
    "inventory": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The inventory: one JSON file, or a directory whose *.json are read as one."
    },
    "state": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The file in which used one-shot boots are kept; its directory has to be writable."
    },
    "templates": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "A directory with templates that take the place of the built-in ones: syslinux, extlinux, grub, ipxe or ipxe-boot, each with the suffix .mustache."
    },
    "leases": {
      "type": "array", "default": [],
      "description": "Lease files of DHCP servers, to know the MAC of a client by its address.",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["file"],
        "properties": {
          "file": {
            "type": "string", "format": "path", "minLength": 1,
            "description": "The file."
          },
          "format": {
            "type": "string", "enum": ["auto", "dnsmasq", "kea", "isc"], "default": "auto",
            "description": "Who wrote it; auto looks into it."
          }
        }
      }
    },
    "neighbours": {
      "type": "boolean", "default": true,
      "description": "Know clients on the same link by the kernel's neighbour table."
    },
    "directories": {
      "type": "array", "items": {"type": "string"}, "default": ["**"],
      "description": "Where configurations are answered, as patterns for what stands before pxelinux.cfg/, grub.cfg and the like; \"\" is the top."
    },
    "syntax": {
      "type": "string", "enum": ["auto", "syslinux", "extlinux"], "default": "auto",
      "description": "What a name in pxelinux.cfg/ is answered with: auto gives U-Boot, SLOF and s390 firmware, known by their options, the extlinux form."
    },
    "repeat_within": {
      "type": "string", "format": "duration", "default": "10s",
      "description": "For so long a second reading of a configuration sees the one-shot boot that the first has used up."
    }
  }
})json";

}  // namespace tftpkit::pxe
