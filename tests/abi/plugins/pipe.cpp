// "pattern/N" and "zeros/N" through a pipe that a thread fills. "sized/..." tells the size, otherwise it is
// unknown.
#include "content.h"

#include <tftpkit/plugin.hpp>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <pthread.h>
#include <thread>

namespace {

// Writes until the reader is gone. SIGPIPE is held back in this thread: a guest changes nobody's handlers.
void write_content(int fd, std::uint64_t size, int zeros) {
  sigset_t pipes;
  sigemptyset(&pipes);
  sigaddset(&pipes, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
  std::array<unsigned char, 16384> part{};
  std::uint64_t at = 0;
  while (at < size) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, part.size()));
    fill_content(part.data(), at, count, zeros);
    const ssize_t n = ::write(fd, part.data(), count);
    if (n <= 0) break;
    at += static_cast<std::uint64_t>(n);
  }
  ::close(fd);
}

}  // namespace

class Pipe : public tftpkit::Plugin {
 public:
  tftpkit::Answer open(const tftpkit::Request& request) {
    std::string path(request.path());
    const bool sized = path.starts_with("sized/");
    if (sized) path.erase(0, 6);
    std::uint64_t size = 0;
    int zeros = 0;
    if (parse_content(path.c_str(), &size, &zeros) == 0) return tftpkit::declined();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw tftpkit::Failure(tftpkit::Status::unavailable, "no pipe");
    run(ends[1], size, zeros);
    return tftpkit::file(ends[0], sized ? size : TFTPKIT_SIZE_UNKNOWN);
  }

  // The host has closed every read end by then, so all writers end.
  void stop() {
    std::unique_lock lock(mutex_);
    none_left_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void run(int fd, std::uint64_t size, int zeros) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    std::thread([this, fd, size, zeros] {
      write_content(fd, size, zeros);
      const std::lock_guard lock(mutex_);
      --running_;
      none_left_.notify_all();
    }).detach();
  }

  std::mutex mutex_;
  std::condition_variable none_left_;
  int running_ = 0;
};
TFTPKIT_PLUGIN_CLASS(Pipe, {.name = "pipe",
                            .version = "1.0",
                            .summary = "Bytes through a pipe",
                            .execution = tftpkit::Execution::parallel})
