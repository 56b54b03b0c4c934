#include "loop/burst.hpp"

#include "loop/errors.hpp"
#include "loop/packet_info.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace tftpkit::loop {
namespace {

constexpr std::size_t parts_per_segment = 4;
constexpr std::size_t batch = BurstWriter::max_gso_segments;
// One GSO send is one UDP datagram until it is cut: 65,535 less the headers of IP and UDP. The IPv6
// limit is 40 higher by the book; the same number serves both.
constexpr std::size_t gso_bytes = 65507 - 20;

constexpr std::size_t header_bytes(bool v6) {
  return v6 ? 48 : 28;
}

}  // namespace

struct BurstWriter::Scratch {
  std::array<iovec, batch * parts_per_segment> parts{};
  std::array<mmsghdr, batch> messages{};
  sockaddr_storage peer{};
  ControlBuffer control{};
  std::size_t parts_used = 0;

  void begin() noexcept { parts_used = 0; }
  void add(std::span<const std::byte> bytes) noexcept {
    if (!bytes.empty()) parts[parts_used++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }
  void add(const Segment& segment) noexcept {
    add(segment.head);
    for (const auto& part : segment.body)
      add(part);
  }
  msghdr message(const BurstTarget& target, std::size_t first_part, std::uint16_t segment_bytes) noexcept;
};

msghdr BurstWriter::Scratch::message(const BurstTarget& target, std::size_t first_part,
                                     std::uint16_t segment_bytes) noexcept {
  msghdr result{};
  if (target.peer != nullptr) {
    result.msg_namelen = target.peer->to_sockaddr(peer);
    result.msg_name = &peer;
  }
  result.msg_iov = parts.data() + first_part;
  result.msg_iovlen = parts_used - first_part;
  set_control(result, control, target.source, segment_bytes);
  return result;
}

namespace {

constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

std::size_t unfragmented_bytes(const BurstTarget& target) noexcept {
  const std::size_t headers = header_bytes(target.v6);
  return target.path_mtu > headers ? target.path_mtu - headers : 0;
}

// How many segments from the front fit one GSO send: equal sizes, the last may be shorter.
std::size_t gso_run(std::span<const Segment> segments, std::size_t largest) noexcept {
  const std::size_t size = segments.front().size();
  if (size > largest) return 0;
  const std::size_t most = std::min({segments.size(), BurstWriter::max_gso_segments, gso_bytes / size});
  std::size_t count = 1;
  while (count < most && segments[count].size() == size)
    ++count;
  if (count < most && segments[count].size() < size) ++count;
  return count;
}

// How many from the front go out plainly before GSO may serve again.
std::size_t plain_run(std::span<const Segment> segments, std::size_t largest, bool gso) noexcept {
  const std::size_t most = std::min(segments.size(), batch);
  std::size_t count = 1;
  while (count < most && (!gso || segments[count].size() > largest))
    ++count;
  return count;
}

}  // namespace

BurstWriter::BurstWriter() : scratch_{std::make_unique<Scratch>()} {}
BurstWriter::~BurstWriter() = default;

// 0 or errno; a GSO send is taken whole or not at all.
int BurstWriter::send_gso(const BurstTarget& target, std::span<const Segment> segments) noexcept {
  scratch_->begin();
  for (const Segment& segment : segments)
    scratch_->add(segment);
  const auto size = static_cast<std::uint16_t>(segments.front().size());
  const msghdr message = scratch_->message(target, 0, size);
  ++counters_.system_calls;
  if (::sendmsg(target.fd, &message, send_flags) < 0) return errno;
  ++counters_.gso_sends;
  return 0;
}

// The number taken, or -errno when the first was refused.
int BurstWriter::send_plain(const BurstTarget& target, std::span<const Segment> segments) noexcept {
  scratch_->begin();
  for (std::size_t at = 0; at < segments.size(); ++at) {
    const std::size_t first = scratch_->parts_used;
    scratch_->add(segments[at]);
    scratch_->messages[at].msg_hdr = scratch_->message(target, first, 0);
  }
  ++counters_.system_calls;
  if (segments.size() == 1)
    return ::sendmsg(target.fd, &scratch_->messages[0].msg_hdr, send_flags) < 0 ? -errno : 1;
  const int taken =
      ::sendmmsg(target.fd, scratch_->messages.data(), static_cast<unsigned>(segments.size()), send_flags);
  return taken < 0 ? -errno : taken;
}

void BurstWriter::count(std::span<const Segment> taken) noexcept {
  counters_.datagrams += taken.size();
  for (const Segment& segment : taken)
    counters_.bytes += segment.size();
}

Sent BurstWriter::write(BurstTarget& target, std::span<const Segment> segments) noexcept {
  const std::size_t largest = unfragmented_bytes(target);
  Sent sent;
  while (sent.segments < segments.size()) {
    const auto rest = segments.subspan(sent.segments);
    const std::size_t run = target.gso ? gso_run(rest, largest) : 0;
    int taken = 0;
    if (run >= 2) {
      const int error = send_gso(target, rest.first(run));
      if (gso_refused(error)) {
        target.gso = false;
        ++counters_.gso_fallbacks;
        continue;
      }
      taken = error == 0 ? static_cast<int>(run) : -error;
    } else {
      taken = send_plain(target, rest.first(run == 1 ? 1 : plain_run(rest, largest, target.gso)));
    }
    if (taken < 0) {
      sent.error = -taken;
      sent.status = send_status(sent.error);
      break;
    }
    count(rest.first(static_cast<std::size_t>(taken)));
    sent.segments += static_cast<std::size_t>(taken);
  }
  return sent;
}

Sent BurstWriter::write(const BurstTarget& target, std::span<const std::byte> bytes) noexcept {
  scratch_->begin();
  scratch_->add(bytes);
  const msghdr message = scratch_->message(target, 0, 0);
  ++counters_.system_calls;
  if (::sendmsg(target.fd, &message, send_flags) < 0) {
    const int error = errno;
    return {.segments = 0, .status = send_status(error), .error = error};
  }
  ++counters_.datagrams;
  counters_.bytes += bytes.size();
  return {.segments = 1, .status = SendStatus::ok, .error = 0};
}

}  // namespace tftpkit::loop
