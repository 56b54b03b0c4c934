// floor: what the kernel can do. Answers every RRQ and ACK with the next window of one file and knows nothing
// else: no name, no option is read, nothing is sent again, no time is kept. What it costs is the least that a
// server of this form can cost. Forms: one socket for all or one for each client; a window as single sends,
// as one sendmmsg for everything that a batch of ACKs asks for, or as GSO sends.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t gso_bytes = 65000;

struct Form {
  std::uint16_t port = 0;
  std::size_t blksize = 512;
  std::size_t windowsize = 1;
  bool own_sockets = false;
  std::string_view sends = "plain";  // plain, batched, gso
  const char* file = nullptr;        // none: every name is missing
};

struct File {
  const std::byte* bytes = nullptr;
  std::size_t size = 0;

  explicit File(const char* name) {
    if (name == nullptr) return;
    const int fd = ::open(name, O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) throw std::runtime_error("cannot read the file");
    size = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map the file");
    bytes = static_cast<const std::byte*>(mapped);
    ::close(fd);
  }
};

// Datagrams to be sent, as heads and pieces of the file; one sendmmsg or GSO send takes many.
class Outbox {
 public:
  Outbox(const Form& form, const File& file) : form_{&form}, file_{&file} {
    std::string options;
    const auto pair = [&](const char* name, std::size_t value) {
      options.append(name).push_back('\0');
      options.append(std::to_string(value)).push_back('\0');
    };
    if (form.blksize != 512) pair("blksize", form.blksize);
    if (form.windowsize != 1) pair("windowsize", form.windowsize);
    if (!options.empty()) oack_ = std::string{"\0\6", 2} + options;
    error_ = std::string{"\0\5\0\1File not found\0", 19};
  }

  void answer_request(int fd, const sockaddr_in* to) {
    if (file_->bytes == nullptr) return put(fd, to, error_);
    if (!oack_.empty()) return put(fd, to, oack_);
    window(fd, to, 1);
  }
  // Blocks from `first` on. False: the last one has been acknowledged.
  bool window(int fd, const sockaddr_in* to, std::size_t first) {
    const std::size_t last = file_->size / form_->blksize + 1;
    if (first > last) return false;
    const std::size_t end = std::min(first + form_->windowsize, last + 1);
    form_->sends == "gso" && end - first > 1 ? put_runs(fd, to, first, end) : put_blocks(fd, to, first, end);
    return true;
  }
  void flush(int fd) {
    for (std::size_t sent = 0; sent < used_;) {
      const int taken = ::sendmmsg(fd, messages_.data() + sent, static_cast<unsigned>(used_ - sent), 0);
      if (taken <= 0) break;
      sent += static_cast<std::size_t>(taken);
    }
    used_ = 0;
  }

 private:
  void put(int fd, const sockaddr_in* to, std::string_view bytes) {
    (void)::sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(to),
                   to == nullptr ? 0 : sizeof *to);
  }
  void put_blocks(int fd, const sockaddr_in* to, std::size_t first, std::size_t end) {
    for (std::size_t block = first; block < end; ++block) {
      if (used_ == batch) flush(fd);
      fill(used_, block);
      msghdr& header = messages_[used_].msg_hdr;
      header = {};
      header.msg_iov = parts_.data() + 2 * used_;
      header.msg_iovlen = 2;
      address(header, used_, to);
      ++used_;
      if (form_->sends == "plain") {
        (void)::sendmsg(fd, &header, 0);
        used_ = 0;
      } else if (form_->own_sockets && block + 1 == end) {
        flush(fd);
      }
    }
  }
  void put_runs(int fd, const sockaddr_in* to, std::size_t first, std::size_t end) {
    const std::size_t most = std::min(batch, gso_bytes / (form_->blksize + 4));
    for (std::size_t run = first; run < end; run += most) {
      const std::size_t count = std::min(most, end - run);
      for (std::size_t i = 0; i < count; ++i)
        fill(i, run + i);
      msghdr header{};
      header.msg_iov = parts_.data();
      header.msg_iovlen = 2 * count;
      address(header, 0, to);
      alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control{};
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* option = CMSG_FIRSTHDR(&header);
      option->cmsg_level = IPPROTO_UDP;
      option->cmsg_type = UDP_SEGMENT;
      option->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(form_->blksize + 4);
      std::memcpy(CMSG_DATA(option), &segment, sizeof segment);
      (void)::sendmsg(fd, &header, 0);
    }
  }
  void fill(std::size_t at, std::size_t block) {
    const std::size_t offset = (block - 1) * form_->blksize;
    heads_[at] = {std::byte{0}, std::byte{3}, static_cast<std::byte>(block >> 8U & 0xffU),
                  static_cast<std::byte>(block & 0xffU)};
    parts_[2 * at] = {heads_[at].data(), heads_[at].size()};
    parts_[2 * at + 1] = {const_cast<std::byte*>(file_->bytes + offset),
                          std::min(form_->blksize, file_->size - offset)};
  }
  void address(msghdr& header, std::size_t at, const sockaddr_in* to) {
    if (to == nullptr) return;
    names_[at] = *to;
    header.msg_name = &names_[at];
    header.msg_namelen = sizeof names_[at];
  }

  const Form* form_;
  const File* file_;
  std::string oack_, error_;
  std::array<std::array<std::byte, 4>, batch> heads_{};
  std::array<iovec, 2 * batch> parts_{};
  std::array<sockaddr_in, batch> names_{};
  std::array<mmsghdr, batch> messages_{};
  std::size_t used_ = 0;
};

unsigned opcode(const std::byte* packet) {
  return std::to_integer<unsigned>(packet[1]);
}
std::size_t block_of(const std::byte* packet) {
  return std::to_integer<std::size_t>(packet[2]) << 8U | std::to_integer<std::size_t>(packet[3]);
}

int bound_socket(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int bytes = 4 << 20;
  if (port != 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    throw std::runtime_error(std::string{"cannot bind: "} + std::strerror(errno));
  return fd;
}

struct Inbox {
  std::array<std::array<std::byte, 1024>, batch> bytes{};
  std::array<iovec, batch> parts{};
  std::array<sockaddr_in, batch> names{};
  std::array<mmsghdr, batch> messages{};

  std::size_t receive(int fd, std::size_t most, int flags) {
    for (std::size_t i = 0; i < most; ++i) {
      parts[i] = {bytes[i].data(), bytes[i].size()};
      messages[i].msg_hdr = {&names[i], sizeof names[i], &parts[i], 1, nullptr, 0, 0};
    }
    const int count = ::recvmmsg(fd, messages.data(), static_cast<unsigned>(most), flags, nullptr);
    return static_cast<std::size_t>(std::max(count, 0));
  }
};

[[noreturn]] void serve_from_one_socket(const Form& form, Outbox& outbox) {
  const int fd = bound_socket(form.port);
  Inbox inbox;
  const std::size_t most = form.sends == "plain" ? 1 : batch;
  while (true) {
    const std::size_t count = inbox.receive(fd, most, MSG_WAITFORONE);
    for (std::size_t i = 0; i < count; ++i) {
      const std::byte* packet = inbox.bytes[i].data();
      if (opcode(packet) == 1) outbox.answer_request(fd, &inbox.names[i]);
      if (opcode(packet) == 4) outbox.window(fd, &inbox.names[i], block_of(packet) + 1);
    }
    outbox.flush(fd);
  }
}

void open_session(int epoll, Outbox& outbox, const sockaddr_in& peer, bool missing) {
  const int fd = bound_socket(0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
    throw std::runtime_error("connect");
  if (!missing) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  outbox.answer_request(fd, nullptr);
  if (missing) ::close(fd);
}

void on_session(int fd, Outbox& outbox) {
  std::array<std::byte, 1024> packet{};
  const ssize_t got = ::recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
  if (got < 4) {
    if (got < 0 && errno == ECONNREFUSED) ::close(fd);
    return;
  }
  if (opcode(packet.data()) != 4 || !outbox.window(fd, nullptr, block_of(packet.data()) + 1)) ::close(fd);
}

[[noreturn]] void serve_from_own_sockets(const Form& form, const File& file, Outbox& outbox) {
  const int listener = bound_socket(form.port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events{};
  Inbox inbox;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        on_session(fd, outbox);
        continue;
      }
      const std::size_t requests = inbox.receive(listener, batch, MSG_DONTWAIT);
      for (std::size_t at = 0; at < requests; ++at)
        open_session(epoll, outbox, inbox.names[at], file.bytes == nullptr);
    }
  }
}

Form form_of(int argc, char** argv) {
  Form form;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const char* value = argv[i + 1];
    if (option == "--port")
      form.port = static_cast<std::uint16_t>(std::atoi(value));
    else if (option == "--blksize")
      form.blksize = static_cast<std::size_t>(std::atoi(value));
    else if (option == "--windowsize")
      form.windowsize = static_cast<std::size_t>(std::atoi(value));
    else if (option == "--sockets")
      form.own_sockets = std::string_view{value} == "own";
    else if (option == "--sends")
      form.sends = value;
    else if (option == "--file")
      form.file = value;
    else
      throw std::runtime_error("unknown option " + std::string{option});
  }
  if (form.port == 0)
    throw std::runtime_error("usage: floor --port N [--file F] [--blksize N] [--windowsize N] "
                             "[--sockets one|own] [--sends plain|batched|gso]");
  return form;
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{std::max<rlim_t>(limit.rlim_max, 70000), std::max<rlim_t>(limit.rlim_max, 70000)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Form form = form_of(argc, argv);
    const File file{form.file};
    Outbox outbox{form, file};
    raise_descriptor_limit();
    if (form.own_sockets) serve_from_own_sockets(form, file, outbox);
    serve_from_one_socket(form, outbox);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "floor: %s\n", error.what());
    return 2;
  }
}
