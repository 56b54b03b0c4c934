// The settings as JSON Schema (draft 7). The host checks, fills in defaults and prints the table from this;
// the descriptions are also the ones in README.md (a test compares them).
#pragma once

namespace tftpkit::file {

inline constexpr char settings_schema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "file",
  "type": "object",
  "additionalProperties": false,
  "required": ["root"],
  "properties": {
    "root": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The directory whose files are served; nothing outside of it is."
    },
    "symlinks": {
      "type": "string", "enum": ["beneath", "none", "anywhere"], "default": "beneath",
      "description": "Symbolic links: followed while they stay beneath the root, never followed, or followed wherever they lead."
    },
    "case_insensitive": {
      "type": "boolean", "default": false,
      "description": "When the exact name does not exist, look for one that differs in the case of ASCII letters."
    },
    "hidden": {
      "type": "boolean", "default": false,
      "description": "Serve names with a part that begins with a dot."
    },
    "require_world_readable": {
      "type": "string", "enum": ["when_root", "always", "never"], "default": "when_root",
      "description": "Serve only files that everybody may read (o+r): when the server runs as root, always, or never."
    },
    "max_size": {
      "type": ["integer", "string"], "format": "size",
      "description": "Refuse files that are larger, for example \"64MiB\"; without it there is no limit."
    },
    "per_client": {
      "type": "array", "items": {"type": "string", "enum": ["ip", "mac"]}, "uniqueItems": true, "default": [],
      "description": "Look first into the client's own directory below the root, named by its address or its MAC, in this order."
    },
    "per_client_fallback": {
      "type": "boolean", "default": true,
      "description": "With per_client: then look into the root itself."
    },
    "rewrite": {
      "type": "array", "default": [],
      "description": "Rules that turn the name in the request into the name of a file, applied in order.",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["match"],
        "properties": {
          "match": {
            "type": "string", "minLength": 1,
            "description": "POSIX extended regular expression, searched in the name as it is by then (no leading slash)."
          },
          "replace": {
            "type": "string",
            "description": "What takes the place of the part that matched; knows \\0 to \\9, \\i, \\x, \\m, \\L, \\U, \\E and \\\\."
          },
          "ignore_case": {
            "type": "boolean", "default": false,
            "description": "Match letters in any case."
          },
          "repeat": {
            "type": "boolean", "default": false,
            "description": "Apply the rule again until it no longer matches."
          },
          "invert": {
            "type": "boolean", "default": false,
            "description": "The rule applies when the expression does not match."
          },
          "then": {
            "type": "string", "enum": ["continue", "stop", "restart", "refuse", "decline"], "default": "continue",
            "description": "After a match: go on with the next rule, end the rewriting, begin with the first rule again, answer an access violation, or leave the request to the next instance."
          },
          "message": {
            "type": "string",
            "description": "What a refused client reads."
          }
        }
      }
    }
  }
})json";

}  // namespace tftpkit::file
