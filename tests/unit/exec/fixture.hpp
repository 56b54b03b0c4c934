// An instance of the plugin exec behind a host that the test holds in its hands.
#pragma once

#include "support/fake_host.hpp"
#include "support/scratch.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace exec_test {

using test_support::Completion;
using test_support::Texts;

// Settings for a script of /bin/sh with these words behind it.
Texts script(const std::string& text, Texts more = {});

// The explanation of a create() that has to fail; "" when it does not.
std::string refusal_of_settings(Texts settings);

// The explanation of a start() that has to fail.
std::string refusal_of_start(Texts settings);

class Instance {
 public:
  explicit Instance(Texts settings);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Asks, and does not wait; the number of the request.
  std::uint64_t ask(std::string_view path);
  Completion answer(std::uint64_t request);
  Completion fetch(std::string_view path) { return answer(ask(path)); }
  // As the server does it: once.
  void stop();

  test_support::FakeHost host;
  tftpkit_status refused = TFTPKIT_OK;  // what the last ask() returned when that was not PENDING

 private:
  const tftpkit_plugin& plugin_;
  void* self_ = nullptr;
  bool running_ = false;
  struct Asked {
    std::string path;
    std::vector<tftpkit_option> options;
    tftpkit_request request;
  };
  std::deque<Asked> asked_;  // the memory of requests, as long as they may be looked at
};

}  // namespace exec_test
