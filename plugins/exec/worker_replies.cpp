// What a serving program writes: lines, and bytes behind them.
#include "exec/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utility>

namespace tftpkit::exec {
namespace {

constexpr std::size_t longest_line = std::size_t{256} << 10U;
constexpr std::size_t most_descriptors = 64;
constexpr int reads_in_a_row = 16;

// Takes the descriptors out of a message.
void collect(const msghdr& message, std::deque<kit::UniqueFd>& into) {
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

}  // namespace

void Worker::receive() {
  for (int i = 0; out_ && i < reads_in_a_row; ++i) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 16)> control{};
    iovec part{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(out_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      close(out_);
      silent_since_ = Clock::now();
      return;
    }
    collect(message, descriptors_);
    if (broken_) continue;
    heard_ = Clock::now();
    understand({buffer_.data(), static_cast<std::size_t>(count)});
    if (descriptors_.size() > most_descriptors) break_off("it sent descriptors that no answer speaks of");
  }
}

void Worker::understand(std::string_view bytes) {
  while (!bytes.empty() && !broken_) {
    if (incoming_)
      take_bytes(bytes);
    else
      take_line(bytes);
  }
}

void Worker::take_bytes(std::string_view& bytes) {
  const std::string_view part = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), incoming_->left));
  bytes.remove_prefix(part.size());
  incoming_->left -= part.size();
  const auto place = asked_.find(incoming_->id);
  if (place != asked_.end()) {
    try {
      incoming_->body.add(part);
    } catch (const std::exception& failed) {
      finish(place, error(Status::no_space, failed.what()));
    }
  }
  if (incoming_->left != 0) return;
  Incoming whole = std::move(*incoming_);
  incoming_.reset();
  if (const auto still = asked_.find(whole.id); still != asked_.end()) finish(still, whole.body.take());
}

void Worker::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  if (line_.size() > longest_line) return break_off("it wrote a line of more than 256 KiB");
  bytes.remove_prefix(std::min(end, bytes.size() - 1) + 1);
  if (end == std::string_view::npos) return;
  const std::string line = std::exchange(line_, std::string());
  try {
    obey(reply_from(line));
  } catch (const std::invalid_argument& wrong) {
    break_off("it wrote no answer: " + std::string(wrong.what()) + "; its line: " + line.substr(0, 200));
  }
}

void Worker::obey(const Reply& reply) {
  const auto place = asked_.find(reply.id);
  const bool is_asked = place != asked_.end();
  if (!is_asked && given_up_.erase(reply.id) == 0)
    return break_off("it answered request " + std::to_string(reply.id) +
                     ", which it has not or has answered already");
  if (reply.kind == Reply::Kind::bytes) {
    const bool fits = reply.size <= settings_.max_size;
    if (is_asked && !fits) finish(place, answer_of(reply));
    if (reply.size > 0)
      incoming_.emplace(Incoming{reply.id, reply.size, Body(settings_.spool)});
    else if (is_asked)
      finish(place, text(""));
    return;
  }
  Answer answer = answer_of(reply);  // takes its descriptor out, wanted or not
  if (is_asked) finish(place, std::move(answer));
}

Answer Worker::answer_of(const Reply& reply) {
  switch (reply.kind) {
  case Reply::Kind::text: return text(reply.text);
  case Reply::Kind::redirect: return redirect(reply.text);
  case Reply::Kind::declined: return declined(reply.text);
  case Reply::Kind::failed: return error(reply.status, reply.text);
  case Reply::Kind::descriptor: return file_answer(next_descriptor(), "its descriptor");
  case Reply::Kind::bytes: return too_large();
  case Reply::Kind::file: break;
  }
  if (!reply.text.starts_with('/')) return error(Status::io, "the program names a file by a relative path");
  kit::UniqueFd fd(::open(reply.text.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    host_.log(Level::warning, "the program's file " + reply.text + ": " + std::strerror(errno));
    return error(Status::io, "the program's file cannot be opened");
  }
  return file_answer(std::move(fd), "its file " + reply.text);
}

Answer Worker::too_large() const {
  return error(Status::no_space,
               "the program gave more than its limit of " + std::to_string(settings_.max_size) + " bytes");
}

kit::UniqueFd Worker::next_descriptor() {
  if (descriptors_.empty()) return kit::UniqueFd();
  kit::UniqueFd fd = std::move(descriptors_.front());
  descriptors_.pop_front();
  return fd;
}

// Regular files alone: whatever else the program could keep waiting for ever.
Answer Worker::file_answer(kit::UniqueFd fd, const std::string& what) const {
  struct stat seen {};
  if (!fd || ::fstat(fd.get(), &seen) != 0 || !S_ISREG(seen.st_mode)) {
    host_.log(Level::warning,
              "the program answered with " + what + (fd ? ", which is no regular file" : ", and sent none"));
    return error(Status::io, "the program answered with no file");
  }
  const auto size = static_cast<std::uint64_t>(seen.st_size);
  if (size > settings_.max_size) return too_large();
  return file(fd.release(), size);
}

}  // namespace tftpkit::exec
