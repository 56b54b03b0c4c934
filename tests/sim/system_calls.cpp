// Where the linker leads the server's system calls (--wrap): descriptors of the simulated kernel go there,
// real ones (memory files and pipes of plugins) to the real kernel. The clock and the thread's own name are
// virtual.
#include "machine.hpp"

#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

using tftpkit::sim::Address;
using tftpkit::sim::Kernel;
using tftpkit::sim::Machine;

namespace {

bool ours(int fd) {
  return fd >= Kernel::first_fd && Machine::current() != nullptr;
}

Kernel& kernel() {
  return Machine::current()->kernel;
}

int answered(int result) {
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

}  // namespace

// NOLINTBEGIN(misc-definitions-in-headers)
#define WRAPS(name) __asm__("__wrap_" #name)
#define REAL(name) __asm__("__real_" #name)
extern "C" {
int sim_socket(int family, int type, int protocol) WRAPS(socket);
int sim_bind(int fd, const sockaddr* name, socklen_t length) WRAPS(bind);
int sim_connect(int fd, const sockaddr* name, socklen_t length) WRAPS(connect);
int sim_getsockname(int fd, sockaddr* name, socklen_t* length) WRAPS(getsockname);
int sim_setsockopt(int fd, int level, int option, const void* value, socklen_t length) WRAPS(setsockopt);
int sim_getsockopt(int fd, int level, int option, void* value, socklen_t* length) WRAPS(getsockopt);
int sim_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) WRAPS(recvmmsg);
ssize_t sim_recvmsg(int fd, msghdr* message, int flags) WRAPS(recvmsg);
ssize_t sim_sendmsg(int fd, const msghdr* message, int flags) WRAPS(sendmsg);
int sim_sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) WRAPS(sendmmsg);
int sim_close(int fd) WRAPS(close);
ssize_t sim_preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) WRAPS(preadv2);
int sim_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) WRAPS(epoll_ctl);
int sim_clock_gettime(clockid_t clock, timespec* time) noexcept WRAPS(clock_gettime);
pthread_t sim_pthread_self() WRAPS(pthread_self);

ssize_t real_recvmsg(int fd, msghdr* message, int flags) REAL(recvmsg);
ssize_t real_sendmsg(int fd, const msghdr* message, int flags) REAL(sendmsg);
int real_close(int fd) REAL(close);
ssize_t real_preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) REAL(preadv2);
int real_clock_gettime(clockid_t clock, timespec* time) noexcept REAL(clock_gettime);
pthread_t real_pthread_self() REAL(pthread_self);
}
std::chrono::steady_clock::time_point sim_now() WRAPS(_ZNSt6chrono3_V212steady_clock3nowEv);
std::chrono::steady_clock::time_point real_now() REAL(_ZNSt6chrono3_V212steady_clock3nowEv);
// NOLINTEND(misc-definitions-in-headers)

int sim_socket(int family, int, int) {
  return kernel().socket(family);
}

int sim_bind(int fd, const sockaddr* name, socklen_t length) {
  return answered(kernel().bind(fd, Address::from_sockaddr(name, length)));
}

int sim_connect(int fd, const sockaddr* name, socklen_t length) {
  return answered(kernel().connect(fd, Address::from_sockaddr(name, length)));
}

int sim_getsockname(int fd, sockaddr* name, socklen_t* length) {
  *length = kernel().name(fd).to_sockaddr(*reinterpret_cast<sockaddr_storage*>(name));
  return 0;
}

int sim_setsockopt(int fd, int level, int option, const void*, socklen_t) {
  if ((level == IPPROTO_IP && option == IP_RECVERR) || (level == IPPROTO_IPV6 && option == IPV6_RECVERR))
    kernel().queue_errors(fd);
  return 0;
}

int sim_getsockopt(int fd, int, int, void* value, socklen_t*) {
  *static_cast<int*>(value) = kernel().path_mtu(fd);
  return 0;
}

int sim_recvmmsg(int fd, mmsghdr* messages, unsigned count, int, timespec*) {
  return answered(kernel().receive(fd, {messages, count}));
}

ssize_t sim_recvmsg(int fd, msghdr* message, int flags) {
  if (!ours(fd)) return real_recvmsg(fd, message, flags);
  return answered((flags & MSG_ERRQUEUE) != 0 ? kernel().receive_error(fd, *message) : -EAGAIN);
}

ssize_t sim_sendmsg(int fd, const msghdr* message, int flags) {
  if (!ours(fd)) return real_sendmsg(fd, message, flags);
  return answered(kernel().send(fd, *message));
}

int sim_sendmmsg(int fd, mmsghdr* messages, unsigned count, int) {
  for (unsigned sent = 0; sent < count; ++sent) {
    const int result = kernel().send(fd, messages[sent].msg_hdr);
    if (result < 0) return sent > 0 ? static_cast<int>(sent) : answered(result);
    messages[sent].msg_len = static_cast<unsigned>(result);
  }
  return static_cast<int>(count);
}

int sim_close(int fd) {
  return ours(fd) ? kernel().close(fd) : real_close(fd);
}

// Whether the page cache has it is chance, not the state of this machine.
ssize_t sim_preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  if ((flags & RWF_NOWAIT) != 0 && Machine::current() != nullptr && !kernel().is_cached())
    return answered(-EAGAIN);
  return real_preadv2(fd, parts, count, offset, 0);
}

// The files of plugins were made a moment ago, and are old files in every world.
int sim_clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = real_clock_gettime(clock, time);
  if (Machine::current() != nullptr && clock == CLOCK_REALTIME_COARSE) time->tv_sec += 3600;
  return result;
}

// Who watches what is known to our libuv.
int sim_epoll_ctl(int, int, int, epoll_event*) {
  return 0;
}

pthread_t sim_pthread_self() {
  const Machine* machine = Machine::current();
  return machine == nullptr || machine->thread() == 0 ? real_pthread_self() : pthread_t{machine->thread()};
}

std::chrono::steady_clock::time_point sim_now() {
  const Machine* machine = Machine::current();
  return machine == nullptr ? real_now() : machine->timeline.now();
}
