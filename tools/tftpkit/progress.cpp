#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace tftpkit::cli {

namespace {

constexpr std::uint64_t bar_width = 30;

std::string bar(std::uint64_t bytes, std::uint64_t whole) {
  const std::uint64_t filled = whole == 0 ? bar_width : std::min(bar_width, bytes * bar_width / whole);
  return "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " +
         std::to_string(whole == 0 ? 100 : bytes * 100 / whole) + " %";
}

}  // namespace

Progress::Progress() : terminal_{::isatty(STDERR_FILENO) == 1} {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::uint64_t bytes, std::optional<std::uint64_t> whole) {
  const auto now = Clock::now();
  if (!terminal_ || now - last_ < std::chrono::milliseconds{100}) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::fprintf(stderr, "\r\033[K%s  %.1f MB  %.1f MB/s", whole ? bar(bytes, *whole).c_str() : "", megabytes,
               megabytes / seconds);
  std::fflush(stderr);
}

}  // namespace tftpkit::cli
