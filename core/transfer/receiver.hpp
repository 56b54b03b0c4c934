// The receiving end of one transfer, sans-IO: told packets and time, asked what to answer. For `tftpkit get`,
// for the simulation in the tests, and for uploads on a server. Knows no socket, no clock and keeps no
// payload.
//
// After every event: while (reply = next_reply()) send it and on_sent(); then arm deadline(); then outcome().
#pragma once

#include "transfer/negotiation.hpp"
#include "transfer/outcome.hpp"
#include "transfer/retry.hpp"
#include "transfer/time.hpp"
#include "wire/error_code.hpp"
#include "wire/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tftpkit::transfer {

// What should leave now.
struct Reply {
  enum class Kind : std::uint8_t {
    opening,  // the packet that begins it: the client's RRQ (to the port asked), a server's OACK or ACK 0 for
              // a WRQ
    ack,      // ACK wire_block
    error,    // refusal(), to the peer's transfer port
  };

  Kind kind = Kind::ack;
  std::uint16_t wire_block = 0;

  bool operator==(const Reply&) const = default;
};

class Receiver {
 public:
  // A client that has sent (or will send) this request. Terms are settled by the OACK or by DATA 1.
  Receiver(const wire::Request& request, const RetryPolicy& policy, TimePoint now, std::uint64_t seed);
  // A server that has agreed to a WRQ.
  Receiver(const Terms& terms, const RetryPolicy& policy, TimePoint now, std::uint64_t seed);

  void on_oack(std::span<const wire::Option> options, TimePoint now);
  // True: these are the next bytes of the file, take them now. False: a repeat or out of order, drop them.
  bool on_data(std::uint16_t wire_block, std::size_t length, TimePoint now) noexcept;
  void on_error(wire::ErrorCode code, TimePoint now) noexcept;
  void on_unreachable(TimePoint now) noexcept;
  void on_deadline(TimePoint now) noexcept;
  void on_sent(TimePoint now) noexcept;
  // The caller cannot go on (disk full, interrupted): ends with ERROR.
  void refuse(wire::Reject why);

  [[nodiscard]] std::optional<Reply> next_reply() const noexcept;
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept;
  // Set as soon as the last block is here; a last reply and the dally after it may follow: ask next_reply()
  // and deadline() until both are empty, so that a lost last ACK does not hurt the sender (RFC 1350 section
  // 6).
  [[nodiscard]] std::optional<Outcome> outcome() const noexcept { return outcome_; }
  [[nodiscard]] const wire::Reject& refusal() const noexcept { return refusal_; }

  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }
  [[nodiscard]] std::optional<std::uint64_t> tsize() const noexcept { return tsize_; }  // from the OACK
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t blocks() const noexcept { return received_; }

 private:
  enum class Due : std::uint8_t { nothing, opening, ack, error };

  void on_next_block(std::size_t length, TimePoint now) noexcept;
  void on_other_block(std::uint32_t ahead) noexcept;
  [[nodiscard]] Duration dally() const noexcept { return 2 * retry_.interval(); }

  wire::Request request_;  // what was asked; empty on a server
  Terms terms_;
  Retry retry_;
  wire::Reject refusal_;
  std::optional<std::uint64_t> tsize_;
  std::optional<Outcome> outcome_;
  std::uint64_t bytes_ = 0;
  std::uint64_t received_ = 0;  // blocks here, in order
  std::uint64_t acked_ = 0;     // the block of the last ACK sent
  std::uint32_t ahead_ = 0;  // how far ahead the last block out of order was; 0: none since the last in order
  Due due_ = Due::opening;
  bool opening_ = true;      // nothing of the sender's has come yet
  bool ack_again_ = false;   // the last ACK was sent more than once: no sample from what follows (Karn)
  bool dally_over_ = false;  // no late DATA will be answered any more
};

}  // namespace tftpkit::transfer
