// Caller: a machine that wants one file: its attempts, each of which ends in one known way, and the judgement
// of what it got. Client is one with the habits of some real machine. It follows the RFCs by code of its own,
// checks every byte and option that it gets, and tries again until it has what it wants or what its habits
// are content with.
#pragma once

#include "files.hpp"
#include "findings.hpp"
#include "machine.hpp"
#include "network.hpp"
#include "packets.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::sim {

enum class Quirk : std::uint8_t {
  none,
  probes,         // reads the OACK, answers ERROR 8 or nothing, and leaves
  acks_for_ever,  // stops half way and repeats its last ACK, whatever comes
  restarts,       // half way begins anew from the same port
  vanishes,       // half way is switched off
  breaks_off,     // half way sends ERROR 3
  uploads,        // WRQ: expects to hear that it may not
};

struct Habits {
  bool our_own = false;  // the receiving end of room transfer: see receiver.hpp
  std::optional<unsigned> blksize, windowsize, timeout, rollover;
  unsigned wraps_to = 0;  // what it takes for granted when it does not ask for rollover
  bool tsize = false;
  bool netascii = false;
  bool odd_options = false;  // unknown, malformed, in capitals
  bool broadcasts = false;
  Duration asks_again = std::chrono::seconds(1);  // after so long without news; 0: never
  unsigned patience = 10;                         // times that it asks again without progress
  Duration gives_up_after = std::chrono::seconds(90);
  Duration writes_for{};  // slow flash: every `writes_every` blocks it is deaf for so long
  unsigned writes_every = 16;
  bool acks_every_packet = false;   // EDK2: one ACK for each packet that it does not expect
  bool stays = true;                // answers copies of the last block for a while; else its port is closed
  bool tells = true;                // ICMP for closed ports
  unsigned requests = 1;            // copies of the first request
  bool asks_transfer_port = false;  // GRUB: its RRQ again to the port that answered
  Quirk quirk = Quirk::none;
  unsigned attempts = 1;  // how often it tries in all, if need be
};

struct Attempt {
  enum class End : std::uint8_t { none, complete, told, gave_up, left };
  Address self;
  TimePoint began;
  End end = End::none;
  std::uint16_t code = 0;  // of the ERROR that it was told
  std::string text;
};

class Caller : public Host {
 public:
  struct Place {
    Machine& machine;
    Network& network;
    Findings& findings;
    Address server;  // with the listening port
    std::function<void()> on_done;
  };
  Caller(Place place, const File& file, const Habits& habits, const Address& ip, Random random);

  void begin();  // the first attempt, now
  [[nodiscard]] bool tells() const override { return habits_.tells; }

  [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept { return attempts_; }
  [[nodiscard]] const File& file() const noexcept { return file_; }
  [[nodiscard]] const Habits& habits() const noexcept { return habits_; }
  [[nodiscard]] std::string name() const { return ip_.ip_string() + " for " + file_.path; }

 protected:
  using End = Attempt::End;

  virtual void begin_attempt(std::uint16_t port) = 0;
  virtual void leave() = 0;  // the port is closed, for good

  void note_attempt();
  // The attempt of now ended so; the next one, or the end of it all, comes after the pause.
  void note_end(End how, Duration pause);
  [[nodiscard]] Options options() const;
  void check_oack(const Options& given);
  void check_content();
  void send(Bytes bytes, const Address& to);
  void finding(const std::string& property, const std::string& what);
  [[nodiscard]] bool tainted() const { return place_.network.tainted(ip_); }
  [[nodiscard]] TimePoint now() const { return place_.machine.timeline.now(); }

  Place place_;
  const File& file_;
  Habits habits_;
  Address ip_;
  Random random_;
  std::vector<Attempt> attempts_;

  // Of the attempt of now.
  Address self_;
  std::vector<std::byte> bytes_;

 private:
  void next_attempt();
};

class Client final : public Caller {
 public:
  using Caller::Caller;
  void receive(const Packet& packet) override;

 private:
  void begin_attempt(std::uint16_t port) override;
  void leave() override { lingering_ = false; }
  void ask();
  void process(const Packet& packet);
  void open_inbox();
  [[nodiscard]] bool is_partner(const Packet& packet);
  void on_oack(std::span<const std::byte> packet);
  void on_data(std::span<const std::byte> packet);
  void take(std::span<const std::byte> payload);
  void decode(std::span<const std::byte> payload);
  void on_error(std::span<const std::byte> packet);
  void on_unexpected(std::int32_t ahead);
  void after_block(bool last);
  bool acts_strangely();
  void send_ack(std::uint64_t block);
  void on_timer();
  void set_timer(Duration after);
  void ask_again();
  void go_on_acking(unsigned left);
  void end(End how);
  [[nodiscard]] std::uint16_t wire(std::uint64_t block) const;
  [[nodiscard]] std::int32_t ahead(std::uint16_t number) const;

  // Of the attempt of now.
  std::optional<Address> partner_;
  std::optional<Address> old_partner_;  // of an attempt from the same port
  bool running_ = false;
  bool lingering_ = false;  // complete, and the port still open
  bool options_agreed_ = false;
  bool proven_ = false;  // it has sent an ACK
  bool asked_transfer_port_ = false;
  unsigned blksize_ = 512;
  unsigned windowsize_ = 1;
  unsigned rollover_ = 0;
  std::uint64_t received_ = 0;  // blocks in order
  std::uint64_t acked_ = 0;
  bool after_cr_ = false;
  unsigned asked_again_ = 0;
  TimePoint progress_;
  std::uint64_t timer_ = 0;
  std::optional<TimePoint> wakes_;
  std::deque<Packet> inbox_;
  TimePoint deaf_until_;
};

}  // namespace tftpkit::sim
