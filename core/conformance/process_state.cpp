#include "conformance/process_state.hpp"

#include <algorithm>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <malloc.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tftpkit::conformance {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Below this many in all rounds it is no leak of one in each round.
constexpr std::size_t few = 4;
// Less than the smallest allocation in each round is noise: threads come and go with memory of their own.
constexpr std::size_t noise_bytes = 2048;
constexpr std::size_t noise_bytes_each_round = 24;

std::set<int> descriptors() {
  std::set<int> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored))
    found.insert(std::atoi(entry.path().filename().c_str()));
  // The one that listed them is gone again.
  std::erase_if(found, [](int fd) { return !fs::is_symlink("/proc/self/fd/" + std::to_string(fd)); });
  return found;
}

std::size_t threads() {
  std::error_code ignored;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task", ignored), fs::directory_iterator{}));
}

std::size_t heap_bytes() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string plural(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace

Holdings holdings() {
  Holdings now{descriptors(), threads(), 0};
  now.heap_bytes = heap_bytes();
  return now;
}

Holdings settled_holdings(const Holdings& before) {
  const auto end = std::chrono::steady_clock::now() + 2s;
  for (;;) {
    Holdings now = holdings();
    const bool settled = now.threads <= before.threads &&
                         now.descriptors.size() <= before.descriptors.size() &&
                         now.heap_bytes <= before.heap_bytes + noise_bytes;
    if (settled || std::chrono::steady_clock::now() > end) return now;
    std::this_thread::sleep_for(5ms);
  }
}

Holdings calm_holdings() {
  std::size_t seen = threads();
  for (int same = 0, tries = 0; same < 5 && tries < 100; ++tries) {
    std::this_thread::sleep_for(10ms);
    const std::size_t now = threads();
    same = now == seen ? same + 1 : 0;
    seen = now;
  }
  return holdings();
}

std::string growth(const Holdings& before, const Holdings& after, std::size_t rounds) {
  const auto more = [](std::size_t now, std::size_t then) { return now > then ? now - then : 0; };
  std::vector<std::string> grown;
  if (const auto count = more(after.descriptors.size(), before.descriptors.size()); count > few)
    grown.push_back(plural(count, "descriptor"));
  if (const auto count = more(after.threads, before.threads); count > few)
    grown.push_back(plural(count, "thread"));
  if (const auto bytes = more(after.heap_bytes, before.heap_bytes);
      bytes > std::max(noise_bytes, rounds * noise_bytes_each_round))
    grown.push_back(plural(bytes, "byte") + " of memory");
  std::string text;
  for (const auto& one : grown)
    text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? text : text + " more after " + plural(rounds, "round");
}

std::string growth(const Holdings& before, const Holdings& half_way, const Holdings& after,
                   std::size_t rounds) {
  const auto more = [](std::size_t now, std::size_t then) { return now > then ? now - then : 0; };
  const std::size_t in_one_half =
      std::min(more(half_way.heap_bytes, before.heap_bytes), more(after.heap_bytes, half_way.heap_bytes));
  Holdings steady = after;
  // A leak leaves about half of it in each half.
  if (in_one_half < more(after.heap_bytes, before.heap_bytes) / 4) steady.heap_bytes = before.heap_bytes;
  return growth(before, steady, rounds);
}

std::string what_is(int descriptor) {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored).string();
}

Manners manners() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  std::error_code ignored;
  const char* locale = std::setlocale(LC_ALL, nullptr);
  std::string environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    environment += std::string(*entry) + "\n";
  return {{"the working directory", fs::current_path(ignored).string()},
          {"the umask", std::to_string(mask)},
          {"the locale", locale == nullptr ? "" : locale},
          {"the environment", environment}};
}

std::string signal_handlers() {
  std::string set;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction seen {};
    if (::sigaction(number, nullptr, &seen) != 0 || seen.sa_handler == SIG_DFL || seen.sa_handler == SIG_IGN)
      continue;
    const char* name = ::sigabbrev_np(number);
    set += (set.empty() ? "SIG" : ", SIG") + std::string(name != nullptr ? name : std::to_string(number));
  }
  return set;
}

}  // namespace tftpkit::conformance
