#include "crowd.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>

namespace load {

namespace {

constexpr std::size_t ports_in_turn = 4;
constexpr std::size_t many = 2000;  // from so many clients on they have one port each: descriptors are few
constexpr std::size_t ports_of_one_address = 20000;  // of the 28,000 that are free; then comes 127.0.0.2

bool same(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

double since(Crowd::Clock::time_point then, Crowd::Clock::time_point now) {
  return std::chrono::duration<double>(now - then).count();
}

}  // namespace

Crowd::Crowd(const Options& options, const Content& content)
    : options_{&options}, content_{&content}, link_{options}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (epoll_ < 0) throw std::system_error{errno, std::generic_category(), "epoll"};
  server_.sin_family = AF_INET;
  server_.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.server.c_str(), &server_.sin_addr) != 1)
    throw std::runtime_error(options.server + " is no IPv4 address");
  in_addr from{htonl(INADDR_LOOPBACK)};
  if (!options.from.empty() && ::inet_pton(AF_INET, options.from.c_str(), &from) != 1)
    throw std::runtime_error(options.from + " is no IPv4 address");
  const in_addr_t first = ntohl(from.s_addr);
  const std::size_t ports = options.clients > many || options.hold ? 1 : ports_in_turn;
  members_.reserve(options.clients);
  for (std::size_t at = 0; at < options.clients; ++at) {
    members_.push_back({Client{options, content}, {}, 0, {}, false, false, false, {}, {}});
    for (std::size_t port = 0; port < ports; ++port) {
      const Socket& socket = members_[at].sockets.emplace_back();
      if (at >= ports_of_one_address || !options.from.empty())
        socket.bind(first + static_cast<in_addr_t>(at / ports_of_one_address));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = std::uint64_t{at} << 8U | port;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.fd(), &event) != 0)
        throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
    }
  }
}

Crowd::~Crowd() {
  ::close(epoll_);
}

Result Crowd::run() {
  began_ = now_ = asked_again_ = Clock::now();
  for (std::size_t at = 0; at < members_.size(); ++at)
    begin(at);
  std::array<epoll_event, 256> events{};
  while (!over()) {
    const int wait = link_.perfect() ? 50 : 1;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    now_ = Clock::now();
    for (int i = 0; i < count && result_.complaint.empty(); ++i)
      on_socket(events[static_cast<std::size_t>(i)].data.u64);
    carry();
    ask_again();
    if (options_->hold && held_ == members_.size()) wait_for_go();
  }
  result_.seconds = since(began_, now_);
  result_.complete = busy_ == 0;
  for (const Member& member : members_)
    if (member.busy) result_.blocks += member.client.blocks();
  return std::move(result_);
}

bool Crowd::over() const noexcept {
  return !result_.complaint.empty() || busy_ == 0 || since(began_, now_) >= options_->seconds;
}

void Crowd::begin(std::size_t at) {
  if (options_->transfers != 0 && begun_ >= options_->transfers) return;
  Member& member = members_[at];
  member.turn = (member.turn + 1) % member.sockets.size();
  member.peer_known = false;
  member.busy = true;
  member.began = member.news = now_;
  ++busy_;
  member.client.begin(begun_++);
  send(at);
}

void Crowd::send(std::size_t at) {
  const Member& member = members_[at];
  const auto bytes = member.client.answer();
  if (bytes.empty()) return;
  if (!link_.perfect()) return link_.put(way_of(at), true, bytes, now_);
  member.sockets[member.turn].send(bytes, member.peer_known ? member.peer : server_);
}

void Crowd::on_socket(std::uint64_t way) {
  const Member& member = members_[way >> 8U];
  bool more = true;
  while (more && result_.complaint.empty()) {
    more = inbox_.receive(member.sockets[way & 0xffU]);
    inbox_.each([&](std::span<const std::byte> datagram, const sockaddr_in& from) {
      on_datagram(way, datagram, from);
    });
  }
}

// What comes late, at a port that is not in use now or from another transfer's port, is let go.
void Crowd::on_datagram(std::uint64_t way, std::span<const std::byte> datagram, const sockaddr_in& from) {
  Member& member = members_[way >> 8U];
  if (!member.busy || (way & 0xffU) != member.turn) return;
  if (member.peer_known && !same(member.peer, from)) return;
  member.peer = from;
  member.peer_known = true;
  if (!link_.perfect()) return link_.put(way, false, datagram, now_);
  after(way >> 8U, member.client.on_datagram(datagram));
}

void Crowd::after(std::size_t at, Step step) {
  Member& member = members_[at];
  member.news = now_;
  switch (step) {
  case Step::waits: return;
  case Step::answers:
    if (options_->hold && !member.held) {
      member.held = true;
      ++held_;
      return;
    }
    return send(at);
  case Step::ends: return finish(at);
  case Step::wrong: result_.complaint = member.client.complaint();
  }
}

void Crowd::finish(std::size_t at) {
  Member& member = members_[at];
  send(at);
  member.busy = false;
  --busy_;
  ++result_.transfers;
  result_.blocks += member.client.blocks();
  result_.bytes += content_->size();
  result_.milliseconds.push_back(since(member.began, now_) * 1000);
  if (since(began_, now_) < options_->seconds) begin(at);
}

void Crowd::carry() {
  Link::Travelling arrived;
  while (link_.take(arrived, now_)) {
    Member& member = members_[arrived.way >> 8U];
    const bool current = (arrived.way & 0xffU) == member.turn;
    if (arrived.to_server)
      member.sockets[arrived.way & 0xffU].send(arrived.bytes,
                                               member.peer_known && current ? member.peer : server_);
    else if (current && member.busy)
      after(arrived.way >> 8U, member.client.on_datagram(arrived.bytes));
  }
}

void Crowd::ask_again() {
  if (since(asked_again_, now_) < 0.05) return;
  asked_again_ = now_;
  for (std::size_t at = 0; at < members_.size(); ++at) {
    Member& member = members_[at];
    if (!member.busy || since(member.news, now_) < options_->patience || (options_->hold && member.held))
      continue;
    ++result_.repeated;
    member.news = now_;
    send(at);
  }
}

// Every transfer is open and none goes on: time for somebody to look at the server.
void Crowd::wait_for_go() {
  std::puts("held");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  now_ = Clock::now();
  began_ = now_;
  held_ = 0;
  for (std::size_t at = 0; at < members_.size(); ++at)
    send(at);
}

}  // namespace load
