// PeerSocket: the way to one peer: a socket of its own, bound to the address the peer asked and
// connected to the peer. Does not know what is said; its session owns it.
#pragma once

#include "loop/address.hpp"
#include "loop/burst.hpp"
#include "loop/fd.hpp"
#include "loop/poller.hpp"
#include "loop/port_lease.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace tftpkit::loop {

class Ports;

enum class ReceiveStatus : std::uint8_t {
  bytes,        // `size` bytes in the buffer; 0 is a datagram without content
  would_block,  // nothing more
  refused,      // ECONNREFUSED: nobody listens at the peer any more
  failed,       // see error
};

struct Received {
  ReceiveStatus status = ReceiveStatus::would_block;
  std::size_t size = 0;
  int error = 0;  // errno unless bytes
};

class PeerSocket {
 public:
  // `local` is the address asked (its port is ignored), `peer` the client. `broadcast`: the request
  // came by broadcast; the socket is then bound to 0.0.0.0 and not connected, so that broadcast
  // packets of the peer arrive, and everything is sent from `local`.
  // Nothing on failure, with `error` an errno (EMFILE, EADDRNOTAVAIL, ENETUNREACH, ...).
  static std::optional<PeerSocket> open(Ports& ports, const Address& local, const Address& peer,
                                        bool broadcast, int& error);
  PeerSocket(PeerSocket&&) noexcept = default;
  PeerSocket& operator=(PeerSocket&& other) noexcept;
  ~PeerSocket() = default;  // allowed inside its own callback

  // Starts to tell of packets and of ICMP errors, which receive() then reports. 0 or errno.
  int watch(std::function<void(Ready)> on_ready);
  // While on, on_ready is also called with writable.
  void want_writable(bool wanted) noexcept;

  // One packet of the peer. Packets of strangers in between go to Ports::OnStranger.
  // Longer packets than the buffer are cut.
  Received receive(std::span<std::byte> buffer) noexcept;

  Sent send_burst(std::span<const Segment> segments) noexcept;
  Sent send(std::span<const std::byte> bytes) noexcept;

  // Bytes of an IP packet on the way to the peer; 0 when unknown.
  [[nodiscard]] std::uint32_t path_mtu() const noexcept { return path_mtu_; }
  // The largest datagram content that is not fragmented; 0 when unknown.
  [[nodiscard]] std::uint32_t path_payload() const noexcept;
  [[nodiscard]] const Address& peer() const noexcept { return peer_; }
  [[nodiscard]] const Address& local() const noexcept { return local_; }  // with the transfer port
  [[nodiscard]] bool gso() const noexcept { return gso_; }
  void set_gso(bool on) noexcept { gso_ = on; }

 private:
  PeerSocket(Ports& ports, PortLease lease, Fd socket, const Address& local, const Address& peer,
             bool broadcast);
  static std::optional<PeerSocket> open_connected(Ports& ports, const Address& local, const Address& peer,
                                                  int& error);
  static std::optional<PeerSocket> open_unconnected(Ports& ports, const Address& local, const Address& peer,
                                                    int& error);
  void tell_stranger(const Address& from, std::span<const std::byte> bytes, bool truncated) noexcept;
  [[nodiscard]] BurstTarget target() const noexcept;

  Ports* ports_;
  PortLease lease_;  // before the socket: the port is given back after the socket is closed
  Fd socket_;
  Address peer_;
  Address local_;
  std::uint32_t path_mtu_ = 0;
  bool broadcast_;
  bool gso_ = true;
  FdWatch watch_;
};

}  // namespace tftpkit::loop
