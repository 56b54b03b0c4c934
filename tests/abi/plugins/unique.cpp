// Fails the check no-gnu-unique and no other: built with default visibility, its inline variable is one for
// the whole process, whichever version of the plugin comes first.
#include <tftpkit/plugin.h>

template <typename Type>
struct Shared {
  static inline int requests = 0;
};

namespace {

tftpkit_status hello(void* /*self*/, const tftpkit_request* /*request*/, tftpkit_source* source) noexcept {
  ++Shared<char>::requests;
  return tftpkit_answer_text(source, "hello\n");
}

constexpr tftpkit_plugin plugin = [] {
  tftpkit_plugin made{};
  made.struct_size = sizeof made;
  made.abi_version = TFTPKIT_ABI_VERSION;
  made.name = "fails-no-gnu-unique";
  made.version = "1.0";
  made.open_read = hello;
  return made;
}();

}  // namespace

TFTPKIT_EXPORT_PLUGIN(plugin)
