// A host that a test holds in its hands: settings as a flat map from JSON pointer to text, and everything
// that the plugin says is kept. Speaks the C ABI only.
#pragma once

#include <tftpkit/plugin.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace test_support {

using Texts = std::map<std::string, std::string>;

// An answer that came through complete().
struct Completion {
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  std::string text;
  std::string content;  // of a buffer or a file; where a redirect leads
};

class FakeHost {
 public:
  explicit FakeHost(Texts settings);
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const tftpkit_host* table() const noexcept { return &table_; }

  // What explain() said last, in any thread; taken out.
  std::string take_explanation();
  // Log lines with this text in them.
  std::size_t logged(const std::string& part) const;
  // Every line, one below the other.
  std::string all_logged() const;
  // Waits until there is such a line: for what other threads have to say. False after ten seconds.
  bool wait_logged(const std::string& part) const;

  // Waits for the answer to this request; nothing after 20 seconds.
  std::optional<Completion> wait_completed(std::uint64_t request_id) const;
  // The marks of all transfers that were accepted and not handed out yet: each is owed a close().
  std::vector<void*> take_open();
  // From now on the request is given up: cancelled() says so, and its answer is stale.
  void give_up(std::uint64_t request_id);

  std::optional<std::array<std::uint8_t, 6>> mac;  // what the neighbour table says of every peer
  std::atomic<int> mac_questions{0};
  std::atomic<bool> debug{true};

 private:
  static FakeHost& of(const tftpkit_host* host) { return *static_cast<FakeHost*>(host->impl); }

  static void log(const tftpkit_host* host, uint32_t level, const char* text, size_t len) noexcept;
  static int32_t log_enabled(const tftpkit_host* host, uint32_t level) noexcept;
  static void explain(const tftpkit_host* host, const char* text, size_t len) noexcept;
  static int32_t setting(const tftpkit_host* host, const char* pointer, tftpkit_str* value) noexcept;
  static int32_t setting_int(const tftpkit_host* host, const char* pointer, int64_t* value) noexcept;
  static size_t setting_count(const tftpkit_host* host, const char* pointer) noexcept;
  static int32_t cancelled(const tftpkit_host* host, uint64_t request_id) noexcept;
  static tftpkit_status complete(const tftpkit_host* host, uint64_t request_id, tftpkit_status status,
                                 const tftpkit_source* source, const tftpkit_sink* sink, const char* text,
                                 size_t len) noexcept;
  static tftpkit_status peer_link_address(const tftpkit_host* host, uint64_t request_id,
                                          uint8_t* mac) noexcept;

  Texts settings_;
  mutable std::mutex mutex_;
  std::string explanation_;
  std::vector<std::string> lines_;
  std::map<std::uint64_t, Completion> completed_;
  std::vector<void*> open_;
  std::set<std::uint64_t> given_up_;
  tftpkit_host table_{};
};

}  // namespace test_support
