#include "our_client.hpp"

#include "wire/request.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tftpkit::sim {

namespace {

using transfer::Outcome;

constexpr Duration least_interval = std::chrono::milliseconds(20);
constexpr Duration patience = std::chrono::seconds(60 + 8 + 1);
constexpr Duration pause = std::chrono::milliseconds(700);

std::vector<wire::Option> as_in_wire(const Options& options) {
  std::vector<wire::Option> same;
  for (const auto& [name, value] : options)
    same.push_back({name, value});
  return same;
}

}  // namespace

void OurClient::begin_attempt(std::uint16_t port) {
  self_ = ip_.with_port(port);
  note_attempt();
  partner_.reset();
  ended_ = asked_ = ack_due_ = gap_told_ = false;
  taken_ = acked_ = packets_ = 0;
  last_heard_ = now();
  const wire::Request request{wire::Operation::read, file_.path, wire::Mode::octet, as_in_wire(options())};
  receiver_.emplace(request, transfer::RetryPolicy{}, now(), random_.next());
  pump();
}

void OurClient::receive(const Packet& packet) {
  if (packet.to != self_ || !receiver_) return place_.network.refuse(packet);
  if (!partner_) partner_ = packet.from;
  if (packet.from != *partner_) {
    if (opcode(packet.bytes) != Opcode::error) send(make_error(5, "not you"), packet.from);
    return;
  }
  last_heard_ = now();
  ++packets_;
  understand(packet.bytes);
  pump();
}

void OurClient::understand(std::span<const std::byte> packet) {
  switch (opcode(packet)) {
  case Opcode::oack: return on_oack(packet);
  case Opcode::data: return on_data(packet);
  case Opcode::error:
    if (receiver_->outcome()) return;
    attempts_.back().code = number(packet);
    attempts_.back().text = read_error(packet).value_or("");
    return receiver_->on_error(static_cast<wire::ErrorCode>(number(packet)), now());
  default: break;
  }
}

void OurClient::on_oack(std::span<const std::byte> packet) {
  const auto given = read_oack(packet);
  if (!given) return;
  if (!tainted() && taken_ == 0) check_oack(*given);
  receiver_->on_oack(as_in_wire(*given), now());
}

void OurClient::on_data(std::span<const std::byte> packet) {
  if (packet.size() < 4) return;
  const auto payload = packet.subspan(4);
  const auto& terms = receiver_->terms();
  const std::uint32_t period = terms.rollover == 0 ? 65536 : 65535;
  const auto here = static_cast<std::uint32_t>(taken_ % period);
  const std::uint32_t ahead = (number(packet) % period + period - here) % period;
  const bool taken = receiver_->on_data(number(packet), payload.size(), now());
  if (taken && ahead != 1 && !tainted())
    finding("our receiver takes the next block only",
            "number " + std::to_string(number(packet)) + " after " + std::to_string(taken_));
  if (taken) {
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    ++taken_;
  }
  note_data(ahead, taken);
}

// What has to be answered at once: the end of a window and of the file, a gap, and a block that is there
// already, when it is the one that was acknowledged last.
void OurClient::note_data(std::uint32_t ahead, bool taken) {
  const auto& terms = receiver_->terms();
  const bool running = !receiver_->outcome();
  if (taken) {
    gap_told_ = false;
    ack_due_ = receiver_->outcome() == Outcome::delivered || taken_ - acked_ >= terms.windowsize;
  } else if (ahead == 0) {
    ack_due_ = taken_ > 0 && taken_ == acked_ && (running || receiver_->deadline());
  } else {
    ack_due_ = running && taken_ > 0 && terms.windowsize > 1 && ahead <= terms.windowsize && !gap_told_;
    gap_told_ = gap_told_ || ack_due_;
  }
}

void OurClient::pump() {
  while (const auto reply = receiver_->next_reply()) {
    send_reply(*reply);
    receiver_->on_sent(now());
    last_sent_ = now();
  }
  if (std::exchange(ack_due_, false) && !tainted())
    finding("our receiver answers at once where it has to", "block " + std::to_string(taken_));
  settle();
  set_timer();
}

void OurClient::send_reply(const transfer::Reply& reply) {
  switch (reply.kind) {
  case transfer::Reply::Kind::opening:
    if (asked_) place_.network.count_fault(ip_);
    if (std::exchange(asked_, true) && now() - last_sent_ < least_interval)
      finding("our receiver answers packets, or when its time has come", "its request");
    return send(make_request(Opcode::rrq, file_.path, "octet", options()), place_.server);
  case transfer::Reply::Kind::ack: return send_ack(reply.wire_block);
  case transfer::Reply::Kind::error:
    if (!tainted()) finding("the server gives our receiver nothing to refuse", receiver_->refusal().text);
    return send(make_error(static_cast<std::uint16_t>(receiver_->refusal().code), receiver_->refusal().text),
                *partner_);
  }
}

void OurClient::send_ack(std::uint16_t block) {
  const std::uint64_t period = receiver_->terms().rollover == 0 ? 65536 : 65535;
  const std::uint64_t expected = taken_ == 0 || period == 65536 ? taken_ % 65536 : (taken_ - 1) % period + 1;
  if (block != expected)
    finding("our receiver acknowledges what it has",
            std::to_string(block) + " for " + std::to_string(expected));
  if (packets_ == 0) {
    place_.network.count_fault(ip_);
    if (now() - last_sent_ < least_interval)
      finding("our receiver answers packets, or when its time has come", "ACK " + std::to_string(block));
  }
  packets_ = 0;
  acked_ = taken_;
  ack_due_ = false;
  send(make_ack(block), *partner_);
}

void OurClient::settle() {
  if (!receiver_->outcome() || ended_) return;
  ended_ = true;
  const Outcome outcome = *receiver_->outcome();
  if (outcome == Outcome::delivered) check_content();
  note_end(outcome == Outcome::delivered      ? End::complete
           : outcome == Outcome::client_error ? End::told
                                              : End::gave_up,
           outcome == Outcome::delivered ? pause + std::chrono::seconds(3) : pause);
}

void OurClient::set_timer() {
  const auto deadline = receiver_->deadline();
  ++timers_;
  if (!deadline) return;
  place_.machine.timeline.at(*deadline, [this, number = timers_] {
    if (number == timers_ && receiver_) on_timer();
  });
}

void OurClient::on_timer() {
  if (!ended_ && now() - last_heard_ > patience)
    finding("our receiver gives up in time",
            std::to_string((now() - last_heard_).count()) + " ns of silence");
  receiver_->on_deadline(now());
  pump();
}

}  // namespace tftpkit::sim
