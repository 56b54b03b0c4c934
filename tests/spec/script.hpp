// A transfer as a play: the test is the client, the Sender the other actor, and time passes only when the
// script says so.
//
//   Script{100,
//   {}}.sees(1).passes(499ms).sees_nothing().passes(1ms).sees(1).acks(1).ends(Outcome::delivered);
//
// Every packet has to be seen before the next thing happens; one that nobody expected fails the test with its
// line.
#pragma once

#include "transfer/negotiation.hpp"
#include "transfer/sender.hpp"
#include "wire/request.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::test {

using namespace std::chrono_literals;
using transfer::Duration;
using transfer::Outcome;
using transfer::Sender;
using transfer::TimePoint;

// The line of the script. (clang 14 has no std::source_location with this standard library.)
struct Here {
  const char* file;
  int line;

  static constexpr Here current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

class Script {
 public:
  struct Setting {
    transfer::RetryPolicy policy{};
    transfer::Limits limits{};
    bool source_ready = true;  // false: has(...) says how much there is
  };

  // A file of this many bytes, a client that asks for these options.
  Script(std::uint64_t bytes, const std::vector<wire::Option>& options);
  Script(std::uint64_t bytes, const std::vector<wire::Option>& options, const Setting& setting);

  // What the server does.
  Script& sees(std::uint64_t block, Here here = Here::current()) { return sees(block, block, here); }
  Script& sees(std::uint64_t first, std::uint64_t last, Here here = Here::current());
  Script& sees_oack(Here here = Here::current()) { return sees(oack, oack, here); }
  Script& sees_nothing(Here here = Here::current());
  Script& ends(Outcome outcome, Here here = Here::current());
  Script& goes_on(Here here = Here::current());  // no outcome yet

  // What the client does. Numbers are as on the wire.
  Script& acks(std::uint16_t wire_block, Here here = Here::current());
  Script& sends_error(wire::ErrorCode code, Here here = Here::current());
  Script& repeats_request(Here here = Here::current());
  Script& closes_port(Here here = Here::current());

  // What the world does. On the way deadlines are met at their very time.
  Script& passes(Duration time, Here here = Here::current());
  Script& has(std::uint64_t bytes_ready, Here here = Here::current());  // the source
  Script& quietly_passes(Duration time);                                // and forgets what was sent meanwhile

  // A lockstep exchange of blocks first..last, each acknowledged one round trip after it was sent.
  Script& exchanges(std::uint64_t first, std::uint64_t last, Duration round_trip,
                    Here here = Here::current());

  [[nodiscard]] const Sender& sender() const { return sender_; }
  [[nodiscard]] Sender& sender() { return sender_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }

 private:
  static constexpr auto oack = std::numeric_limits<std::uint64_t>::max();

  void pump();
  void nothing_unseen(const Here& here, const char* before) const;
  [[nodiscard]] std::string pending() const;

  std::uint64_t bytes_;
  TimePoint now_{};
  Sender sender_;
  std::deque<std::uint64_t> unseen_;
  std::uint64_t packets_ = 0;
};

}  // namespace tftpkit::test
