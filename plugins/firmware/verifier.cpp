#include "firmware/verifier.hpp"

#include "digest/sha256.hpp"
#include "kit/quiet_thread.hpp"
#include "kit/unique_fd.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::firmware {

namespace fs = std::filesystem;

std::optional<FileMark> mark_of(const fs::path& file) {
  struct stat seen {};
  if (::stat(file.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) return std::nullopt;
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return FileMark{seen.st_dev, seen.st_ino, static_cast<std::uint64_t>(seen.st_size),
                  nanoseconds(seen.st_mtim), nanoseconds(seen.st_ctim)};
}

void Verifier::start() {
  stopping_ = false;
  thread_ = kit::quiet_thread([this] { run(); });
}

void Verifier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Verifier::want(std::vector<Wanted> images) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Known> now;
  for (Wanted& wanted : images) {
    const std::string file = wanted.file;
    const auto before = known_.find(file);
    Known known;
    if (before != known_.end() && before->second.wanted.sha256 == wanted.sha256 &&
        before->second.verdict == Verdict::good)
      known = before->second;
    known.wanted = std::move(wanted);
    known.queued = true;  // also the good ones: their file may be another one by now
    now.insert_or_assign(file, std::move(known));
  }
  known_ = std::move(now);
  queue_.clear();
  for (const auto& [file, known] : known_)
    queue_.push_back(file);
  work_.notify_all();
}

Verifier::Verdict Verifier::verdict(const std::string& file, const std::string& sha256) {
  const auto mark = mark_of(root_ / file);
  const std::lock_guard lock(mutex_);
  const auto at = known_.find(file);
  if (at == known_.end() || at->second.wanted.sha256 != sha256) return Verdict::checking;
  Known& known = at->second;
  if (!mark) return Verdict::missing;
  if (known.mark && *known.mark == *mark && known.verdict != Verdict::checking) return known.verdict;
  known.verdict = Verdict::checking;
  if (!known.queued) {
    known.queued = true;
    queue_.push_front(file);
    work_.notify_all();
  }
  return Verdict::checking;
}

void Verifier::run() {
  for (;;) {
    Wanted wanted;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      const auto at = known_.find(queue_.front());
      queue_.pop_front();
      if (at == known_.end()) continue;
      at->second.queued = false;
      const auto mark = mark_of(root_ / at->first);
      if (at->second.verdict == Verdict::good && mark && at->second.mark == mark) continue;
      wanted = at->second.wanted;
    }
    look_at(wanted);
  }
}

void Verifier::look_at(const Wanted& wanted) {
  const fs::path file = root_ / wanted.file;
  const auto mark = mark_of(file);
  Verdict verdict = Verdict::wrong;
  std::string text;
  if (!mark) {
    verdict = Verdict::missing;
    text = "there is no such file";
  } else if (wanted.size && *wanted.size != mark->size) {
    text = fmt::format("it has {} bytes, and the catalogue says {}", mark->size, *wanted.size);
  } else {
    const auto hash = hash_of(file, text);
    if (!hash) return;
    if (text.empty() && *hash == wanted.sha256) verdict = Verdict::good;
    if (text.empty() && *hash != wanted.sha256)
      text = fmt::format("its SHA-256 is {}, and the catalogue says {}", *hash, wanted.sha256);
  }
  {
    const std::lock_guard lock(mutex_);
    const auto at = known_.find(wanted.file);
    // Another catalogue has come meanwhile, and has put the file into the queue itself.
    if (at == known_.end() || at->second.wanted.sha256 != wanted.sha256) return;
    at->second.verdict = verdict;
    at->second.mark = mark;
  }
  report_(wanted, verdict, text);
}

std::optional<std::string> Verifier::hash_of(const fs::path& file, std::string& error) {
  const kit::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  digest::Sha256 hash;
  std::vector<std::byte> buffer(1U << 20U);
  for (;;) {
    const ssize_t got = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
    if (got < 0) {
      error = std::string("it cannot be read: ") + std::strerror(errno);
      return std::string();
    }
    if (got == 0) return digest::text_of(hash.finish());
    hash.add(std::span(buffer).first(static_cast<std::size_t>(got)));
    const std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
  }
}

}  // namespace tftpkit::firmware
