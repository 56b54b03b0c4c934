#include "strangers.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::sim {

Strangers::Strangers(Machine& machine, Network& network, const Referee& referee, Address server,
                     std::vector<std::string> paths, Random random)
    : machine_{machine}, network_{network}, referee_{referee}, server_{server}, paths_{std::move(paths)},
      random_{random} {
  Weather weather;
  for (std::uint8_t number = 1; number <= 6; ++number) {
    const Address victim = Address::v4({10, 0, 9, number}, 0);
    victims_.push_back(victim);
    network_.attach(victim, number % 2 == 0 ? this : nullptr, weather);
  }
}

void Strangers::begin(Duration pause) {
  pause_ = pause;
  act();
}

void Strangers::act() {
  if (stopped_) return;
  switch (random_.below(4)) {
  case 0: send_noise(); break;
  case 1: spoof(); break;
  default: meddle(); break;
  }
  machine_.timeline.after(random_.between(Duration{}, pause_ * 2), [this] { act(); });
}

Bytes Strangers::noise() {
  Bytes bytes(random_.below(80));
  for (auto& byte : bytes)
    byte = static_cast<std::byte>(random_.below(random_.chance(0.5) ? 8 : 256));
  return bytes;
}

Bytes Strangers::some_packet() {
  const auto block = static_cast<std::uint16_t>(random_.below(40));
  switch (random_.below(5)) {
  case 0: return make_ack(block);
  case 1: return make_error(static_cast<std::uint16_t>(random_.below(9)), "stop it");
  case 2: return {std::byte{0}, std::byte{3}, std::byte{0}, std::byte{1}, std::byte{42}};
  case 3: return make_request(Opcode::rrq, paths_[random_.below(paths_.size())], "octet", {});
  default: return noise();
  }
}

void Strangers::send_noise() {
  const Address from = victims_[random_.below(victims_.size())];
  network_.send({from.with_port(static_cast<std::uint16_t>(random_.below(65536))), server_, noise()});
}

// In somebody else's name; sometimes the same again, as an attacker would.
void Strangers::spoof() {
  const Address victim = victims_[random_.below(victims_.size())].with_port(
      static_cast<std::uint16_t>(random_.between(1, 65535)));
  Options options;
  if (random_.chance(0.5)) options.emplace_back("blksize", std::to_string(random_.between(8, 65464)));
  if (random_.chance(0.3)) options.emplace_back("windowsize", "64");
  if (random_.chance(0.2)) options.emplace_back("timeout", "1");
  const Opcode op = random_.chance(0.1) ? Opcode::wrq : Opcode::rrq;
  const Bytes request = make_request(op, paths_[random_.below(paths_.size())], "octet", options);
  for (std::uint64_t copies = random_.chance(0.2) ? 3 : 1; copies > 0; --copies)
    network_.send({victim, server_, request});
}

// Into a conversation of others: from another address, or from another port of the same one.
void Strangers::meddle() {
  const auto& seen = referee_.conversations();
  if (seen.empty()) return send_noise();
  const std::size_t newest = std::min<std::size_t>(seen.size(), 8);
  const auto [port, peer] = seen[seen.size() - 1 - random_.below(newest)];
  Address from = victims_[random_.below(victims_.size())].with_port(peer.port());
  if (random_.chance(0.3) && network_.is_attached(peer))
    from = peer.with_port(static_cast<std::uint16_t>(peer.port() ^ 1U));
  if (from.family() != port.family() || from.port() == 0) return;
  network_.send({from, port, some_packet()});
}

void Strangers::receive(const Packet& packet) {
  network_.refuse(packet);
}

}  // namespace tftpkit::sim
