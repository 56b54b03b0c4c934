#include "client.hpp"

#include "trace.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::sim {

namespace {

constexpr std::size_t inbox_room = 24;  // packets that wait while the client writes to its flash
constexpr Duration lingers = std::chrono::seconds(3);
constexpr Duration pause_between_attempts = std::chrono::milliseconds(700);
constexpr unsigned acks_for_ever = 300;

}  // namespace

Caller::Caller(Place place, const File& file, const Habits& habits, const Address& ip, Random random)
    : place_{std::move(place)}, file_{file}, habits_{habits}, ip_{ip}, random_{random} {}

void Caller::finding(const std::string& property, const std::string& what) {
  place_.findings.add(property, name() + ": " + what);
}

void Caller::begin() {
  begin_attempt(static_cast<std::uint16_t>(random_.between(1024, 65535)));
}

void Caller::note_attempt() {
  attempts_.push_back({.self = self_, .began = now(), .text = {}});
  bytes_.clear();
}

void Client::begin_attempt(std::uint16_t port) {
  self_ = ip_.with_port(port);
  note_attempt();
  partner_.reset();
  running_ = true;
  lingering_ = options_agreed_ = asked_transfer_port_ = after_cr_ = proven_ = false;
  blksize_ = 512;
  windowsize_ = 1;
  rollover_ = habits_.wraps_to;
  received_ = acked_ = 0;
  asked_again_ = 0;
  progress_ = place_.machine.timeline.now();
  for (unsigned copy = 0; copy < habits_.requests; ++copy)
    place_.machine.timeline.after(std::chrono::milliseconds(copy * 7), [this, at = attempts_.size()] {
      if (running_ && attempts_.size() == at && !partner_) ask();
    });
  set_timer(habits_.asks_again > Duration{} ? habits_.asks_again : habits_.gives_up_after);
}

Options Caller::options() const {
  Options asked;
  if (habits_.odd_options) asked.emplace_back("x-unknown", "7");
  if (habits_.tsize) asked.emplace_back("tsize", "0");
  if (habits_.blksize)
    asked.emplace_back(habits_.odd_options ? "BLKSIZE" : "blksize", std::to_string(*habits_.blksize));
  if (habits_.timeout) asked.emplace_back("timeout", std::to_string(*habits_.timeout));
  if (habits_.windowsize) asked.emplace_back("windowsize", std::to_string(*habits_.windowsize));
  if (habits_.rollover) asked.emplace_back("rollover", std::to_string(*habits_.rollover));
  if (habits_.odd_options) asked.emplace_back("utimeout", "soon");
  return asked;
}

void Client::ask() {
  const Opcode op = habits_.quirk == Quirk::uploads ? Opcode::wrq : Opcode::rrq;
  Packet packet{self_, place_.server,
                make_request(op, file_.path, habits_.netascii ? "NetASCII" : "octet", options()),
                habits_.broadcasts};
  place_.network.send(std::move(packet));
}

void Caller::send(Bytes bytes, const Address& to) {
  place_.network.send({self_, to, std::move(bytes)});
}

std::uint16_t Client::wire(std::uint64_t block) const {
  if (rollover_ == 0) return static_cast<std::uint16_t>(block);
  return block == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>((block - 1) % 65535 + 1);
}

// From the next block on, 0 for it; below 0 for what is there.
std::int32_t Client::ahead(std::uint16_t number) const {
  const std::int32_t period = rollover_ == 0 ? 65536 : 65535;
  const std::int32_t steps = (number - wire(received_ + 1) + period) % period;
  return steps > period / 2 ? steps - period : steps;
}

void Client::send_ack(std::uint64_t block) {
  if (lingering_) place_.network.count_fault(ip_);
  acked_ = block;
  proven_ = true;
  send(make_ack(wire(block)), *partner_);
}

// ---------------------------------------------------------------- what comes

void Client::receive(const Packet& packet) {
  Trace::packet("has", packet);
  if (packet.to != self_ || (!running_ && !lingering_)) return place_.network.refuse(packet);
  if (place_.machine.timeline.now() >= deaf_until_ && inbox_.empty()) return process(packet);
  if (inbox_.size() < inbox_room)
    inbox_.push_back(packet);
  else
    place_.network.count_fault(ip_);
}

void Client::open_inbox() {
  while (!inbox_.empty() && place_.machine.timeline.now() >= deaf_until_) {
    const Packet packet = std::move(inbox_.front());
    inbox_.pop_front();
    if (packet.to == self_ && (running_ || lingering_)) process(packet);
  }
}

// The first sensible answer says who the partner is (RFC 1350 section 4).
bool Client::is_partner(const Packet& packet) {
  if (partner_) return packet.from == *partner_;
  const std::uint16_t op = opcode(packet.bytes);
  const bool begins =
      op == Opcode::oack || op == Opcode::error || (op == Opcode::data && number(packet.bytes) == 1);
  if (!begins || packet.from == old_partner_) return false;
  partner_ = packet.from;
  return true;
}

void Client::process(const Packet& packet) {
  const bool had_partner = partner_.has_value();
  if (!is_partner(packet)) {
    if (had_partner && opcode(packet.bytes) != Opcode::error) send(make_error(5, "not you"), packet.from);
    return;
  }
  if (habits_.asks_transfer_port && !std::exchange(asked_transfer_port_, true))
    send(make_request(Opcode::rrq, file_.path, "octet", options()), packet.from);
  switch (opcode(packet.bytes)) {
  case Opcode::oack: return on_oack(packet.bytes);
  case Opcode::data: return on_data(packet.bytes);
  case Opcode::error: return on_error(packet.bytes);
  default: break;
  }
}

void Client::on_oack(std::span<const std::byte> packet) {
  const auto given = read_oack(packet);
  if (!given || lingering_) return;
  if (received_ > 0) return;
  if (!options_agreed_) {
    if (!tainted()) check_oack(*given);
    const auto agreed = [&](const char* name, unsigned otherwise) {
      const std::string* value = option(*given, name);
      return value == nullptr ? otherwise : static_cast<unsigned>(std::atoi(value->c_str()));
    };
    blksize_ = std::clamp(agreed("blksize", 512), 8U, 65464U);
    windowsize_ = std::clamp(agreed("windowsize", 1), 1U, 65535U);
    rollover_ = agreed("rollover", habits_.wraps_to);
    options_agreed_ = true;
  }
  if (habits_.quirk == Quirk::probes) {
    if (random_.chance(0.8)) send(make_error(8, "just looking"), *partner_);
    return end(End::left);
  }
  send_ack(0);
}

// RFC 2347: only what was asked, and never more than that.
void Caller::check_oack(const Options& given) {
  const Options asked = options();
  for (const auto& [name, value] : given) {
    const std::string* wanted = option(asked, name);
    if (wanted == nullptr) {
      finding("an OACK answers what was asked", "it has " + name + "=" + value);
      continue;
    }
    const bool bounded = name == "windowsize" || name == "blksize" || name == "BLKSIZE";
    if (bounded && (std::atoi(value.c_str()) > std::atoi(wanted->c_str()) || std::atoi(value.c_str()) < 1))
      finding("an OACK never grants more than was asked", name + "=" + value + " for " + *wanted);
    if ((name == "timeout" || name == "rollover") && value != *wanted)
      finding("an OACK repeats timeout and rollover", name + "=" + value + " for " + *wanted);
    const std::uint64_t size = habits_.netascii ? netascii_size(file_.bytes) : file_.announced();
    if (name == "tsize" && value != std::to_string(size))
      finding("tsize is the size of the file", "it is " + value + " for " + std::to_string(size));
  }
}

void Client::on_error(std::span<const std::byte> packet) {
  if (lingering_) return;
  attempts_.back().code = number(packet);
  attempts_.back().text = read_error(packet).value_or("");
  end(End::told);
}

void Client::on_data(std::span<const std::byte> packet) {
  if (packet.size() < 4 || packet.size() > 4 + std::size_t{blksize_}) {
    if (!tainted()) finding("a block is as long as agreed", std::to_string(packet.size()) + " bytes");
    return;
  }
  const auto steps = ahead(number(packet));
  if (steps != 0 || lingering_) return on_unexpected(lingering_ ? -1 : steps);
  const auto payload = packet.subspan(4);
  take(payload);
  ++received_;
  asked_again_ = 0;
  progress_ = place_.machine.timeline.now();
  after_block(payload.size() < blksize_);
}

void Client::take(std::span<const std::byte> payload) {
  if (habits_.netascii) return decode(payload);
  bytes_.insert(bytes_.end(), payload.begin(), payload.end());
}

// RFC 764: CR LF is a line end, CR NUL a CR.
void Client::decode(std::span<const std::byte> payload) {
  for (const std::byte byte : payload) {
    if (std::exchange(after_cr_, false)) {
      if (byte != std::byte{'\n'} && byte != std::byte{0} && !tainted())
        finding("netascii has LF or NUL behind CR", "block " + std::to_string(received_ + 1));
      bytes_.push_back(byte == std::byte{0} ? std::byte{'\r'} : byte);
    } else if (byte == std::byte{'\r'}) {
      after_cr_ = true;
    } else {
      bytes_.push_back(byte);
    }
  }
}

void Client::after_block(bool last) {
  if (!last && acts_strangely()) return;
  const bool window_full = received_ - acked_ >= windowsize_;
  if (last || window_full) send_ack(received_);
  if (last) {
    check_content();
    return end(End::complete);
  }
  if (habits_.writes_for > Duration{} && received_ % habits_.writes_every == 0) {
    deaf_until_ = place_.machine.timeline.now() + habits_.writes_for;
    place_.machine.timeline.at(deaf_until_, [this] { open_inbox(); });
    set_timer(habits_.writes_for + std::max<Duration>(habits_.asks_again, std::chrono::seconds(1)));
    return;
  }
  set_timer(habits_.asks_again > Duration{} ? habits_.asks_again : habits_.gives_up_after);
}

// A gap, or a copy of what is there. What is there is acknowledged again, with windows once for each gap.
void Client::on_unexpected(std::int32_t ahead) {
  if (ahead < 0 && windowsize_ == 1) return send_ack(received_);
  if (habits_.acks_every_packet || acked_ != received_ || ahead == -1) send_ack(received_);
}

bool Client::acts_strangely() {
  const std::uint64_t half = std::max<std::uint64_t>(file_.bytes.size() / blksize_ / 2, 1);
  if (received_ != half) return false;
  switch (habits_.quirk) {
  case Quirk::acks_for_ever: go_on_acking(acks_for_ever); return true;
  case Quirk::vanishes: end(End::left); return true;
  case Quirk::breaks_off:
    send(make_error(3, "disk full"), *partner_);
    end(End::left);
    return true;
  case Quirk::restarts:
    if (attempts_.size() > 1) return false;
    attempts_.back().end = End::left;
    if (proven_) old_partner_ = partner_;  // else the server takes the request for a repeat, and rightly
    begin_attempt(self_.port());
    return true;
  default: return false;
  }
}

void Client::go_on_acking(unsigned left) {
  running_ = false;
  lingering_ = true;  // the port is open, and nothing is learnt any more
  acked_ = received_;
  if (left == 0) return end(End::left);
  send_ack(received_);
  const auto pause = random_.between(std::chrono::milliseconds(5), std::chrono::milliseconds(400));
  place_.machine.timeline.after(pause, [this, left] { go_on_acking(left - 1); });
}

void Caller::check_content() {
  if (tainted()) return;
  const bool whole =
      file_.fault == Fault::none || file_.fault == Fault::hangs || file_.fault == Fault::shrinks;
  if (!whole)
    return finding("what fails half way never looks complete", std::to_string(bytes_.size()) + " bytes");
  if (bytes_ == file_.bytes) return;
  const auto [got, sent] =
      std::mismatch(bytes_.begin(), bytes_.end(), file_.bytes.begin(), file_.bytes.end());
  finding("the received bytes equal the sent bytes",
          std::to_string(bytes_.size()) + " bytes for " + std::to_string(file_.bytes.size()) +
              ", the first difference at " + std::to_string(got - bytes_.begin()));
}

// ---------------------------------------------------------------------- time

// One event is under way at a time; it finds out whether it is still early.
void Client::set_timer(Duration after) {
  wakes_ = place_.machine.timeline.now() + after;
  if (timer_ != 0) return;
  timer_ = 1;
  place_.machine.timeline.at(*wakes_, [this] {
    timer_ = 0;
    if (!wakes_ || !running_) return;
    const auto early = *wakes_ - place_.machine.timeline.now();
    if (early > Duration{}) return set_timer(early);
    on_timer();
  });
}

void Client::on_timer() {
  const bool too_long = place_.machine.timeline.now() - progress_ >= habits_.gives_up_after;
  if (too_long || asked_again_ >= habits_.patience || habits_.asks_again == Duration{})
    return end(End::gave_up);
  ++asked_again_;
  ask_again();
  set_timer(habits_.asks_again);
}

void Client::ask_again() {
  place_.network.count_fault(ip_);  // a reason for the server to send something again
  if (received_ > 0 || options_agreed_)
    send_ack(received_);
  else if (!old_partner_ || !partner_)
    ask();
}

void Client::end(End how) {
  running_ = false;
  wakes_.reset();
  lingering_ = how == End::complete && habits_.stays;
  if (!lingering_) inbox_.clear();
  old_partner_.reset();
  note_end(how, lingering_ ? lingers : pause_between_attempts);
}

void Caller::note_end(End how, Duration pause) {
  attempts_.back().end = how;
  Trace::say("client", name() + " " + self_.to_string() + ": " +
                           (how == End::complete  ? "complete"
                            : how == End::told    ? "told: " + attempts_.back().text
                            : how == End::gave_up ? "gave up"
                                                  : "left"));
  const bool content = how == End::complete || how == End::left || habits_.quirk == Quirk::uploads;
  const bool again = !content && attempts_.size() < habits_.attempts;
  const bool more_after_calm =
      !content && habits_.attempts > 1 && attempts_.back().began < place_.network.calm();
  if (again || more_after_calm) {
    place_.machine.timeline.after(pause, [this] { next_attempt(); });
    return;
  }
  place_.machine.timeline.after(pause, [this] {
    leave();
    place_.on_done();
  });
}

void Caller::next_attempt() {
  // Not before the weather is fine when it was the last try but one.
  begin_attempt(static_cast<std::uint16_t>(self_.port() >= 65000 ? 1024 : self_.port() + 1));
}

}  // namespace tftpkit::sim
