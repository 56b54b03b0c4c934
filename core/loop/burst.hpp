// BurstWriter: sends a run of segments to one peer in as few system calls as the kernel allows: one
// GSO send, sendmmsg, or a plain send. Does not know what the segments say and never copies them.
#pragma once

#include "loop/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tftpkit::loop {

// One datagram: four bytes of head, then the parts of the body in order (empty parts are skipped).
// The bodies must stay valid during the call. At most 65,507 bytes (IPv4) in all.
struct Segment {
  std::array<std::byte, 4> head{};
  std::array<std::span<const std::byte>, 3> body{};
  [[nodiscard]] std::size_t size() const noexcept {
    return head.size() + body[0].size() + body[1].size() + body[2].size();
  }
};

enum class SendStatus : std::uint8_t {
  ok,           // all taken
  would_block,  // socket buffer full: go on when writable
  no_buffers,   // ENOBUFS: the device queue is full; try again in a millisecond
  refused,      // ECONNREFUSED: nobody listens at the peer any more
  failed,       // see error
};

struct Sent {
  std::size_t segments = 0;  // taken by the kernel, from the front
  SendStatus status = SendStatus::ok;
  int error = 0;  // errno of what stopped the burst
};

// Where a burst goes: a connected socket needs no peer; `source` is for sockets bound to the wildcard.
struct BurstTarget {
  int fd = -1;
  const Address* peer = nullptr;
  const Address* source = nullptr;
  std::uint32_t path_mtu = 0;  // of the IP packet; 0: unknown, no GSO
  bool v6 = false;             // for the size of the headers
  bool gso = true;             // the writer clears it when the kernel refuses
};

class BurstWriter {
 public:
  static constexpr std::size_t max_gso_segments = 64;

  BurstWriter();
  ~BurstWriter();
  BurstWriter(const BurstWriter&) = delete;
  BurstWriter& operator=(const BurstWriter&) = delete;

  // Segments of equal size, the last may be shorter, travel best; others are right but slower.
  Sent write(BurstTarget& target, std::span<const Segment> segments) noexcept;
  // One datagram of any content.
  Sent write(const BurstTarget& target, std::span<const std::byte> bytes) noexcept;

  struct Counters {
    std::uint64_t datagrams = 0, bytes = 0, system_calls = 0, gso_sends = 0, gso_fallbacks = 0;
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  // For what leaves by way of an Outbox.
  void count_call() noexcept { ++counters_.system_calls; }
  void count_datagram(std::size_t bytes) noexcept {
    ++counters_.datagrams;
    counters_.bytes += bytes;
  }

 private:
  struct Scratch;
  int send_gso(const BurstTarget& target, std::span<const Segment> segments) noexcept;
  int send_plain(const BurstTarget& target, std::span<const Segment> segments) noexcept;
  void count(std::span<const Segment> taken) noexcept;

  std::unique_ptr<Scratch> scratch_;
  Counters counters_;
};

}  // namespace tftpkit::loop
