// The settings as JSON Schema (draft 7). The host checks, fills in defaults and prints the table from this;
// the descriptions are also the ones in README.md (a test compares them).
#pragma once

namespace tftpkit::exec {

inline constexpr char settings_schema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "exec",
  "type": "object",
  "additionalProperties": false,
  "required": ["command"],
  "properties": {
    "command": {
      "type": "array", "items": {"type": "string"}, "minItems": 1,
      "description": "The program and its arguments, as they are: no shell looks at them. A program without a slash is looked for in PATH."
    },
    "shell": {
      "type": "boolean", "default": false,
      "description": "The first element is a script for /bin/sh, and the others are its $1, $2 and so on."
    },
    "mode": {
      "type": "string", "enum": ["run", "serve"], "default": "run",
      "description": "Run the command for each request, or start it once and ask it by lines of JSON."
    },
    "programs": {
      "type": "integer", "minimum": 1, "maximum": 64, "default": 1,
      "description": "With serve: how many of it run side by side."
    },
    "directory": {
      "type": "string", "format": "path", "minLength": 1, "default": "/",
      "description": "Where the command runs."
    },
    "env": {
      "type": "array", "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*="}, "default": [],
      "description": "Its environment beside the TFTP_* of the request, each NAME=value; PATH is /usr/local/bin:/usr/bin:/bin unless it is here."
    },
    "time_limit": {
      "type": "string", "format": "duration", "default": "8s",
      "description": "For one request; then it fails, and the command is ended. Should be below the server's answer_timeout."
    },
    "max_size": {
      "type": ["string", "integer"], "format": "size", "default": "64MiB",
      "description": "Bytes of an answer, at most."
    },
    "concurrency": {
      "type": "integer", "minimum": 1, "maximum": 1024, "default": 16,
      "description": "With run: commands that run at once. With serve: requests that each program has at once."
    },
    "max_waiting": {
      "type": "integer", "minimum": 0, "maximum": 1000000, "default": 10000,
      "description": "Requests that wait until it is their turn, at most; what comes then is refused at once."
    },
    "spool": {
      "type": "string", "format": "path", "minLength": 1,
      "description": "The directory for answers over 64 KiB, in files without a name; without it they are in memory."
    }
  }
})json";

}  // namespace tftpkit::exec
