// Answers every name with one line; the smallest plugin in C++.
#include <tftpkit/plugin.hpp>

struct Hello : tftpkit::Plugin {
  tftpkit::Answer open(const tftpkit::Request&) { return tftpkit::text("Hello from C++!\n"); }
};
TFTPKIT_PLUGIN_CLASS(Hello, {.name = "hello-cpp", .version = "1.0", .summary = "Says hello to any name"})
