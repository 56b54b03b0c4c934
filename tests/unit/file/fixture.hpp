// A temporary directory to serve, and an instance of the plugin driven through its descriptor.
#pragma once

#include "plugin.hpp"
#include "support/fake_host.hpp"
#include "support/scratch.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace file_test {

using test_support::FakeHost;
using test_support::Texts;

// A directory with a `root` to serve and room beside it for what must not get out.
class Scratch {
 public:
  Scratch();

  std::filesystem::path base() const { return scratch_.path(); }
  std::filesystem::path root() const { return scratch_.path("root"); }
  // Writes a file (0644) below the root, with its directories.
  void file(const std::string& path, std::string_view content) const {
    scratch_.file("root/" + path, content);
  }
  void link(const std::string& path, const std::string& target) const;

 private:
  test_support::Scratch scratch_;
};

// What came back for one name.
struct Reply {
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  std::string text;     // the explanation
  std::string content;  // up to 64 KiB of what the descriptor gives
  uint64_t size = 0;
  int fd_flags = 0;  // F_GETFD
};

enum class Way { kernel, steps };

class Plugin {
 public:
  // Fails the test when create() does.
  explicit Plugin(Texts settings, Way way = Way::kernel);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  Reply open(std::string_view path);
  // By the extension open-now; nothing when it would have to wait.
  std::optional<Reply> open_now(std::string_view path);

  FakeHost host;
  tftpkit_addr peer{};

 private:
  using Ask = std::function<tftpkit_status(const tftpkit_request&, tftpkit_source&)>;
  Reply ask(std::string_view path, const Ask& ask);

  void* instance_ = nullptr;
};

// Settings with this root and more.
Texts serving(const Scratch& scratch, Texts more = {});

// An IPv4 peer; the parts of its address.
tftpkit_addr ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

// The explanation of a create() that has to fail; "" when it does not.
std::string refusal_of_settings(Texts settings);

}  // namespace file_test
