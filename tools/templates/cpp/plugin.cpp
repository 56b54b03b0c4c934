// @NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.
// The contract is <tftpkit/plugin.h>, its C++ layer <tftpkit/plugin.hpp>; README.md beside this file says how to go on.
#include <tftpkit/plugin.hpp>

#include <stdexcept>
#include <string>

class @CLASS@ : public tftpkit::Plugin {
 public:
  // Settings are read and checked here; what is thrown is told to the operator.
  explicit @CLASS@(tftpkit::Host host) : line_(host.setting("/greeting").value_or("")) {
    if (line_.empty()) throw std::invalid_argument("/greeting is empty: give the line to be shown");
    line_ += '\n';
  }

  // Which bytes answer this name? A view is not copied: the line stays as it is while this object lives.
  tftpkit::Answer open(const tftpkit::Request &request) {
    if (request.path() != "hello.txt") return tftpkit::declined();
    return tftpkit::view(line_);
  }

 private:
  std::string line_;
};

constexpr const char *schema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "greeting": {"type": "string", "default": "Hello from @NAME@!", "description": "what hello.txt says"}
  }})";

TFTPKIT_PLUGIN_CLASS(@CLASS@, {.name = "@NAME@",
                               .version = "0.1",
                               .summary = "Says hello",
                               .execution = tftpkit::Execution::inline_,  // it never waits for anything
                               .settings_schema = schema})
