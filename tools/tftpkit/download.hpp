// Download: one file over one UDP socket: carries packets between the network and a transfer::Receiver.
#pragma once

#include "loop/address.hpp"
#include "loop/fd.hpp"
#include "transfer/receiver.hpp"
#include "wire/netascii.hpp"
#include "wire/packet.hpp"
#include "wire/request.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace tftpkit::cli {

class Download {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;

  // Throws Failure when there is no socket.
  Download(const loop::Address& server, wire::Request request);

  // To the end: throws Failure with the server's words, or ours. `sink` gets the bytes in order.
  void run(const Sink& sink);

  [[nodiscard]] std::uint64_t bytes() const noexcept { return receiver_.bytes(); }
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return receiver_.tsize(); }
  [[nodiscard]] const transfer::Terms& terms() const noexcept { return receiver_.terms(); }

 private:
  void answer();
  [[nodiscard]] bool has_source();
  void send(std::span<const std::byte> packet, const loop::Address& to);
  void wait();
  bool receive_one(const Sink& sink);
  void on_packet(std::span<const std::byte> packet, const Sink& sink);
  void take(std::span<const std::byte> payload, const Sink& sink);
  [[nodiscard]] bool from_server(const loop::Address& peer);
  void report_failure() const;

  loop::Address asked_;
  loop::Address source_;               // ours, for the whole transfer; none before the first request
  std::optional<loop::Address> peer_;  // the server's transfer port, once it has answered
  wire::Request request_;
  loop::Fd socket_;
  transfer::Receiver receiver_;
  wire::NetasciiDecoder netascii_;
  std::string server_text_;  // of its ERROR
  std::array<std::byte, 65536> packet_;
};

}  // namespace tftpkit::cli
