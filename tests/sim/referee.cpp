#include "referee.hpp"

#include "trace.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tftpkit::sim {

namespace {

constexpr std::uint16_t listening_port = 69;
constexpr std::uint64_t most_amplification = 10;

std::uint64_t frame_bytes(const Packet& packet) {
  return std::max<std::uint64_t>(60, 14 + (packet.to.is_v6() ? 48 : 28) + packet.bytes.size());
}

std::size_t hash_of(std::span<const std::byte> bytes) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

void Referee::finding(const std::string& property, const Packet& packet, const std::string& what) {
  findings_.add(property, packet.from.to_string() + " > " + packet.to.to_string() + " " +
                              described(packet.bytes) + ": " + what);
}

void Referee::on_batch() {
  for (auto* entry : unanswered_) {
    Flow& flow = entry->second;
    flow.answered = flow.acked;
    flow.ended = flow.ended || flow.told_error;
    flow.reads_in_batch = 0;
    check_gap(entry->first, flow);
  }
  unanswered_.clear();
}

void Referee::on_read(const Packet& packet) {
  Trace::packet("read", packet);
  ++totals_.read;
  hosts_[packet.from.with_port(0)].heard += frame_bytes(packet);
  Peer& peer = peers_[packet.from];
  peer.last_read = timeline_.now();
  if (packet.to.port() == listening_port) {
    ++peer.requests;
    return;
  }
  const auto found = flows_.find({packet.to, packet.from});
  if (found == flows_.end()) return;
  Flow& flow = found->second;
  ++flow.reads;
  ++flow.reads_in_batch;
  flow.last_read = timeline_.now();
  hosts_[packet.from.with_port(0)].answered = true;
  if (opcode(packet.bytes) == Opcode::error && packet.bytes.size() >= 4) flow.told_error = true;
  if (opcode(packet.bytes) == Opcode::ack && packet.bytes.size() >= 4) on_ack(flow, number(packet.bytes));
  if (flow.acked > 0) acknowledged_.insert(packet.from);
  unanswered_.push_back(&*found);
}

// A request of the same place may be this transfer's, said again.
std::uint64_t Referee::heard(const Flow& flow, const Packet& packet) {
  return flow.reads + peers_[packet.to].requests - flow.requests;
}

// Steps from `from` to the number, 0 to the period less one.
std::uint64_t Referee::distance(const Flow& flow, std::uint64_t from, std::uint16_t wire_block) {
  if (flow.rollover == 0) return static_cast<std::uint16_t>(wire_block - static_cast<std::uint16_t>(from));
  if (wire_block == 0) return from == 0 ? 0 : 65535;
  const std::uint64_t place = from == 0 ? 65534 : (from - 1) % 65535;
  return (wire_block - 1 + 65535 - place) % 65535;
}

void Referee::on_ack(Flow& flow, std::uint16_t wire_block) {
  const std::uint64_t ahead = distance(flow, flow.acked, wire_block);
  if (ahead == 0 && flow.highest == 0 && flow.oack)
    flow.longest_answer = std::max<Duration>(flow.longest_answer, timeline_.now() - flow.oack_sent);
  if (ahead != 0 && flow.acked + ahead <= flow.highest) on_new_ack(flow, flow.acked + ahead);
}

void Referee::on_new_ack(Flow& flow, std::uint64_t block) {
  const TimePoint now = timeline_.now();
  flow.acked = block;
  flow.advanced = now;
  flow.advanced_once_sent = block > flow.resent_to;
  flow.undoubled = flow.advanced_once_sent;
  flow.windows_since = 0;
  if (flow.advanced_once_sent) flow.doubtful_windows = 0;
  flow.longest_answer = std::max<Duration>(flow.longest_answer, now - flow.blocks[block - 1].first_sent);
  flow.next_due = block == flow.highest && flow.last_block != block;
  flow.gap.reset();
  if (flow.advanced_once_sent && block < flow.last_sent) flow.gap = block + 1;
}

void Referee::check_next(Flow& flow, const Packet& packet) {
  if (!std::exchange(flow.next_due, false) || !rules_.sends_at_once) return;
  const Duration pause = timeline_.now() - flow.advanced;
  if (pause > rules_.slowness && peers_[packet.to].requests == flow.requests &&
      rules_.always_ready(packet.to))
    finding("an ACK brings the next block at once", packet, std::to_string(pause.count() / 1000) + " us");
}

// RFC 7440 section 4: an ACK for a part of the window says which block comes next.
void Referee::check_gap(const Key& key, Flow& flow) {
  if (!std::exchange(flow.gap, std::nullopt) || flow.told_error || !rules_.sends_at_once) return;
  findings_.add("a gap that an ACK tells of is filled at once", key.server.to_string() + " > " +
                                                                    key.peer.to_string() + ": block " +
                                                                    std::to_string(flow.acked + 1));
}

void Referee::on_sent(const Packet& packet) {
  Trace::packet("sent", packet);
  ++totals_.sent;
  check_volume(packet);
  const std::uint16_t op = opcode(packet.bytes);
  if (op == Opcode::error) return on_error(packet);
  served_.insert(packet.to);
  if (op == Opcode::oack) return on_oack(flow_of(packet, true), packet);
  if (op != Opcode::data || packet.bytes.size() < 4)
    return finding("the server sends DATA, OACK and ERROR only", packet, "something else");
  on_data(flow_of(packet, number(packet.bytes) == 1), packet);
}

// What begins a transfer on a port where the peer had one before belongs to a new request.
Referee::Flow& Referee::flow_of(const Packet& packet, bool begins) {
  const Key key{packet.from, packet.to};
  const unsigned requests = peers_[packet.to].requests;
  auto [found, added] = flows_.try_emplace(key);
  Flow& flow = found->second;
  if (added || (begins && requests > flow.requests && is_another(flow, packet))) {
    if (!added) std::erase(unanswered_, &*found);
    flow = Flow{};
    flow.rollover = rules_.rollover;
    flow.requests = requests;
    seen_.push_back({packet.from, packet.to});
  }
  return flow;
}

// Can this first packet not be one of the transfer that is known?
bool Referee::is_another(const Flow& flow, const Packet& packet) {
  if (flow.answered > 0 || flow.ended) return true;
  if (opcode(packet.bytes) == Opcode::oack) return flow.highest > 0;
  return !flow.blocks.empty() && flow.blocks[0].sends > 0 && flow.blocks[0].hash != hash_of(packet.bytes);
}

void Referee::check_volume(const Packet& packet) {
  const auto peer = peers_.find(packet.to);
  if (peer == peers_.end()) return finding("nobody gets a packet who sent none", packet, "never heard of");
  Host& host = hosts_[packet.to.with_port(0)];
  host.told += frame_bytes(packet);
  if (!host.answered && host.told > host.heard * most_amplification)
    finding("an address that never answered gets at most 10 times the bytes that it sent", packet,
            std::to_string(host.told) + " bytes for " + std::to_string(host.heard));
  if (timeline_.now() - peer->second.last_read > rules_.quiet_after)
    finding("no transfer outlives its last timer", packet,
            "sent to somebody who has been silent for too long");
}

void Referee::on_error(const Packet& packet) {
  refused_.insert(packet.to);
  if (const auto flow = flows_.find({packet.from, packet.to}); flow != flows_.end()) flow->second.gap.reset();
  const auto text = read_error(packet.bytes);
  if (!text || packet.bytes.size() > 516 || number(packet.bytes) > 8)
    return finding("an ERROR is a known code and a text that ends with its only NUL", packet, "");
  if (std::any_of(text->begin(), text->end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    finding("no ERROR has control characters", packet, *text);
}

void Referee::on_oack(Flow& flow, const Packet& packet) {
  const auto options = read_oack(packet.bytes);
  if (!options || options->empty()) return finding("an OACK is pairs of texts", packet, "it is not");
  if (flow.highest > 0) return finding("no OACK after DATA", packet, "");
  const auto given = [&](const char* name, unsigned otherwise) {
    const std::string* value = option(*options, name);
    return value == nullptr ? otherwise : static_cast<unsigned>(std::atoi(value->c_str()));
  };
  flow.blksize = given("blksize", 512);
  flow.windowsize = given("windowsize", 1);
  flow.rollover = given("rollover", rules_.rollover);
  flow.asked = std::chrono::seconds(given("timeout", 0));
  if (flow.oack)
    went_again(flow, packet);
  else
    flow.oack_sent = timeline_.now();
  flow.oack = true;
  flow.last_send = timeline_.now();
}

void Referee::on_data(Flow& flow, const Packet& packet) {
  const std::size_t payload = packet.bytes.size() - 4;
  if (payload > flow.blksize) return finding("a block is as long as agreed", packet, "longer");
  if (flow.ended) return finding("nothing follows an ERROR of the client", packet, "");
  if (flow.oack) check_mtu(packet);
  if (flow.reads_in_batch == 1)
    flow.answered = flow.acked;  // with more of them nobody knows to which this is
  const std::uint64_t ahead = distance(flow, flow.answered, number(packet.bytes));
  const std::uint64_t block = flow.answered + ahead;
  if (ahead == 0 || block > flow.acked + flow.windowsize)
    return finding("the bytes in flight fit the window", packet,
                   "acknowledged " + std::to_string(flow.acked) + ", window " +
                       std::to_string(flow.windowsize));
  if (flow.last_block && block > *flow.last_block) finding("nothing follows the last block", packet, "");
  if (payload < flow.blksize) flow.last_block = block;
  if (flow.sent_any && block <= flow.last_sent) went_again(flow, packet);
  if (flow.gap == block) flow.gap.reset();
  check_next(flow, packet);
  flow.sent_any = true;
  flow.last_sent = block;
  flow.highest = std::max(flow.highest, block);
  flow.last_send = timeline_.now();
  check_block(flow, block, packet);
}

void Referee::check_mtu(const Packet& packet) {
  const std::size_t size = packet.bytes.size() + (packet.to.is_v6() ? 48 : 28);
  const std::uint32_t mtu = network_.known_mtu(packet.to);
  if (rules_.respects_mtu && size > mtu && packet.bytes.size() > 4 + 8)
    finding("a block fits the path MTU", packet,
            std::to_string(size) + " bytes of IP for " + std::to_string(mtu));
}

// The flight began anew: because of something read, each of which explains it once, or because time was up.
void Referee::went_again(Flow& flow, const Packet& packet) {
  ++totals_.restarts;
  const Duration interval = std::max(rules_.shortest_interval, flow.asked);
  if (timeline_.now() - flow.last_send >= interval) {
    check_pause(flow, packet);
    flow.undoubled = false;
    ++flow.restarts_by_time;
    return;
  }
  check_windows(flow, packet);
  if (flow.reads_spent < heard(flow, packet)) {
    ++flow.reads_spent;
    ++flow.restarts_by_read;
    return;
  }
  finding("one ACK never brings two windows", packet, "sent again, without a new packet and before its time");
}

// RFC 6298: at most SRTT + 4 RTTVAR, and neither is more than the longest answer; until the timer has passed
// once in vain, after which it doubles.
void Referee::check_pause(const Flow& flow, const Packet& packet) {
  const bool known = flow.undoubled && flow.longest_answer > Duration{};
  const bool asked_anew = peers_[packet.to].requests > flow.requests;
  if (!known || asked_anew || !rules_.sends_at_once || timeline_.now() == flow.last_read) return;
  const Duration most = flow.asked > Duration{}
                            ? flow.asked
                            : std::max<Duration>(rules_.shortest_interval, 5 * flow.longest_answer);
  const Duration pause = timeline_.now() - std::max(flow.last_send, flow.advanced);
  if (pause > most + rules_.slowness)
    finding("a loss costs as long as answers take", packet,
            std::to_string(pause.count() / 1000) + " us, answers took at most " +
                std::to_string(flow.longest_answer.count() / 1000) + " us");
}

// What was read starts a window over once when it tells of a gap, and once when it asks for more without
// bringing anything. Of ACKs that may be about older copies one in a row may tell of a gap. One more of each
// for what the server was told in one batch with others, and nobody knows in which order it answered.
void Referee::check_windows(Flow& flow, const Packet& packet) {
  if (flow.acked == 0 || flow.reads_in_batch != 1) return;
  if (++flow.windows_since > 3)
    finding("an ACK that brings nothing starts the window over once", packet, "it goes out again and again");
  if (flow.advanced == timeline_.now() && !flow.advanced_once_sent && ++flow.doubtful_windows > 2)
    finding("a row of doubtful ACKs starts the window over once", packet, "it goes out for each");
}

void Referee::check_block(Flow& flow, std::uint64_t block, const Packet& packet) {
  if (flow.blocks.size() < block) flow.blocks.resize(block);
  Block& known = flow.blocks[block - 1];
  const std::size_t hash = hash_of(packet.bytes);
  const std::uint64_t reads = heard(flow, packet);
  if (known.sends == 0) {
    known.reads_before = reads;
    known.first_sent = timeline_.now();
    known.hash = hash;
  } else {
    ++totals_.resends;
    ++flow.resends;
    flow.resent_to = std::max(flow.resent_to, block);
  }
  ++known.sends;
  known.sends_unheard =
      known.reads_at_last == reads ? static_cast<std::uint16_t>(known.sends_unheard + 1) : 1;
  known.reads_at_last = reads;
  if (known.hash != hash) finding("a block sent again is the same bytes", packet, "it has changed");
  if (known.sends_unheard > rules_.tries + 1)
    finding("sends of a block are bounded", packet, std::to_string(known.sends_unheard) + " times unheard");
  if (known.sends > rules_.tries + 1 + reads - known.reads_before)
    finding("sends of a block are bounded", packet, std::to_string(known.sends) + " times");
}

// Sorcerer's Apprentice: without faults and timeouts nothing is sent again because of what was read.
void Referee::check_end() {
  for (const auto& [key, flow] : flows_) {
    if (!network_.is_attached(key.peer)) continue;
    const std::uint64_t explained =
        network_.faults(key.peer) + flow.restarts_by_time + peers_[key.peer].requests;
    if (flow.resends > flow.windowsize * (explained + 1))
      findings_.add("what goes out again is explained by what was lost",
                    key.server.to_string() + " > " + key.peer.to_string() + ": " +
                        std::to_string(flow.resends) + " blocks again, " + std::to_string(explained) +
                        " reasons");
    if (flow.restarts_by_read > explained)
      findings_.add("what goes out again is explained by what was lost",
                    key.server.to_string() + " > " + key.peer.to_string() + ": " +
                        std::to_string(flow.restarts_by_read) + " windows again by what was read, " +
                        std::to_string(explained) + " reasons");
  }
}

}  // namespace tftpkit::sim
