// The network in between.
#include "link.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace tftpkit::test {

void Client::take(Extent payload, std::uint16_t blksize) {
  REQUIRE_FALSE(complete_);
  REQUIRE(payload.offset == bytes_);
  bytes_ += payload.length;
  complete_ = payload.length < blksize;
}

Link::Link(transfer::Sender& sender, Client& client, const Weather& weather, std::uint64_t seed)
    : sender_(sender), client_(client), weather_(weather), random_(seed) {}

bool Link::chance(double share) {
  return share > 0 && std::uniform_real_distribution<>(0, 1)(random_) < share;
}

void Link::post(Packet packet) {
  auto leaves = now_;
  if (packet.kind == Packet::Kind::data) {
    ++data_packets_;
    leaves = wire_free_ = std::max(wire_free_, now_) + weather_.per_packet;
    if (data_packets_ == weather_.lose_data) return;
  }
  if (chance(weather_.loss)) return;
  for (int copies = chance(weather_.duplicate) ? 2 : 1; copies > 0; --copies) {
    packet.arrives = leaves + weather_.delay;
    if (chance(weather_.reorder))
      packet.arrives +=
          Duration(std::uniform_int_distribution<Duration::rep>(0, weather_.late.count())(random_));
    packet.order = ++order_;
    air_.push(packet);
  }
}

void Link::pump_sender() {
  while (const auto burst = sender_.next_burst(now_)) {
    if (burst->kind == transfer::Burst::Kind::oack) {
      post({{}, 0, Packet::Kind::oack, 0, {}});
    } else {
      for (auto block = burst->first; block < burst->first + burst->count; ++block)
        post({{}, 0, Packet::Kind::data, sender_.wire_block(block), sender_.bytes_of(block)});
    }
    sender_.on_sent(burst->count, now_);
  }
}

void Link::pump_client() {
  for (const auto& out : client_.outgoing) {
    acks_ += out ? 1 : 0;
    post({{}, 0, out ? Packet::Kind::ack : Packet::Kind::request, out.value_or(0), {}});
  }
  client_.outgoing.clear();
  if (client_.complete() && done_at_ == TimePoint{}) done_at_ = now_;
}

void Link::deliver(const Packet& packet) {
  switch (packet.kind) {
  case Packet::Kind::oack: client_.on_oack(now_); break;
  case Packet::Kind::data: client_.on_data(packet.wire_block, packet.payload, now_); break;
  case Packet::Kind::ack: sender_.on_ack(packet.wire_block, now_); break;
  case Packet::Kind::request: sender_.on_repeated_request(now_); break;
  }
}

std::optional<TimePoint> Link::next_event() const {
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (!air_.empty()) consider(air_.top().arrives);
  consider(sender_.deadline());
  consider(client_.deadline());
  return next;
}

void Link::run(Duration most) {
  pump_sender();
  for (auto next = next_event(); next && *next <= TimePoint{} + most; next = next_event()) {
    REQUIRE(*next >= now_);
    now_ = *next;
    if (!air_.empty() && air_.top().arrives <= now_) {
      const auto packet = air_.top();
      air_.pop();
      deliver(packet);
    }
    sender_.on_deadline(now_);
    client_.on_deadline(now_);
    pump_sender();
    pump_client();
  }
}

}  // namespace tftpkit::test
