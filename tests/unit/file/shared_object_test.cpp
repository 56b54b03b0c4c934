// The built file.so itself: what it exports, and one file through its entry.
#include "support/fake_host.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <dlfcn.h>
#include <string_view>
#include <unistd.h>

namespace {

struct Library {
  Library() {
    const char* path = std::getenv("FILE_PLUGIN");
    REQUIRE_MESSAGE(path != nullptr, "FILE_PLUGIN has to name file.so");
    handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char* error = handle == nullptr ? ::dlerror() : "";
    REQUIRE_MESSAGE(handle != nullptr, error);
  }
  ~Library() { ::dlclose(handle); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void* handle = nullptr;
};

}  // namespace

TEST_CASE("file.so has its entry, and the descriptor is complete") {
  const Library library;
  const auto entry = reinterpret_cast<tftpkit_entry>(::dlsym(library.handle, TFTPKIT_ENTRY_NAME));
  REQUIRE((entry != nullptr));
  const tftpkit_plugin* plugin = entry();
  REQUIRE(plugin != nullptr);
  CHECK((plugin == entry()));
  CHECK(plugin->struct_size == sizeof(tftpkit_plugin));
  CHECK(plugin->abi_version == TFTPKIT_ABI_VERSION);
  CHECK(plugin->execution == TFTPKIT_EXEC_PARALLEL);
  CHECK(std::string_view(plugin->name) == "file");
  CHECK((plugin->open_write == nullptr));  // read-only
  CHECK(plugin->settings_schema != nullptr);
}

TEST_CASE("file.so serves a file through its descriptor") {
  const Library library;
  const auto entry = reinterpret_cast<tftpkit_entry>(::dlsym(library.handle, TFTPKIT_ENTRY_NAME));
  REQUIRE((entry != nullptr));
  const tftpkit_plugin& plugin = *entry();
  const test_support::FakeHost host(test_support::Texts{{"/root", "/etc"}});
  void* instance = nullptr;
  REQUIRE(plugin.create(host.table(), &instance) == TFTPKIT_OK);
  tftpkit_request request{};
  request.struct_size = sizeof request;
  request.path = {"passwd", 6};
  tftpkit_source source{};
  tftpkit_source_init(&source);
  CHECK(plugin.open_read(instance, &request, &source) == TFTPKIT_OK);
  CHECK(source.kind == TFTPKIT_SOURCE_FD);
  CHECK(::close(source.fd) == 0);
  plugin.destroy(instance);
}
