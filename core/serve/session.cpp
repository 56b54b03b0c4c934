#include "serve/session.hpp"

#include "serve/make_body.hpp"
#include "serve/without_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>
#include <variant>

namespace tftpkit::serve {

namespace {

constexpr std::chrono::milliseconds device_queue_pause{1};  // ENOBUFS: the queue empties within this
constexpr std::size_t data_header = 4;

// Failures of a send that say nothing about this transfer: what was lost is sent again by its timer.
bool counts_as_lost(int error) {
  return error == EPERM || error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
         error == EINTR;
}

std::uint16_t path_blksize(std::uint32_t path_payload) {
  if (path_payload == 0) return transfer::max_blksize;
  const std::uint32_t fits =
      path_payload > data_header ? path_payload - static_cast<std::uint32_t>(data_header) : 0;
  return static_cast<std::uint16_t>(
      std::clamp<std::uint32_t>(fits, transfer::min_blksize, transfer::max_blksize));
}

bool is_request(std::span<const std::byte> packet) {
  return packet.size() > 2 && packet[0] == std::byte{0} && packet[1] == std::byte{1};
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Session::Session(SessionHome& home, const std::shared_ptr<const Setup>& setup, Asked asked,
                 Admission::Ticket ticket)
    : home_{home}, terms_{setup->terms}, asked_{std::move(asked)}, ticket_{std::move(ticket)},
      began_{home.loop.now()}, deadline_{loop::Deadline::calls<&Session::on_deadline>(this)} {
  on_step_ = traced();
  if (const auto step = on_step_ ? terms_->access.step(asked_.peer) : std::nullopt) on_step_(*step);
  candidates_ = setup->routes.candidates(asked_.path, asked_.peer, on_step_);
}

Session::~Session() {
  home_.deadlines.cancel(deadline_);
}

void Session::replaces(const std::shared_ptr<Session>& previous) {
  previous_ = previous;
  previous->challenged_ = true;
}

int Session::start() {
  const auto self = shared_from_this();
  try {
    if (const int error = open_socket(); error != 0) return error;
    agree();
    open_source();
    return 0;
  } catch (const std::bad_alloc&) {
    end(host_failed, "out of memory");
    throw;
  }
}

// Memory that runs out in one step of this transfer ends it, and no other.
template <class Step>
void Session::with_memory(Step step) {
  const auto self = shared_from_this();
  if (!if_memory_allows(step)) out_of_memory();
}

void Session::out_of_memory() {
  if (ended_) return;
  (void)if_memory_allows([this] {
    if (may_send_error()) (void)socket_->send(home_.no_memory);
  });
  end(host_failed, "out of memory");
}

int Session::open_socket() {
  int error = 0;
  socket_ = loop::PeerSocket::open(home_.ports, asked_.local, asked_.peer, asked_.broadcast, *this, error);
  if (socket_) return 0;
  end(host_failed, "no socket for this transfer: " + errno_text(error));
  return error != 0 ? error : EIO;
}

void Session::agree() {
  transfer::Limits limits = terms_->protocol;
  // Without options the block is 512 bytes on every way.
  if (terms_->config.protocol.respect_path_mtu && !asked_.request.options.empty())
    limits.blksize_path = path_blksize(socket_->path_payload());
  agreement_ = transfer::negotiate(asked_.request, limits);
}

OnStep Session::traced() const {
  if (!terms_->trace || !terms_->trace->fits(asked_.path, asked_.peer)) return {};
  return [&log = home_.log, id = asked_.id, peer = asked_.peer.to_string(),
          file = asked_.request.filename](const Step& step) {
    log.write(observe::Level::info, "trace",
              {{"id", id},
               {"peer", peer},
               {"file", file},
               {"step", step.what},
               {"subject", step.subject},
               {"outcome", step.outcome},
               {"why", step.why}});
  };
}

void Session::open_source() {
  home_.deadlines.set_after(deadline_, terms_->config.answer_timeout);
  opening_ = std::make_shared<Opening>(home_.loop, std::move(candidates_),
                                       open_request(asked_, agreement_.terms, terms_->config.answer_timeout),
                                       terms_->config.explain_to_clients, on_step_);
  opening_->start(
      [self = shared_from_this()](Resolution resolution) { self->on_resolved(std::move(resolution)); });
}

void Session::on_resolved(Resolution resolution) {
  with_memory([&] {
    home_.deadlines.cancel(deadline_);
    opening_.reset();
    if (auto* found = std::get_if<Found>(&resolution)) return on_found(std::move(*found));
    on_not_found(std::get<NotFound>(resolution));
  });
}

void Session::on_not_found(const NotFound& not_found) {
  chain_ = not_found.chain;
  const bool at_fault = not_found.reject.code == wire::ErrorCode::not_defined;
  std::string why = not_found.explanation;
  if (!not_found.instance.empty()) why.insert(0, not_found.instance + ": ");
  refuse(not_found.reject, at_fault ? plugin_failed : refused, why);
}

void Session::on_found(Found found) {
  chain_ = std::move(found.chain);
  if (!ticket_.reserve(body_memory(found.source, agreement_.terms)))
    return refuse({wire::ErrorCode::not_defined, "the server is out of buffer memory, try again later"},
                  refused, "buffer memory: limits.buffer_memory is used up");
  const auto on_ready = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->with_memory([&] { self->pump(); });
  };
  try {
    body_ = make_body(std::move(found.source), agreement_.terms, chain_.back(),
                      {home_.loop, home_.disk, &home_.files, on_ready});
  } catch (const std::system_error& error) {
    return refuse({wire::ErrorCode::not_defined, "the plugin's descriptor cannot be read"}, plugin_failed,
                  chain_.back()->instance().name() + ": its descriptor cannot be read: " + error.what());
  } catch (const std::bad_alloc&) {
    return refuse({wire::ErrorCode::not_defined, "the server is out of memory, try again later"}, host_failed,
                  "out of memory for its buffers");
  }
  const auto options = transfer::oack_options(agreement_, body_->size());
  if (on_step_) on_step_(step_of(agreement_.terms, options));
  if (!options.empty()) oack_ = wire::encode_oack(options);
  sender_.emplace(agreement_.terms, terms_->retry, !options.empty(), home_.loop.now(), asked_.id);
  ++home_.counters.transfers_started;
  pump();
}

bool Session::is_repeat(const wire::Request& request) const {
  if (request.filename != asked_.request.filename || request.mode != asked_.request.mode) return false;
  return !proven();
}

void Session::on_repeated_request() {
  ++home_.counters.repeats_swallowed;
  if (!sender_) return;
  with_memory([this] {
    sender_->on_repeated_request(home_.loop.now());
    pump();
  });
}

void Session::on_writable() {
  with_memory([this] {
    blocked_ = false;
    pump();
  });
}

void Session::on_refused() {
  with_memory([this] {
    if (!sender_)
      return end(verdict_of(transfer::Outcome::unreachable),
                 "the client closed its port before it was answered");
    sender_->on_unreachable(home_.loop.now());
    pump();
  });
}

void Session::on_packet(std::span<const std::byte> packet) {
  with_memory([&] {
    understand(packet);
    pump();
  });
}

void Session::understand(std::span<const std::byte> packet) {
  const auto parsed = wire::parse_packet(packet);
  if (const auto* ack = std::get_if<wire::Ack>(&parsed)) return on_ack(ack->wire_block);
  if (const auto* error = std::get_if<wire::Error>(&parsed)) return on_client_error(*error);
  // GRUB sends its RRQ again to the transfer port when the answer was not what it expected.
  if (is_request(packet) && sender_ && !sender_->proven()) sender_->on_repeated_request(home_.loop.now());
}

void Session::on_ack(std::uint16_t wire_block) {
  if (!sender_) return;
  const std::uint64_t before = sender_->first_needed_byte();
  sender_->on_ack(wire_block, home_.loop.now());
  if (!sender_->proven()) return;
  settle_previous(true);
  if (sender_->first_needed_byte() > before) challenged_ = false;
}

void Session::on_client_error(const wire::Error& error) {
  client_text_ = error.text;
  if (sender_) return sender_->on_error(error.code, home_.loop.now());
  end(verdict_of(transfer::Outcome::client_error), "before it was answered: " + client_text_);
}

void Session::on_deadline() {
  with_memory([this] { on_time(); });
}

void Session::on_time() {
  if (opening_) return on_silent_plugin();
  if (!sender_) return;
  const auto now = home_.loop.now();
  if (!blocked_ && now >= source_due_) {
    const std::string& name = chain_.back()->instance().name();
    return refuse({wire::ErrorCode::not_defined, "the source of this file is too slow"}, plugin_failed,
                  name + ": no bytes within read_timeout");
  }
  if (!challenged_) sender_->on_deadline(now);
  pump();
}

void Session::on_silent_plugin() {
  const std::string name = opening_->asking();
  opening_->give_up({TFTPKIT_END_HOST, 0, {}, 0});
  opening_.reset();
  refuse({wire::ErrorCode::not_defined, "the server's plugin did not answer in time"}, plugin_failed,
         name + ": no answer within answer_timeout");
}

// The three steps after every event: feed the sender, send what it wants sent, be woken when it wants.
void Session::pump() {
  if (!sender_ || ended_) return;
  if (!sender_->outcome() && !feed()) return;
  bool took_all = true;
  while (!sender_->outcome() && !blocked_ && took_all) {
    const auto burst = sender_->next_burst(home_.loop.now());
    if (!burst) break;
    took_all = send(*burst);
  }
  if (ended_) return;
  if (const auto outcome = sender_->outcome()) return end(verdict_of(*outcome), client_text_);
  arm();
  if (!took_all && !blocked_) home_.deadlines.set_after(deadline_, device_queue_pause);
}

bool Session::feed() {
  body_->want(sender_->first_needed_byte(), sender_->last_needed_byte());
  if (const std::string* failure = body_->failure()) {
    refuse({wire::ErrorCode::not_defined, *failure}, plugin_failed,
           chain_.back()->instance().name() + ": " + *failure);
    return false;
  }
  sender_->on_source(body_->ready(), body_->ended(), home_.loop.now());
  watch_source();
  return true;
}

// The sender does not count the silence of a client whose window is not full: a source that brings nothing
// more would let it go on for ever.
void Session::watch_source() {
  const std::uint64_t before = std::exchange(fed_, body_->ready());
  if (!sender_->source_is_late())
    source_due_ = loop::TimePoint::max();
  else if (source_due_ == loop::TimePoint::max() || fed_ != before)
    source_due_ = home_.loop.now() + terms_->config.read_timeout;
}

// False: nothing more can leave now.
bool Session::send(const transfer::Burst& burst) {
  const bool oack = burst.kind == transfer::Burst::Kind::oack;
  loop::Sent sent = oack ? socket_->send(oack_) : send_blocks(burst);
  if (sent.status == loop::SendStatus::failed && counts_as_lost(sent.error)) {
    sent.segments = burst.count;
    sent.status = loop::SendStatus::ok;
  }
  if (sent.segments > 0) sender_->on_sent(static_cast<unsigned>(sent.segments), home_.loop.now());
  return after_send(sent);
}

loop::Sent Session::send_blocks(const transfer::Burst& burst) {
  const std::size_t count = std::min<std::size_t>(burst.count, home_.segments.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t block = burst.first + i;
    const auto extent = sender_->bytes_of(block);
    const Parts parts = body_->view(extent.offset, extent.length);
    home_.segments[i] = {wire::encode_data_header(sender_->wire_block(block)), {parts[0], parts[1], {}}};
  }
  return socket_->send_burst(std::span{home_.segments}.first(count));
}

bool Session::after_send(const loop::Sent& sent) {
  switch (sent.status) {
  case loop::SendStatus::ok: return true;
  case loop::SendStatus::would_block:
    blocked_ = true;
    socket_->await_writable();
    return false;
  case loop::SendStatus::no_buffers: return false;
  case loop::SendStatus::refused: sender_->on_unreachable(home_.loop.now()); return false;
  case loop::SendStatus::failed: break;
  }
  refuse({wire::ErrorCode::not_defined, "the server cannot send this"}, host_failed,
         "sending failed: " + errno_text(sent.error));
  return false;
}

void Session::arm() {
  const auto now = home_.loop.now();
  loop::TimePoint when = blocked_ ? loop::TimePoint::max() : source_due_;
  // While a newer request of this client waits for its proof our own repeats would only confuse it.
  if (const auto due = sender_->deadline())
    when = std::min(when, challenged_ ? std::max(*due, now + terms_->retry.initial) : *due);
  home_.deadlines.set(deadline_, when);
}

// Our client has shown which of its two requests it means.
void Session::settle_previous(bool client_goes_on) {
  const auto previous = previous_.lock();
  previous_.reset();
  if (!previous) return;
  if (client_goes_on) {
    previous->settle_previous(true);
    previous->end(began_anew, "");
  } else {
    previous->challenged_ = false;
  }
}

void Session::shut_down(const std::string& text) {
  with_memory([&] {
    if (opening_) opening_->give_up({TFTPKIT_END_SHUTDOWN, 0, {}, 0});
    opening_.reset();
    refuse({wire::ErrorCode::not_defined, text}, serve::shut_down, "");
  });
}

void Session::drop() {
  end(began_anew, "");
}

void Session::refuse(const wire::Reject& reject, const Verdict& verdict, const std::string& why) {
  if (ended_) return;
  send_error(reject);
  end(verdict, why);
}

// An address that has not proved itself and had its DATA has had all that it gets, or we would be an
// amplifier. A client that is there acknowledges the DATA, and hears then that nobody knows it any more.
bool Session::may_send_error() const {
  return socket_ && (!sender_ || sender_->proven() || sender_->counters().blocks_sent == 0);
}

void Session::send_error(const wire::Reject& reject) {
  if (may_send_error()) (void)socket_->send(wire::encode_error(reject));
}

void Session::end(const Verdict& verdict, const std::string& why) {
  if (std::exchange(ended_, true)) return;
  const auto self = shared_from_this();
  (void)if_memory_allows([&] {
    if (opening_) opening_->give_up({verdict.plugin_end, 0, {}, 0});
  });
  opening_.reset();
  home_.deadlines.cancel(deadline_);
  // A client that hears nothing for so long may still wait: it should learn that we do not.
  if (verdict.plugin_end == TFTPKIT_END_TIMEOUT && sender_ && sender_->proven())
    (void)if_memory_allows([this] {
      send_error({wire::ErrorCode::not_defined, "no acknowledgement for too long"});
    });
  ticket_ = {};  // whoever reads that this has ended may begin another
  host::Ending ending{verdict.plugin_end, 0, {}, 0};
  ending.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(home_.loop.now() - began_);
  if (sender_) {
    ending.bytes = sender_->acked_bytes();
    ending.resends = sender_->counters().resends;
    home_.counters.bytes_sent += sender_->counters().payload_bytes;
    home_.counters.blocks_sent += sender_->counters().blocks_sent;
    home_.counters.resends += sender_->counters().resends;
  }
  // Whoever reads the line finds it counted.
  ++(home_.counters.*verdict.counter);
  (void)if_memory_allows([&] { log_end(verdict, why); });
  body_.reset();
  for (const auto& transfer : std::exchange(chain_, {}))
    (void)if_memory_allows([&] { transfer->finish(ending); });
  socket_.reset();
  home_.on_ended(*this);
  settle_previous(false);
}

void Session::log_end(const Verdict& verdict, const std::string& why) const {
  if (!home_.log.enabled(verdict.level)) return;
  const auto seconds = std::chrono::duration<double>(home_.loop.now() - began_).count();
  const std::string peer = asked_.peer.to_string();
  std::vector<observe::Field> fields{{"id", asked_.id}, {"peer", peer}, {"file", asked_.request.filename}};
  if (!chain_.empty()) fields.emplace_back("instance", chain_.back()->instance().name());
  if (sender_) {
    fields.emplace_back("bytes", sender_->acked_bytes());
    fields.emplace_back("blocks", sender_->counters().blocks_sent);
    fields.emplace_back("resends", sender_->counters().resends);
    fields.emplace_back("blksize", std::uint64_t{agreement_.terms.blksize});
    fields.emplace_back("windowsize", std::uint64_t{agreement_.terms.windowsize});
  }
  fields.emplace_back("seconds", seconds);
  if (!why.empty()) fields.emplace_back("why", why);
  home_.log.write(verdict.level, verdict.words, fields);
}

}  // namespace tftpkit::serve
