#include "download.hpp"

#include "command.hpp"
#include "loop/sockets.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <utility>
#include <variant>
#include <vector>

namespace tftpkit::cli {

namespace {

using transfer::Clock;
using transfer::Outcome;

loop::Fd open_socket(const loop::Address& server) {
  loop::Fd fd{::socket(server.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) throw Failure(std::string{"no socket: "} + std::strerror(errno));
  // Room for a whole window; the kernel takes what it allows.
  const int room = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  return fd;
}

// Where packets to this server leave from, as the kernel sees it now; any port.
loop::Address source_towards(const loop::Address& server) {
  const loop::Fd probe = loop::udp_socket(server.family());
  if (!probe || !loop::connect_to(probe.get(), server)) return {};
  return loop::bound_address(probe.get()).with_port(0);
}

int poll_timeout(std::optional<transfer::TimePoint> deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

}  // namespace

Download::Download(const loop::Address& server, wire::Request request)
    : asked_{server}, request_{std::move(request)}, socket_{open_socket(server)},
      receiver_{request_, {}, Clock::now(), std::random_device{}()} {}

void Download::run(const Sink& sink) {
  for (;;) {
    answer();
    // The dally is for a server that did not get our last ACK; nobody wants to wait for it at a prompt.
    if (receiver_.outcome()) break;
    wait();
    while (receive_one(sink) && !receiver_.next_reply()) {
    }
    receiver_.on_deadline(Clock::now());
  }
  report_failure();
}

void Download::answer() {
  while (const auto reply = receiver_.next_reply()) {
    switch (reply->kind) {
    case transfer::Reply::Kind::opening:
      if (has_source()) send(wire::encode_request(request_), asked_);
      break;
    case transfer::Reply::Kind::ack: send(wire::encode_ack(reply->wire_block), *peer_); break;
    case transfer::Reply::Kind::error: send(wire::encode_error(receiver_.refusal()), *peer_); break;
    }
    receiver_.on_sent(Clock::now());
  }
}

// The server knows us by the address that asks, while the kernel would choose anew for every packet: an IPv6
// address becomes usable two seconds after its interface. Without any address yet the timer asks again.
bool Download::has_source() {
  if (source_.family() != loop::Family::none) return true;
  const auto source = source_towards(asked_);
  if (source.family() == loop::Family::none || !loop::bind_to(socket_.get(), source)) return false;
  source_ = source;
  return true;
}

// What does not leave counts as lost on the way: the timer sends it again.
void Download::send(std::span<const std::byte> packet, const loop::Address& to) {
  sockaddr_storage address{};
  const socklen_t length = to.to_sockaddr(address);
  (void)::sendto(socket_.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                 length);
}

void Download::wait() {
  pollfd ready{socket_.get(), POLLIN, 0};
  (void)::poll(&ready, 1, poll_timeout(receiver_.deadline()));
}

bool Download::receive_one(const Sink& sink) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const ssize_t got = ::recvfrom(socket_.get(), packet_.data(), packet_.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &length);
  if (got < 0) {
    if (errno == ECONNREFUSED) receiver_.on_unreachable(Clock::now());
    return false;
  }
  const auto peer = loop::Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&from), length);
  const auto packet = std::span{packet_}.first(static_cast<std::size_t>(got));
  if (from_server(peer)) {
    on_packet(packet, sink);
  } else if (!std::holds_alternative<wire::Error>(wire::parse_packet(packet))) {
    send(wire::encode_error({wire::ErrorCode::unknown_tid, ""}), peer);
  }
  return true;
}

// The first answer fixes the port; its address need not be the one asked (a multihomed server).
bool Download::from_server(const loop::Address& peer) {
  if (!peer_) peer_ = peer;
  return *peer_ == peer;
}

void Download::on_packet(std::span<const std::byte> packet, const Sink& sink) {
  const auto now = Clock::now();
  const auto parsed = wire::parse_packet(packet);
  if (const auto* data = std::get_if<wire::Data>(&parsed)) {
    if (receiver_.on_data(data->wire_block, data->payload.size(), now)) take(data->payload, sink);
  } else if (const auto* oack = std::get_if<wire::Oack>(&parsed)) {
    receiver_.on_oack(oack->options, now);
  } else if (const auto* error = std::get_if<wire::Error>(&parsed)) {
    server_text_ = error->text.empty() ? wire::words(error->code) : error->text;
    receiver_.on_error(error->code, now);
  }
}

void Download::take(std::span<const std::byte> payload, const Sink& sink) {
  if (request_.mode == wire::Mode::octet) return sink(payload);
  std::vector<std::byte> plain(payload.size() + 1);
  const auto done = netascii_.decode(payload, plain);
  std::size_t size = done.produced;
  if (receiver_.outcome()) size += netascii_.finish(std::span{plain}.subspan(size));
  sink(std::span{plain}.first(size));
}

void Download::report_failure() const {
  const auto outcome = *receiver_.outcome();
  if (outcome == Outcome::delivered) return;
  const std::string where = peer_.value_or(asked_).to_string();
  if (outcome == Outcome::client_error) throw Failure(where + " says: " + observe::escaped(server_text_));
  if (outcome == Outcome::refused) throw Failure(where + " answered wrongly: " + receiver_.refusal().text);
  if (outcome == Outcome::unreachable) throw Failure(where + ": nobody listens there");
  throw Failure(where + ": no answer for too long");
}

}  // namespace tftpkit::cli
