// System calls that fail on request: preloaded into the real server by tests/run, which says in a shared file
// which call fails how often and with what errno, and reads how often it did. Knows nothing of TFTP.
// tests/run/tftplib/faults.py has the same table. Built with the same file offsets as the server, so that
// open() is open64() in both.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum Call : std::size_t {
  call_recvmmsg,
  call_sendmsg,
  call_sendmmsg,
  call_socket,
  call_bind,
  call_connect,
  call_epoll_add,
  call_openat2,
  call_preadv2,
  call_open,
  call_fstat,
  call_accept4,
  call_malloc,
  calls
};

// One for each call, as tftplib writes it. The first `after` matching calls succeed, the next `times` fail.
struct Rule {
  std::atomic<std::int64_t> about;  // the peer's port, the file's inode, the smallest size; 0: every call
  std::atomic<std::int32_t> error;  // an errno; 0: the call does less than it was asked to
  std::atomic<std::int32_t> after;
  std::atomic<std::int32_t> times;
  std::atomic<std::int32_t> hits;  // how often it has failed
};
static_assert(sizeof(Rule) == 24);

Rule* rules = nullptr;

__attribute__((constructor)) void attach() {
  const char* file = std::getenv("TFTPKIT_TEST_FAULTS");
  const long fd = file == nullptr ? -1 : ::syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void* memory =
      ::mmap(nullptr, sizeof(Rule) * calls, PROT_READ | PROT_WRITE, MAP_SHARED, static_cast<int>(fd), 0);
  ::close(static_cast<int>(fd));
  if (memory != MAP_FAILED) rules = static_cast<Rule*>(memory);
}

bool counted_down(std::atomic<std::int32_t>& number) noexcept {
  std::int32_t seen = number.load();
  while (seen > 0)
    if (number.compare_exchange_weak(seen, seen - 1)) return true;
  return false;
}

bool armed(Call call) noexcept {
  return rules != nullptr && rules[call].times.load() > 0;
}

// Shall this call fail? Then errno says how.
bool fails(Call call, std::int64_t about = 0) noexcept {
  if (!armed(call)) return false;
  Rule& rule = rules[call];
  const std::int64_t wanted = rule.about.load();
  const bool meant = wanted == 0 || (call == call_malloc ? about >= wanted : about == wanted);
  if (!meant || counted_down(rule.after) || !counted_down(rule.times)) return false;
  rule.hits.fetch_add(1);
  errno = rule.error.load();
  return true;
}

// The port that a message goes to; -1: it is none of the network.
std::int64_t port_of(const msghdr& message) noexcept {
  const auto* name = static_cast<const sockaddr*>(message.msg_name);
  if (name == nullptr) return -1;
  if (name->sa_family == AF_INET) return ntohs(static_cast<const sockaddr_in*>(message.msg_name)->sin_port);
  if (name->sa_family == AF_INET6)
    return ntohs(static_cast<const sockaddr_in6*>(message.msg_name)->sin6_port);
  return -1;
}

std::int64_t inode_of(int fd) noexcept {
  struct stat seen {};
  return ::syscall(SYS_fstat, fd, &seen) == 0 ? static_cast<std::int64_t>(seen.st_ino) : -1;
}

bool is_network(const sockaddr* address) noexcept {
  return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

// Instead of calling libc's own: what the wrapped call would have done.
template <class... Words>
int real(long number, Words... words) noexcept {
  return static_cast<int>(::syscall(number, words...));
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);  // NOLINT(bugprone-reserved-identifier): glibc's own name

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  const bool struck = fails(call_recvmmsg);
  if (struck && errno != 0) return -1;
  return real(SYS_recvmmsg, fd, messages, struck ? 1U : count, flags, timeout);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  const std::int64_t port = port_of(*message);
  if (port >= 0 && fails(call_sendmsg, port)) return -1;
  return real(SYS_sendmsg, fd, message, flags);
}

// As the kernel does it, what stands before the message that fails is sent.
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned sent = 0;
  while (sent < count && !fails(call_sendmmsg, port_of(messages[sent].msg_hdr)))
    ++sent;
  if (sent == 0 && errno != 0) return -1;
  return real(SYS_sendmmsg, fd, messages, sent == 0 ? 1U : sent, flags);
}

int socket(int domain, int type, int protocol) noexcept {
  if ((domain == AF_INET || domain == AF_INET6) && fails(call_socket)) return -1;
  return real(SYS_socket, domain, type, protocol);
}

int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  if (is_network(address) && fails(call_bind)) return -1;
  return real(SYS_bind, fd, address, length);
}

int connect(int fd, const sockaddr* address, socklen_t length) {
  if (is_network(address) && fails(call_connect)) return -1;
  return real(SYS_connect, fd, address, length);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (fails(call_accept4)) return -1;
  return real(SYS_accept4, fd, address, length, flags);
}

// Only what the kernel could refuse too: a descriptor that is in the set already needs no memory.
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  const int done = real(SYS_epoll_ctl, epoll, operation, fd, event);
  if (done != 0 || operation != EPOLL_CTL_ADD || !fails(call_epoll_add)) return done;
  const int error = errno;
  real(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, fd, event);
  errno = error;
  return -1;
}

ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  const bool struck = armed(call_preadv2) && fails(call_preadv2, inode_of(fd));
  if (struck && errno != 0) return -1;
  if (!struck) return real(SYS_preadv2, fd, parts, long{count}, offset, 0L, flags);
  const iovec little{parts->iov_base, parts->iov_len < 100 ? parts->iov_len : 100};
  return real(SYS_preadv2, fd, &little, 1L, offset, 0L, flags);
}

// Opening to read only: log files and the like are another matter.
bool opening_fails(int flags) noexcept {
  return (flags & (O_ACCMODE | O_PATH)) == O_RDONLY && fails(call_open);
}

int open(const char* file, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, int) : 0;
  va_end(more);
  return opening_fails(flags) ? -1 : real(SYS_openat, AT_FDCWD, file, flags, mode);
}

int openat(int directory, const char* file, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, int) : 0;
  va_end(more);
  return opening_fails(flags) ? -1 : real(SYS_openat, directory, file, flags, mode);
}

int fstat(int fd, struct stat* seen) noexcept {
  if (armed(call_fstat) && fails(call_fstat, inode_of(fd))) return -1;
  return real(SYS_fstat, fd, seen);
}

long syscall(long number, ...) noexcept {
  static const auto libc = reinterpret_cast<long (*)(long, ...)>(::dlsym(RTLD_NEXT, "syscall"));
  va_list more;
  va_start(more, number);
  long words[6];
  for (long& word : words)
    word = va_arg(more, long);
  va_end(more);
  if (number == SYS_openat2 && fails(call_openat2)) return -1;
  return libc(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

void* malloc(std::size_t size) noexcept {
  if (fails(call_malloc, static_cast<std::int64_t>(size))) return nullptr;
  return __libc_malloc(size);
}

}  // extern "C"
