// Worker: one thread with one loop: its listeners, its sessions, nothing shared with other workers on the
// packet path. Turns datagrams into sessions or refusals. The server owns it and talks to it by messages.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/listener.hpp"
#include "loop/loop.hpp"
#include "loop/ports.hpp"
#include "observe/counters.hpp"
#include "observe/log.hpp"
#include "serve/admission.hpp"
#include "serve/session.hpp"
#include "serve/setup.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tftpkit::serve {

// What all workers share.
struct Shared {
  observe::Log& log;
  Admission& admission;
  loop::Lane disk;
  std::atomic<std::uint64_t>& next_id;
};

class Worker {
 public:
  // `sockets` are this worker's own, from claim_ports(). The kernel hands a broadcast or multicast to the
  // listeners of every worker: exactly one worker `takes_broadcasts`.
  Worker(const Shared& shared, std::vector<loop::Fd> sockets, std::shared_ptr<const Setup> setup,
         bool takes_broadcasts);
  ~Worker();  // after run() has returned

  // The thread's body; returns after stop().
  void run() { loop_.run(); }

  // Messages, from any thread.
  void use(std::shared_ptr<const Setup> setup);
  void drain(std::function<void()> on_empty);  // no new requests; tells once when the last session has ended
  void end_sessions();
  void answer(std::function<void()> say) { loop_.post(std::move(say)); }  // when the loop comes round to it
  void stop() { loop_.stop(); }

  [[nodiscard]] const observe::Counters& counters() const noexcept { return counters_; }

 private:
  // A client's place: RRQs with the same key come from the same client port to the same address of ours.
  struct Key {
    loop::Address peer;
    loop::Address local;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return key.peer.hash() * 31 + key.local.hash(); }
  };

  // A request that looks like the repeat of one that is being answered.
  struct Repeat {
    loop::Listener* listener;
    loop::Datagram about;  // without its bytes
    wire::Request request;
    std::weak_ptr<Session> of;
  };

  void on_receive_error(int error);
  void on_datagram(loop::Listener& listener, const loop::Datagram& datagram);
  void take(loop::Listener& listener, const loop::Datagram& datagram);
  void out_of_memory(loop::Listener& listener, const loop::Datagram& datagram);
  void deny(const loop::Datagram& datagram);
  void on_request(loop::Listener& listener, const loop::Datagram& datagram, wire::Request request);
  [[nodiscard]] std::shared_ptr<Session> session_at(const Key& key) const;
  void look_again_at(Repeat repeat);
  void look_at_repeats();
  void begin(loop::Listener& listener, const Key& key, Asked asked, const std::shared_ptr<Session>& previous);
  void refuse(loop::Listener& listener, const loop::Datagram& datagram, const std::string& file,
              const wire::Reject& reject);
  void on_stranger(const loop::Datagram& datagram, const loop::StrangerReply& reply);
  void on_ended(Session& session);
  void give_back_memory();
  void tell_when_empty();

  Shared shared_;
  observe::Counters counters_;
  std::shared_ptr<const Setup> setup_;
  bool takes_broadcasts_;
  loop::Loop loop_;
  loop::Deadlines deadlines_;
  loop::ReceiveBatch batch_;
  loop::Ports ports_;
  SessionHome home_;
  std::vector<std::unique_ptr<loop::Listener>> listeners_;
  std::unordered_map<Key, std::shared_ptr<Session>, KeyHash> sessions_;  // the newest of each client place
  std::unordered_map<Session*, std::shared_ptr<Session>> replaced_;      // older ones that still go on
  std::vector<Repeat> repeats_;
  std::function<void()> on_empty_;
  loop::Deadline giving_back_ = loop::Deadline::calls<&Worker::give_back_memory>(this);
  std::size_t most_sessions_ = 0;  // since memory was last given back
};

}  // namespace tftpkit::serve
