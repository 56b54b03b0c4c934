// PeerSocket: the way to one peer: a place on a transfer port at the address that the peer asked. Does not
// know what is said; its session owns it.
#pragma once

#include "loop/address.hpp"
#include "loop/burst.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace tftpkit::loop {

class Ports;
struct Place;
struct Port;

// What happens on the way. Any PeerSocket may be destroyed inside any of these.
class PeerEvents {
 public:
  // A packet of the peer, cut at 2,048 bytes; the bytes live until this returns.
  virtual void on_packet(std::span<const std::byte> packet) = 0;
  virtual void on_refused() = 0;   // nobody listens at the peer any more (ICMP)
  virtual void on_writable() = 0;  // once after await_writable()

 protected:
  ~PeerEvents() = default;
};

class PeerSocket {
 public:
  // `local` is the address asked (its port is ignored), `peer` the client. `broadcast`: the request
  // came by broadcast; the port is then one of its own, bound to 0.0.0.0, so that broadcast packets of
  // the peer arrive, and everything is sent from `local`.
  // Nothing on failure, with `error` an errno (EMFILE, EADDRNOTAVAIL, ENETUNREACH, ...).
  static std::optional<PeerSocket> open(Ports& ports, const Address& local, const Address& peer,
                                        bool broadcast, PeerEvents& events, int& error);
  PeerSocket(PeerSocket&& other) noexcept;
  PeerSocket& operator=(PeerSocket&& other) noexcept;
  ~PeerSocket();  // allowed inside its own callback

  // After a send that would have blocked: on_writable() follows when there is room again.
  void await_writable();

  Sent send_burst(std::span<const Segment> segments);
  Sent send(std::span<const std::byte> bytes);

  // Bytes of an IP packet on the way to the peer; 0 when unknown. Asks the kernel when nobody did lately.
  [[nodiscard]] std::uint32_t path_mtu() const;
  // The largest datagram content that is not fragmented; 0 when unknown.
  [[nodiscard]] std::uint32_t path_payload() const;
  [[nodiscard]] const Address& peer() const noexcept;
  [[nodiscard]] const Address& local() const noexcept;  // with the transfer port
  [[nodiscard]] bool gso() const noexcept { return gso_; }
  void set_gso(bool on) noexcept { gso_ = on; }

 private:
  PeerSocket(Place& place, std::unique_ptr<Port> own_port) noexcept;
  [[nodiscard]] BurstTarget target() const noexcept;
  template <class Datagram>
  [[nodiscard]] bool gathered(const Datagram& datagram);
  void close();

  Place* place_ = nullptr;
  std::unique_ptr<Port> own_port_;  // of a transfer by broadcast request
  bool gso_ = true;
};

}  // namespace tftpkit::loop
