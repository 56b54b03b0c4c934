// "text/POINTER", "integer/POINTER" and "count/POINTER" answer with one setting by JSON pointer; "all" with
// the whole object. The schema has one setting of each sort. "fail_in": "create" or "start" fails there.
#include <tftpkit/plugin.hpp>

class ShowSettings : public tftpkit::Plugin {
 public:
  explicit ShowSettings(tftpkit::Host host) {
    if (host.setting("/fail_in") == "create") throw std::invalid_argument("told to fail in create");
  }
  void start() {
    if (host().setting("/fail_in") == "start")
      throw tftpkit::Failure(tftpkit::Status::unavailable, "told to fail");
  }

  tftpkit::Answer open(const tftpkit::Request& request) {
    const std::string path(request.path());
    const std::size_t slash = path.find('/');
    const std::string verb = path.substr(0, slash);
    const std::string pointer = slash == std::string::npos ? "" : path.substr(slash);
    if (verb == "all") return tftpkit::text(std::string(host().setting("").value_or("")));
    if (verb == "count") return tftpkit::text(std::to_string(host().setting_count(pointer.c_str())));
    if (verb == "integer") {
      const auto value = host().setting_int(pointer.c_str());
      return value ? tftpkit::text(std::to_string(*value)) : tftpkit::declined("no number there");
    }
    const auto value = verb == "text" ? host().setting(pointer.c_str()) : std::nullopt;
    return value ? tftpkit::text(std::string(*value)) : tftpkit::declined("nothing there");
  }
};

constexpr const char* schema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["greeting"],
  "properties": {
    "greeting": {"type": "string", "description": "any text"},
    "cache": {"type": "string", "format": "size", "default": "64KiB", "description": "a size"},
    "patience": {"type": "string", "format": "duration", "default": "3s", "description": "a duration"},
    "tree": {"type": "string", "format": "path", "description": "a path, not C:\\dir"},
    "password": {"type": "string", "format": "secret", "description": "a secret"},
    "loud": {"type": "boolean", "default": false, "description": "a switch"},
    "level": {"type": "integer", "minimum": 0, "maximum": 9, "default": 3, "description": "a number"},
    "names": {"type": "array", "items": {"type": "string"}, "default": [], "description": "a list"},
    "fail_in": {"type": "string", "enum": ["nowhere", "create", "start"], "default": "nowhere"}
  }
})";
TFTPKIT_PLUGIN_CLASS(ShowSettings, {.name = "settings",
                                    .version = "1.0",
                                    .summary = "Shows its settings",
                                    .settings_schema = schema,
                                    .singleton = false})
