#include "serve/worker.hpp"

#include "serve/without_memory.hpp"
#include "wire/packet.hpp"
#include "wire/path.hpp"

#include <algorithm>
#include <chrono>
#include <malloc.h>
#include <new>
#include <system_error>
#include <utility>
#include <variant>

namespace tftpkit::serve {

namespace {

// A crowd is over when so few of its transfers are left; below `few` it never was one.
constexpr std::chrono::seconds memory_interval{5};
constexpr std::size_t few = 64;

const wire::Reject no_memory{wire::ErrorCode::not_defined, "the server is out of memory, try again later"};

// Nobody can be answered there.
bool impossible(const loop::Address& peer) {
  return peer.port() == 0 || peer.is_unspecified() || peer.is_multicast();
}

}  // namespace

Worker::Worker(const Shared& shared, std::vector<loop::Fd> sockets, std::shared_ptr<const Setup> setup,
               bool takes_broadcasts)
    : shared_{shared}, setup_{std::move(setup)}, takes_broadcasts_{takes_broadcasts},
      deadlines_{loop_}, batch_{[this](int error) { on_receive_error(error); }},
      ports_{loop_, deadlines_, batch_,
             [this](const auto& datagram, const auto& reply) {
               (void)if_memory_allows([&] { on_stranger(datagram, reply); });
             }},
      home_{loop_,
            deadlines_,
            ports_,
            shared.disk,
            SharedFiles{loop_, shared.disk},
            shared.log,
            counters_,
            [this](Session& session) { on_ended(session); },
            wire::encode_error(no_memory),
            {}} {
  for (auto& socket : sockets) {
    auto& listener = listeners_.emplace_back();
    const std::size_t index = listeners_.size() - 1;
    listener = std::make_unique<loop::Listener>(
        loop_, batch_, std::move(socket),
        [this, index](const loop::Datagram& datagram) { on_datagram(*listeners_[index], datagram); },
        [this](bool begins) { ports_.gather(begins); });
  }
}

Worker::~Worker() {
  on_empty_ = nullptr;
  deadlines_.cancel(giving_back_);
  listeners_.clear();
}

void Worker::use(std::shared_ptr<const Setup> setup) {
  loop_.post([this, setup = std::move(setup)]() mutable { setup_ = std::move(setup); });
}

void Worker::drain(std::function<void()> on_empty) {
  loop_.post([this, on_empty = std::move(on_empty)]() mutable {
    repeats_.clear();
    listeners_.clear();
    on_empty_ = std::move(on_empty);
    tell_when_empty();
  });
}

void Worker::end_sessions() {
  loop_.post([this] {
    std::vector<std::shared_ptr<Session>> all;
    for (const auto& [key, session] : sessions_)
      all.push_back(session);
    for (const auto& [raw, session] : replaced_)
      all.push_back(session);
    for (const auto& session : all)
      session->shut_down("the server is shutting down");
  });
}

void Worker::on_receive_error(int error) {
  shared_.log.write(observe::Level::error, "receiving failed",
                    {{"why", std::generic_category().message(error)}});
}

void Worker::on_datagram(loop::Listener& listener, const loop::Datagram& datagram) {
  if (!if_memory_allows([&] { take(listener, datagram); })) out_of_memory(listener, datagram);
}

// One request that there is no memory for; the others are served.
void Worker::out_of_memory(loop::Listener& listener, const loop::Datagram& datagram) {
  ++counters_.requests_refused;
  shared_.log.write(observe::Level::warning, "refused for want of memory");
  (void)listener.send_to(datagram.peer, datagram.local, home_.no_memory);
}

void Worker::take(loop::Listener& listener, const loop::Datagram& datagram) {
  if (datagram.broadcast && !takes_broadcasts_) return;
  if (impossible(datagram.peer)) {
    ++counters_.requests_ignored;
    return;
  }
  if (!setup_->terms->access.admits(datagram.peer)) return deny(datagram);
  auto parsed = wire::parse_request(datagram.bytes);
  if (std::holds_alternative<wire::NotARequest>(parsed)) {
    ++counters_.requests_ignored;
    return;
  }
  ++counters_.requests;
  if (const auto* reject = std::get_if<wire::Reject>(&parsed)) return refuse(listener, datagram, "", *reject);
  if (datagram.truncated)
    return refuse(listener, datagram, "",
                  {wire::ErrorCode::illegal_operation, "request longer than 2048 bytes"});
  on_request(listener, datagram, std::get<wire::Request>(std::move(parsed)));
}

// Without a word: who may not ask need not know that there is a server, nor be hit by its answers.
void Worker::deny(const loop::Datagram& datagram) {
  ++counters_.requests_denied;
  const auto step = setup_->terms->access.step(datagram.peer);
  if (!step) return;
  const auto parsed = wire::parse_request(datagram.bytes);
  const auto* request = std::get_if<wire::Request>(&parsed);
  const std::string file = request != nullptr ? request->filename : std::string{};
  const std::string peer = datagram.peer.to_string();
  shared_.log.write(observe::Level::info, "denied", {{"peer", peer}, {"file", file}, {"why", step->why}},
                    step->why);
}

void Worker::on_request(loop::Listener& listener, const loop::Datagram& datagram, wire::Request request) {
  if (request.op == wire::Operation::write)
    return refuse(listener, datagram, request.filename,
                  {wire::ErrorCode::access_violation, "this server takes no uploads"});
  const Key key{datagram.peer, datagram.local};
  auto previous = session_at(key);
  if (previous && previous->is_repeat(request))
    return look_again_at({&listener, datagram, std::move(request), previous});
  auto path = wire::clean_path(request.filename);
  if (const auto* reject = std::get_if<wire::Reject>(&path))
    return refuse(listener, datagram, request.filename, *reject);
  if (previous && !previous->proven()) {
    previous->drop();
    previous.reset();
  }
  Asked asked{shared_.next_id.fetch_add(1, std::memory_order_relaxed) + 1,
              std::move(request),
              std::get<std::string>(std::move(path)),
              datagram.peer,
              datagram.local,
              datagram.broadcast};
  begin(listener, key, std::move(asked), previous);
}

std::shared_ptr<Session> Worker::session_at(const Key& key) const {
  const auto at = sessions_.find(key);
  return at == sessions_.end() ? nullptr : at->second;
}

// A client with one port of its own acknowledges its last block and asks anew from there, perhaps for the
// same file. Those are two sockets here: its acknowledgement may not have been looked at yet. Two turns later
// it has been, and its former transfer is over.
void Worker::look_again_at(Repeat repeat) {
  repeats_.push_back(std::move(repeat));
  repeats_.back().about.bytes = {};
  if (repeats_.size() > 1) return;
  // Without memory for that it is now: nobody else would look at what is waiting.
  const auto look = [this] { look_at_repeats(); };
  const auto next_turn = [this, look] {
    if (!if_memory_allows([&] { loop_.post(look); })) look();
  };
  if (!if_memory_allows([&] { loop_.post(next_turn); })) look();
}

void Worker::look_at_repeats() {
  for (Repeat& repeat : std::exchange(repeats_, {})) {
    const auto session = session_at({repeat.about.peer, repeat.about.local});
    if (session && session == repeat.of.lock())
      session->on_repeated_request();
    else if (!if_memory_allows(
                 [&] { on_request(*repeat.listener, repeat.about, std::move(repeat.request)); }))
      out_of_memory(*repeat.listener, repeat.about);
  }
}

void Worker::begin(loop::Listener& listener, const Key& key, Asked asked,
                   const std::shared_ptr<Session>& previous) {
  std::string why;
  auto ticket = shared_.admission.admit(asked.peer, loop_.now(), why);
  if (!ticket) {
    ++counters_.requests_refused;
    shared_.log.write(observe::Level::warning, "refused by a limit",
                      {{"peer", asked.peer.to_string()}, {"file", asked.request.filename}, {"why", why}},
                      asked.peer.ip_string());
    (void)listener.send_to(asked.peer, asked.local, wire::encode_error({wire::ErrorCode::not_defined, why}));
    return;
  }
  auto session = std::make_shared<Session>(home_, setup_, std::move(asked), std::move(*ticket));
  if (previous) replaced_.emplace(previous.get(), previous);
  sessions_.insert_or_assign(key, session);  // with a previous one in its place: this needs no memory
  if (previous) session->replaces(previous);
  most_sessions_ = std::max(most_sessions_, sessions_.size());
  if (!giving_back_.is_set()) deadlines_.set_after(giving_back_, memory_interval);
  if (session->start() == 0) return;
  (void)listener.send_to(session->asked().peer, session->asked().local,
                         wire::encode_error({wire::ErrorCode::not_defined,
                                             "the server has no port for this transfer, try again later"}));
}

void Worker::refuse(loop::Listener& listener, const loop::Datagram& datagram, const std::string& file,
                    const wire::Reject& reject) {
  ++counters_.requests_refused;
  const std::string peer = datagram.peer.to_string();
  shared_.log.write(observe::Level::info, "refused", {{"peer", peer}, {"file", file}, {"why", reject.text}},
                    datagram.peer.ip_string());
  (void)listener.send_to(datagram.peer, datagram.local, wire::encode_error(reject));
}

// RFC 1350 section 4: a packet from a wrong TID is answered with ERROR 5 and disturbs nobody. An ERROR is
// never answered, or two hosts could go on for ever.
void Worker::on_stranger(const loop::Datagram& datagram, const loop::StrangerReply& reply) {
  ++counters_.strangers;
  const auto packet = wire::parse_packet(datagram.bytes);
  if (std::holds_alternative<wire::Error>(packet) || std::holds_alternative<wire::NotAPacket>(packet)) return;
  if (impossible(datagram.peer) || !setup_->terms->access.admits(datagram.peer)) return;
  (void)reply(wire::encode_error({wire::ErrorCode::unknown_tid, "unknown transfer ID"}));
}

void Worker::on_ended(Session& session) {
  const auto keep = session.shared_from_this();
  const Key key{session.asked().peer, session.asked().local};
  const auto at = sessions_.find(key);
  if (at != sessions_.end() && at->second.get() == &session) {
    const auto older = session.replaced();
    if (older && replaced_.erase(older.get()) > 0) {
      at->second = older;
    } else {
      sessions_.erase(at);
    }
  } else {
    replaced_.erase(&session);
  }
  tell_when_empty();
}

// The allocator keeps what a crowd of transfers needed until it is told to let go.
void Worker::give_back_memory() {
  if (most_sessions_ > few && sessions_.size() < most_sessions_ / 4) {
    most_sessions_ = sessions_.size();
    ::malloc_trim(0);
  }
  if (most_sessions_ > few || !sessions_.empty()) deadlines_.set_after(giving_back_, memory_interval);
}

void Worker::tell_when_empty() {
  if (on_empty_ && sessions_.empty() && replaced_.empty()) std::exchange(on_empty_, nullptr)();
}

}  // namespace tftpkit::serve
