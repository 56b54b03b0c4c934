// The requests that an instance knows by number, and the memory behind tftpkit_request. Plugins name requests
// by id only, so a late answer finds nothing instead of a dangling pointer. Sharded: any thread may ask.
#pragma once

#include <tftpkit/plugin.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tftpkit::host {

class Call;

// What `serve` fills in for one open.
struct OpenRequest {
  std::uint64_t id = 0;   // never used twice for one instance
  std::string wire_path;  // as it came
  std::string path;       // clean
  std::uint32_t mode = TFTPKIT_MODE_OCTET;
  std::uint32_t blksize = 512;
  std::uint32_t windowsize = 1;
  std::chrono::milliseconds answer_within{0};
  tftpkit_addr peer{};
  tftpkit_addr local{};
  std::vector<std::pair<std::string, std::string>>
      options;  // names as sent; the plugin sees them in lower case
  std::uint32_t redirects = 0;
};

// One request as a plugin sees it. Lives until close() or the failing answer, which for an answer that nobody
// waits for any more may be much later than the Call.
class HeldRequest {
 public:
  explicit HeldRequest(OpenRequest request);
  HeldRequest(const HeldRequest&) = delete;
  HeldRequest& operator=(const HeldRequest&) = delete;

  const tftpkit_request& view() const noexcept { return view_; }
  std::uint64_t id() const noexcept { return view_.id; }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  OpenRequest own_;
  std::vector<tftpkit_option> options_;
  tftpkit_request view_{};
  std::atomic<bool> cancelled_{false};
};

class Requests {
 public:
  struct Entry {
    std::weak_ptr<Call> call;  // empty: nobody waits
    std::shared_ptr<HeldRequest> request;
  };

  // False when the id is there already.
  bool add(std::uint64_t id, Entry entry);
  // An entry without request when there is none.
  Entry find(std::uint64_t id) const;
  void forget(std::uint64_t id);
  // Nobody waits any more, but the plugin may still look at the request until it completes it.
  void orphan(std::uint64_t id);
  // Takes an orphan out; false when there is none.
  bool bury(std::uint64_t id);
  std::size_t forgotten() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Entry> entries;
    std::unordered_set<std::uint64_t> orphans;
  };
  Shard& shard(std::uint64_t id) noexcept { return shards_[id % shards_.size()]; }
  const Shard& shard(std::uint64_t id) const noexcept { return shards_[id % shards_.size()]; }

  std::array<Shard, 16> shards_;
};

}  // namespace tftpkit::host
