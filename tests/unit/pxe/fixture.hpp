// An instance of the plugin behind a fake host, driven through its descriptor, with its files in a directory.
#pragma once

#include "plugin.hpp"
#include "support/fake_host.hpp"
#include "support/scratch.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pxe_test {

using test_support::FakeHost;
using test_support::Scratch;
using test_support::Texts;
using Options = std::vector<std::pair<std::string, std::string>>;

// What came back for one name.
struct Reply {
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  std::string why;
  std::string content;
  std::string redirect;
  std::uint64_t id = 0;
  void* transfer = nullptr;

  [[nodiscard]] bool has(std::string_view part) const { return content.find(part) != std::string::npos; }
  [[nodiscard]] bool declined() const { return status == TFTPKIT_DECLINED; }
};

class Plugin {
 public:
  // `settings` beside the inventory "inventory.json", the state file and no waiting for a second reading.
  explicit Plugin(const Scratch& scratch, Texts settings = {});
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // Opens and leaves open; `from` is the peer's address, "" for none.
  Reply open(std::string_view path, std::string_view from = "192.0.2.1", const Options& options = {});
  void close(const Reply& reply, std::uint32_t end);
  // Opens and closes as delivered.
  Reply get(std::string_view path, std::string_view from = "192.0.2.1", const Options& options = {});
  void stop();

  FakeHost host;

 private:
  void* instance_ = nullptr;
  bool running_ = false;
  std::uint64_t next_id_ = 1;
};

// The worked example: web1, db9, the group rack7, and the default menu.
extern const std::string_view example;

Texts settings_for(const Scratch& scratch, Texts more = {});
// Why an instance with this inventory does not start, with all that the log says; "" when it does.
std::string refusal(std::string_view inventory, bool with_state = true);

}  // namespace pxe_test
