// What we rely on, or work around, in libuv. One case per fact; the comment says who relies on it.
#include <doctest/doctest.h>
#include <uv.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Loop {
  Loop() { REQUIRE(uv_loop_init(&loop) == 0); }
  ~Loop() {
    uv_walk(
        &loop,
        [](uv_handle_t* handle, void*) {
          if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
        },
        nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  void turn() { uv_run(&loop, UV_RUN_NOWAIT); }
  uv_loop_t loop{};
};

int udp_on_loopback(sockaddr_in& name) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof name;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&name), length) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0);
  return fd;
}

struct Seen {
  int calls = 0, status = 0, events = 0;
};

void note(uv_poll_t* handle, int status, int events) {
  auto& seen = *static_cast<Seen*>(handle->data);
  ++seen.calls;
  seen.status = status;
  seen.events = events;
}

}  // namespace

// loop/poller starts the handle again after an error.
TEST_CASE("an ICMP error comes as UV_EBADF and stops the poll handle") {
  Loop loop;
  sockaddr_in gone{}, mine{};
  ::close(udp_on_loopback(gone));
  const int fd = udp_on_loopback(mine);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&gone), sizeof gone) == 0);
  Seen seen;
  uv_poll_t poll{};
  poll.data = &seen;
  REQUIRE(uv_poll_init(&loop.loop, &poll, fd) == 0);
  REQUIRE(uv_poll_start(&poll, UV_READABLE, note) == 0);
  REQUIRE(::send(fd, "x", 1, 0) == 1);
  loop.turn();
  CHECK(seen.calls == 1);
  CHECK(seen.status == UV_EBADF);
  CHECK(uv_is_active(reinterpret_cast<uv_handle_t*>(&poll)) == 0);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll), nullptr);
  loop.turn();
  ::close(fd);
}

// loop/poller: a descriptor may be closed as soon as its handle is closing, and its number used again.
TEST_CASE("a descriptor number can be watched again while the old handle is still closing") {
  Loop loop;
  sockaddr_in name{};
  const int fd = udp_on_loopback(name);
  uv_poll_t old_poll{}, new_poll{};
  Seen old_seen, new_seen;
  old_poll.data = &old_seen;
  new_poll.data = &new_seen;
  REQUIRE(uv_poll_init(&loop.loop, &old_poll, fd) == 0);
  REQUIRE(uv_poll_start(&old_poll, UV_READABLE, note) == 0);
  loop.turn();
  uv_close(reinterpret_cast<uv_handle_t*>(&old_poll), nullptr);
  ::close(fd);
  const int again = udp_on_loopback(name);
  REQUIRE(again == fd);
  REQUIRE(uv_poll_init(&loop.loop, &new_poll, again) == 0);
  REQUIRE(uv_poll_start(&new_poll, UV_READABLE, note) == 0);
  REQUIRE(::sendto(again, "x", 1, 0, reinterpret_cast<sockaddr*>(&name), sizeof name) == 1);
  loop.turn();
  CHECK(old_seen.calls == 0);
  CHECK(new_seen.calls == 1);
  CHECK(new_seen.events == UV_READABLE);
  uv_close(reinterpret_cast<uv_handle_t*>(&new_poll), nullptr);
  loop.turn();
  ::close(again);
}

// loop/deadlines computes libuv's relative timeouts from steady_clock.
TEST_CASE("libuv's time and steady_clock are one clock, libuv's not ahead") {
  Loop loop;
  for (int round = 0; round < 1000; ++round) {
    const auto milliseconds = [] {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count());
    };
    const std::uint64_t before = milliseconds();
    uv_update_time(&loop.loop);
    const std::uint64_t libuv = uv_now(&loop.loop);
    REQUIRE(libuv <= milliseconds());
    REQUIRE(libuv + 4 >= before);  // the coarse clock of a kernel with 250 ticks a second
  }
}

// loop/deadlines reads the clock anew in its timer: otherwise this would never end.
TEST_CASE("a timer that sets itself to 0 in its callback is called again in the same turn") {
  Loop loop;
  struct Again {
    uv_timer_t timer{};
    int calls = 0;
  } again;
  again.timer.data = &again;
  uv_timer_init(&loop.loop, &again.timer);
  static constexpr auto on_timer = [](uv_timer_t* handle) {
    auto& self = *static_cast<Again*>(handle->data);
    const auto next = [](uv_timer_t* inner) { ++static_cast<Again*>(inner->data)->calls; };
    if (++self.calls == 1) uv_timer_start(handle, next, 0, 0);
  };
  uv_timer_start(&again.timer, on_timer, 0, 0);
  loop.turn();
  CHECK(again.calls == 2);
  uv_close(reinterpret_cast<uv_handle_t*>(&again.timer), nullptr);
  loop.turn();
}

// The reason why no socket of ours is a uv_udp_t.
TEST_CASE("uv_udp_open sets SO_REUSEADDR behind the caller's back") {
  Loop loop;
  sockaddr_in name{};
  const int fd = udp_on_loopback(name);
  uv_udp_t udp{};
  REQUIRE(uv_udp_init(&loop.loop, &udp) == 0);
  REQUIRE(uv_udp_open(&udp, fd) == 0);
  int on = 0;
  socklen_t length = sizeof on;
  REQUIRE(::getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &length) == 0);
  CHECK(on == 1);
  uv_close(reinterpret_cast<uv_handle_t*>(&udp), nullptr);
  loop.turn();
}

// loop/loop: work posted while nobody runs the loop is not lost.
TEST_CASE("uv_async_send before the first run and many sends in a row give one call") {
  Loop loop;
  int calls = 0;
  uv_async_t async{};
  async.data = &calls;
  REQUIRE(uv_async_init(&loop.loop, &async, [](uv_async_t* handle) { ++*static_cast<int*>(handle->data); }) ==
          0);
  for (int count = 0; count < 10; ++count)
    uv_async_send(&async);
  loop.turn();
  CHECK(calls == 1);
  uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
  loop.turn();
}
