// Referee: watches every packet that the server reads and sends, and knows what no server may do, whatever
// the network and the clients do: see the list in README.md. It follows each conversation by the packets
// alone and shares no code with the engine.
#pragma once

#include "findings.hpp"
#include "kernel.hpp"
#include "network.hpp"
#include "packets.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tftpkit::sim {

// What the server was told to keep to.
struct Rules {
  unsigned tries = 40;
  Duration shortest_interval = std::chrono::milliseconds(20);
  Duration quiet_after{};  // nothing is sent to who has been silent for so long
  unsigned rollover = 0;
  bool respects_mtu = true;
  bool sends_at_once = true;  // nothing that is sent meets a full socket or is lost in the server's kernel
  Duration slowness{};        // how late the server's thread may run, and its timers go
  // Are all bytes of the one file that this address asked for in memory?
  std::function<bool(const Address&)> always_ready;
};

class Referee {
 public:
  Referee(Timeline& timeline, Network& network, Findings& findings, const Rules& rules)
      : timeline_{timeline}, network_{network}, findings_{findings}, rules_{rules} {}

  void on_batch();  // whatever was read before has been answered
  void on_read(const Packet& packet);
  void on_sent(const Packet& packet);
  void check_end();

  // Transfer ports seen so far, for strangers who look for them.
  [[nodiscard]] const std::vector<std::pair<Address, Address>>& conversations() const noexcept {
    return seen_;
  }
  struct Totals {
    std::uint64_t sent = 0, read = 0, restarts = 0, resends = 0;
  };
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
  // Has anything of a transfer been sent there?
  [[nodiscard]] bool served(const Address& peer) const { return served_.contains(peer); }
  // Has it acknowledged something, and yet never been sent an ERROR? Unknown where what is sent may be lost.
  [[nodiscard]] bool left_in_the_dark(const Address& peer) const {
    return rules_.sends_at_once && acknowledged_.contains(peer) && !refused_.contains(peer);
  }

 private:
  struct Block {
    std::uint16_t sends = 0;
    std::uint16_t sends_unheard = 0;  // since anything was heard
    std::uint64_t reads_before = 0;   // of the flow, when it first went out
    std::uint64_t reads_at_last = 0;  // and when it last did
    std::size_t hash = 0;
    std::size_t size = 0;
    TimePoint first_sent;
  };
  // One transfer port and one peer.
  struct Flow {
    unsigned blksize = 512, windowsize = 1, rollover = 0;
    Duration asked{};
    bool oack = false;
    unsigned requests = 0;       // of the peer when it began
    std::uint64_t acked = 0;     // all that was read
    std::uint64_t answered = 0;  // up to the last read that is surely answered
    std::uint64_t highest = 0;
    std::uint64_t last_sent = 0;
    bool sent_any = false;
    bool told_error = false;  // by the client
    bool ended = false;       // and that is surely known to the server
    std::uint64_t reads = 0;
    std::uint64_t reads_spent = 0;  // that explain why something went out again
    std::uint64_t resends = 0;
    std::uint64_t restarts_by_read = 0, restarts_by_time = 0;
    TimePoint last_send;
    TimePoint last_read;
    unsigned reads_in_batch = 0;
    // Of the newest ACK that brought something.
    TimePoint advanced;
    bool advanced_once_sent = false;   // it was for a block that was sent once
    std::optional<std::uint64_t> gap;  // that it told of, until the block is sent again
    unsigned windows_since = 0;        // again, because of something read
    unsigned doubtful_windows = 0;     // in a row, each because of an ACK for blocks that were sent twice
    std::uint64_t resent_to = 0;
    Duration longest_answer{};
    bool next_due = false;   // since `advanced`: the block behind the newest ACK, which was not sent before
    bool undoubled = false;  // no timer has passed since something sent once was answered
    TimePoint oack_sent;
    std::vector<Block> blocks;  // from 1
    std::optional<std::uint64_t> last_block;
  };
  struct Peer {
    unsigned requests = 0;
    TimePoint last_read;
  };
  struct Host {
    std::uint64_t heard = 0, told = 0;  // bytes of Ethernet frames
    bool answered = false;
  };
  struct Key {
    Address server, peer;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return key.server.hash() * 31 + key.peer.hash(); }
  };

  void on_ack(Flow& flow, std::uint16_t wire_block);
  void on_new_ack(Flow& flow, std::uint64_t block);
  void check_next(Flow& flow, const Packet& packet);
  void check_gap(const Key& key, Flow& flow);
  void check_pause(const Flow& flow, const Packet& packet);
  void check_windows(Flow& flow, const Packet& packet);
  void on_oack(Flow& flow, const Packet& packet);
  void on_data(Flow& flow, const Packet& packet);
  void on_error(const Packet& packet);
  void check_volume(const Packet& packet);
  void check_block(Flow& flow, std::uint64_t block, const Packet& packet);
  void check_mtu(const Packet& packet);
  void went_again(Flow& flow, const Packet& packet);
  [[nodiscard]] std::uint64_t heard(const Flow& flow, const Packet& packet);
  Flow& flow_of(const Packet& packet, bool begins);
  [[nodiscard]] static std::uint64_t distance(const Flow& flow, std::uint64_t from, std::uint16_t wire_block);
  [[nodiscard]] static bool is_another(const Flow& flow, const Packet& packet);
  void finding(const std::string& property, const Packet& packet, const std::string& what);

  Timeline& timeline_;
  Network& network_;
  Findings& findings_;
  Rules rules_;
  std::unordered_map<Key, Flow, KeyHash> flows_;
  std::vector<std::pair<const Key, Flow>*> unanswered_;  // read something in this batch
  std::unordered_set<Address> served_, acknowledged_, refused_;
  std::unordered_map<Address, Peer> peers_;
  std::map<Address, Host> hosts_;
  std::vector<std::pair<Address, Address>> seen_;
  Totals totals_;
};

}  // namespace tftpkit::sim
