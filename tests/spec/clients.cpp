// The models of clients.
#include "clients.hpp"

#include "wire/block.hpp"

namespace tftpkit::test {

KitClient::KitClient(const wire::Request& request, const std::vector<wire::Option>& oack, std::uint64_t seed)
    : receiver_(request, {}, TimePoint{}, seed), oack_(oack) {
  receiver_.on_sent(TimePoint{});  // the request that made the Sender
}

void KitClient::on_oack(TimePoint now) {
  receiver_.on_oack(oack_, now);
  pump(now);
}

void KitClient::on_data(std::uint16_t wire_block, Extent payload, TimePoint now) {
  if (receiver_.on_data(wire_block, payload.length, now)) take(payload, receiver_.terms().blksize);
  pump(now);
}

void KitClient::on_deadline(TimePoint now) {
  receiver_.on_deadline(now);
  pump(now);
}

void KitClient::pump(TimePoint now) {
  while (const auto reply = receiver_.next_reply()) {
    const bool opening = reply->kind == transfer::Reply::Kind::opening;
    outgoing.push_back(opening ? std::nullopt : std::optional(reply->wire_block));
    receiver_.on_sent(now);
  }
}

void FirmwareClient::on_oack(TimePoint now) {
  open_ = true;
  ack(now);
}

void FirmwareClient::on_data(std::uint16_t wire_block, Extent payload, TimePoint now) {
  open_ = true;
  if (complete() || wire_block != wire::wire_block(received_ + 1, habits_.rollover)) {
    if (habits_.one_ack_per_gap && gap_reported_) return;
    gap_reported_ = true;
    return ack(now);
  }
  ++received_;
  gap_reported_ = false;
  last_ = now;
  tries_ = 0;
  take(payload, habits_.blksize);
  if (complete() || received_ - acked_ >= habits_.windowsize) ack(now);
}

void FirmwareClient::ack(TimePoint now) {
  outgoing.emplace_back(wire::wire_block(received_, habits_.rollover));
  acked_ = received_;
  last_ = now;
}

void FirmwareClient::on_deadline(TimePoint now) {
  if (!deadline() || now < *deadline()) return;
  ++tries_;
  last_ = now;
  if (open_)
    ack(now);
  else
    outgoing.emplace_back(std::nullopt);
}

std::optional<TimePoint> FirmwareClient::deadline() const {
  constexpr int patience = 15;
  if (complete() || habits_.timer == Duration::zero() || tries_ > patience) return std::nullopt;
  return last_ + habits_.timer;
}

}  // namespace tftpkit::test
