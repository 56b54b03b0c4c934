#include "firmware/recorder.hpp"

#include "kit/quiet_thread.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::firmware {
namespace {

kit::UniqueFd opened(const std::filesystem::path& file) {
  return kit::UniqueFd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640));
}

bool is_still(int fd, const std::filesystem::path& file) {
  struct stat ours {
  }, there{};
  return ::fstat(fd, &ours) == 0 && ::stat(file.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void Recorder::start() {
  fd_ = opened(file_);
  if (!fd_)
    throw std::system_error(errno, std::generic_category(),
                            "the record " + file_.string() + " cannot be written");
  stopping_ = false;
  thread_ = kit::quiet_thread([this] { run(); });
}

void Recorder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Recorder::add(const Given& given) {
  std::string line = line_of(given) + "\n";
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= longest_queue) {
      ++left_out_;
      return;
    }
    queue_.push_back(std::move(line));
  }
  work_.notify_one();
}

void Recorder::run() {
  for (bool last = false; !last;) {
    std::deque<std::string> lines;
    std::uint64_t left_out = 0;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      lines.swap(queue_);
      left_out = std::exchange(left_out_, 0);
      last = stopping_;
    }
    if (left_out > 0) warn_("the record is too slow: " + std::to_string(left_out) + " lines were left out");
    if (!lines.empty()) write(lines);
  }
}

void Recorder::write(const std::deque<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line;
  const bool written = open_where_needed() && write_all(fd_.get(), text);
  if (!written && !std::exchange(in_trouble_, true))
    warn_("the record " + file_.string() + " cannot be written, lines are lost: " + std::strerror(errno));
  if (written) in_trouble_ = false;
}

bool Recorder::open_where_needed() {
  if (!fd_ || !is_still(fd_.get(), file_)) fd_ = opened(file_);
  return static_cast<bool>(fd_);
}

}  // namespace tftpkit::firmware
