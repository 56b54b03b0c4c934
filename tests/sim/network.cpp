#include "network.hpp"

#include "trace.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::sim {

namespace {

std::size_t ip_bytes(const Packet& packet) {
  return packet.bytes.size() + (packet.to.is_v6() ? 48 : 28);
}

}  // namespace

void Network::attach(const Address& address, Host* host, const Weather& weather) {
  Line& line = lines_[address.with_port(0)];
  line.host = host;
  line.weather = weather;
  line.up.random = random_.fork(address.hash() * 2);
  line.down.random = random_.fork(address.hash() * 2 + 1);
}

Network::Line& Network::line(const Address& address) {
  return lines_.at(address.with_port(0));
}

std::uint32_t Network::known_mtu(const Address& peer) const {
  const auto found = lines_.find(peer.with_port(0));
  return found == lines_.end() ? 1500 : found->second.weather.known_mtu;
}

std::uint64_t Network::faults(const Address& peer) const {
  return lines_.at(peer.with_port(0)).faults;
}

bool Network::tainted(const Address& peer) const {
  const auto found = lines_.find(peer.with_port(0));
  return found != lines_.end() && found->second.tainted;
}

void Network::count_fault(const Address& peer) {
  if (const auto found = lines_.find(peer.with_port(0)); found != lines_.end()) ++found->second.faults;
}

bool Network::silent(const Direction& direction) const {
  const auto since = machine_.timeline.now() - TimePoint{std::chrono::hours(1)};
  return since >= direction.silent_from && since < direction.silent_from + direction.silent_for;
}

bool Network::lost(const Direction& direction, Way& way, const Weather& weather, const Packet& packet) const {
  if (silent(direction)) return true;
  if (way.burst_left > 0) return --way.burst_left, true;
  if (way.random.chance(direction.burst)) way.burst_left = direction.burst_length;
  const std::size_t fragments = (ip_bytes(packet) + weather.mtu - 1) / weather.mtu;
  for (std::size_t fragment = 0; fragment < fragments; ++fragment)
    if (way.random.chance(direction.loss)) return true;
  return false;
}

void Network::break_packet(Packet& packet, Random& random) const {
  if (packet.bytes.empty()) return;
  if (random.chance(0.3)) {
    packet.bytes.resize(random.below(packet.bytes.size()));
    return;
  }
  // Mostly where it hurts: in the opcode, the block number, the first words.
  const std::size_t reach =
      random.chance(0.7) ? std::min<std::size_t>(packet.bytes.size(), 6) : packet.bytes.size();
  packet.bytes[random.below(reach)] ^= static_cast<std::byte>(1U << random.below(8));
}

void Network::send(Packet packet) {
  Line& from = line(packet.from);
  carry(from, from.weather.up, from.up, std::move(packet), true);
}

void Network::deliver(Packet packet) {
  const auto found = lines_.find(packet.to.with_port(0));
  if (found == lines_.end()) return;
  carry(found->second, found->second.weather.down, found->second.down, std::move(packet), false);
}

void Network::carry(Line& line, const Direction& direction, Way& way, Packet packet, bool to_server) {
  const Weather& weather = line.weather;
  const TimePoint now = machine_.timeline.now();
  if (weather.drops_fragments && ip_bytes(packet) > weather.mtu) {
    ++line.faults;
    Trace::packet("frag", packet);
    return;
  }
  way.link_free = std::max(way.link_free, now);
  if (weather.per_packet > Duration{} &&
      (way.link_free - now) / weather.per_packet >= static_cast<std::int64_t>(weather.queue)) {
    ++line.faults;
    Trace::packet("full", packet);
    return;
  }
  way.link_free += weather.per_packet;
  TimePoint arrives = way.link_free + weather.delay + way.random.between(Duration{}, weather.jitter);
  unsigned copies = 1;
  if (now < calm_) {
    if (lost(direction, way, weather, packet)) {
      ++line.faults;
      Trace::packet("lost", packet);
      return;
    }
    if (way.random.chance(direction.broken)) {
      ++line.faults;
      Trace::packet("brok", packet);
      if (!weather.broken_pass) return;
      line.tainted = true;
      break_packet(packet, way.random);
    }
    if (way.random.chance(direction.late)) {
      ++line.faults;
      arrives += way.random.between(Duration{}, weather.lateness);
    }
    if (way.random.chance(direction.copies)) {
      ++line.faults;
      copies = 2;
    }
  }
  if (arrives < way.last_arrival) ++line.faults;  // others have overtaken
  way.last_arrival = std::max(way.last_arrival, arrives);
  for (unsigned copy = 0; copy < copies; ++copy) {
    const TimePoint when = arrives + (copy == 0 ? Duration{} : way.random.between(Duration{}, weather.delay));
    machine_.timeline.at(when, [this, &line, packet, to_server] { arrive(line, packet, to_server); });
  }
}

void Network::arrive(Line& line, const Packet& packet, bool to_server) {
  if (to_server) return machine_.kernel.arrive(packet);
  if (line.host != nullptr) line.host->receive(packet);
}

void Network::refuse(const Packet& packet) {
  Line& to = line(packet.to);
  if (to.host == nullptr || !to.host->tells()) return;
  if (machine_.timeline.now() < calm_ && to.up.random.chance(to.weather.up.loss)) return;
  machine_.timeline.after(to.weather.delay, [this, local = packet.from, peer = packet.to] {
    machine_.kernel.refused(local, peer);
  });
}

}  // namespace tftpkit::sim
