// Client: one TFTP client as a value machine: it is given datagrams and says which one to send. It checks
// every byte. Knows no socket and no time; the crowd owns it.
#pragma once

#include "content.hpp"
#include "options.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace load {

// What the client did with one datagram.
enum class Step : std::uint8_t {
  waits,    // more of the window is to come
  answers,  // send answer()
  ends,     // send answer(), if there is one: the transfer is complete
  wrong,    // the server did something that it must not: complaint()
};

class Client {
 public:
  Client(const Options& options, const Content& content) : options_{&options}, content_{&content} {}

  // A new transfer; the request is then answer().
  void begin(std::uint64_t number);
  Step on_datagram(std::span<const std::byte> datagram);

  // The datagram that was last to be sent: the request, or the last ACK. Empty: none.
  [[nodiscard]] std::span<const std::byte> answer() const noexcept;
  [[nodiscard]] bool asking() const noexcept { return !answered_; }  // nothing has come yet
  [[nodiscard]] std::uint64_t blocks() const noexcept { return next_ - 1; }
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  Step on_data(std::uint16_t wire_block, std::span<const std::byte> payload);
  Step on_oack(std::span<const std::byte> body);
  Step on_error(std::uint16_t code, std::span<const std::byte> body);
  Step fail(std::string complaint);
  Step acknowledge(Step step);

  const Options* options_;
  const Content* content_;
  std::vector<std::byte> request_;
  std::array<std::byte, 4> ack_{};
  std::string complaint_;
  std::uint64_t next_ = 1;  // the block that must come
  unsigned in_window_ = 0;  // blocks since the last ACK
  bool answered_ = false;
  bool gap_told_ = false;
  bool silent_ = false;  // nothing to send at the end: an ERROR is never answered
};

}  // namespace load
