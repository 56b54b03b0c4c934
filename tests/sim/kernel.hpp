// Kernel: the UDP sockets of the simulated machine, with the habits of Linux that room loop lives with:
// packet info, GSO, full buffers, the error queue, one error of somebody else on the next call. The network
// is whoever set on_sent; system_calls.cpp leads the server's calls here.
#pragma once

#include "loop/address.hpp"
#include "random.hpp"
#include "timeline.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <unordered_map>
#include <vector>

namespace tftpkit::sim {

using loop::Address;

struct Packet {
  Address from;
  Address to;
  std::vector<std::byte> bytes;
  bool broadcast = false;
};

struct KernelFaults {
  bool gso = true;                 // false: the first GSO send fails with EIO
  double no_buffers = 0;           // share of sends that meet ENOBUFS
  double unreachable = 0;          // share of sends that fail with ENETUNREACH
  double not_cached = 0;           // share of file reads that would have to wait for the disk
  std::size_t receive_room = 256;  // packets; more are lost
  std::size_t send_room = 0;       // packets on their way to the wire, 0: any number; then EAGAIN
  Duration per_packet{};           // that one of them takes
  Duration latency{};              // the loop's thread gets the processor up to so much late
};

class Kernel {
 public:
  static constexpr int first_fd = 1'000'000;  // below are the real ones

  Kernel(Timeline& timeline, Random random) : timeline_{timeline}, random_{random} {}

  KernelFaults faults;
  std::function<void(Packet)> on_sent;
  std::function<void(const Packet&)> on_read;           // the server has it now
  std::function<void()> on_batch;                       // a read begins: what was read before is answered
  std::function<void(const Packet&)> on_overflow;       // no room for it
  std::function<std::uint32_t(const Address&)> mtu_to;  // as far as the kernel knows
  std::vector<Address> own;  // the machine's addresses, the first of each family is used

  // From the network.
  void arrive(Packet packet);
  void refused(const Address& local, const Address& peer);  // ICMP: nobody listens at `peer`

  // A socket that the server gets ready made: bound, with packet info.
  int listen(const Address& bound);

  struct Readiness {
    bool readable = false, writable = false, error = false;
  };
  [[nodiscard]] Readiness ready(int fd) const;
  [[nodiscard]] std::size_t open_sockets() const noexcept;
  [[nodiscard]] Duration wake_latency() { return random_.between(Duration{}, faults.latency); }
  [[nodiscard]] bool is_cached() { return !random_.chance(faults.not_cached); }

  // The system calls; failures are negative errnos.
  int socket(int family);
  int bind(int fd, const Address& address);
  int connect(int fd, const Address& peer);
  int close(int fd);
  void queue_errors(int fd);
  [[nodiscard]] Address name(int fd) const;
  [[nodiscard]] int path_mtu(int fd) const;
  int receive(int fd, std::span<mmsghdr> into);
  int receive_error(int fd, msghdr& into);
  int send(int fd, const msghdr& message);

 private:
  struct Socket {
    Address bound;
    Address peer;
    bool packet_info = false;
    bool errors_queued = false;
    int error = 0;  // what the next call fails with
    std::size_t leaving = 0;
    std::deque<Packet> in;
    std::deque<Address> refused;
  };
  Socket& at(int fd);
  [[nodiscard]] const Socket& at(int fd) const;
  [[nodiscard]] Socket* receiver(const Address& to);
  [[nodiscard]] Address source_of(const Socket& socket, const Address& wanted) const;
  [[nodiscard]] int send_fault(Socket& socket, bool gso);
  void leave(int fd, Packet packet);

  Timeline& timeline_;
  Random random_;
  std::vector<std::unique_ptr<Socket>> sockets_;  // by fd - first_fd
  std::unordered_map<std::uint16_t, std::vector<Socket*>> by_port_;
};

}  // namespace tftpkit::sim
