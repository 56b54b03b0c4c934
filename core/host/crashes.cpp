#include "host/crashes.hpp"

#include "host/code_ranges.hpp"
#include "host/frame.hpp"
#include "host/unique_fd.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>
#include <ucontext.h>
#include <unistd.h>

namespace tftpkit::host {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t crashes_allowed = 1;
constexpr std::array faults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

fs::path file_in(const fs::path& state_dir) {
  return state_dir / "plugin-crashes";
}

// Prepared while all is well: a signal handler may only read it.
struct Recorder {
  std::string parent;
  std::string directory;
  std::string file;
  std::atomic<int> fd{-1};
  std::atomic<bool> used{false};  // one line for one end
  std::array<struct sigaction, faults.size()> before{};
};

std::atomic<Recorder*> recorder{nullptr};
thread_local bool ran_plugin_calls = false;

int opened(const char* file) {
  return ::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

// ------------------------------------------------------------- in a signal handler: async-signal-safe only

class Line {
 public:
  void add(const char* text) noexcept {
    while (*text != '\0' && size_ < text_.size())
      text_[size_++] = *text++;
  }
  void add(std::int64_t number) noexcept {
    std::array<char, 24> digits{};
    std::size_t at = digits.size() - 1;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    add(&digits[at]);
  }
  void write_to(int fd) const noexcept { (void)!::write(fd, text_.data(), size_); }

 private:
  std::array<char, 160> text_{};
  std::size_t size_ = 0;
};

void note(const char* plugin, const char* how) noexcept {
  Recorder* const to = recorder.load();
  if (to == nullptr || plugin == nullptr || to->used.exchange(true)) return;
  int fd = to->fd.load();
  if (fd < 0) {
    ::mkdir(to->parent.c_str(), 0755);
    ::mkdir(to->directory.c_str(), 0755);
    fd = opened(to->file.c_str());
  }
  Line line;
  line.add(plugin);
  line.add(" ");
  line.add(static_cast<std::int64_t>(::time(nullptr)));
  line.add(" ");
  line.add(how);
  line.add("\n");
  line.write_to(fd);
}

const char* plugin_being_called() noexcept {
  for (const Frame* frame = Frame::current(); frame != nullptr; frame = frame->outer())
    if (frame->instance() != nullptr) return frame->instance()->description().name.c_str();
  return nullptr;
}

struct Place {
  std::uintptr_t code = 0;
  std::uintptr_t stack = 0;
};

Place place_of([[maybe_unused]] const void* context) noexcept {
#if defined(__x86_64__)
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(registers[REG_RIP]), static_cast<std::uintptr_t>(registers[REG_RSP])};
#elif defined(__aarch64__)
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  return {machine.pc, machine.sp};
#else
  return {};
#endif
}

// The innermost caller that is a plugin's. The kernel reads the stack for us: where it ends is no fault.
const char* plugin_on_stack(std::uintptr_t at) noexcept {
  static std::array<std::uintptr_t, 512> words;
  for (int piece = 0; piece < 16 && at != 0; ++piece, at += sizeof words) {
    const iovec into{words.data(), sizeof words};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is a register's value
    const iovec from{reinterpret_cast<void*>(at), sizeof words};
    const ssize_t got = ::process_vm_readv(::getpid(), &into, 1, &from, 1, 0);
    if (got <= 0) return nullptr;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof words[0]; ++i)
      if (const char* plugin = plugin_of_code(words[i])) return plugin;
    if (static_cast<std::size_t>(got) < sizeof words) return nullptr;
  }
  return nullptr;
}

const char* culprit(const void* context) noexcept {
  if (const char* plugin = plugin_being_called()) return plugin;
  const Place place = place_of(context);
  if (const char* plugin = plugin_of_code(place.code)) return plugin;
  // On a thread of ours the stack may hold addresses of calls that are long over.
  return ran_plugin_calls ? nullptr : plugin_on_stack(place.stack);
}

const char* name_of(int number) noexcept {
  switch (number) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGFPE: return "SIGFPE";
  case SIGILL: return "SIGILL";
  default: return "SIGABRT";
  }
}

// Notes who it was and leaves the rest to what was there before, as if nobody had looked.
void on_fault(int number, siginfo_t* info, void* context) {
  const bool sent = info->si_code <= 0;
  if (!sent || info->si_pid == ::getpid()) note(culprit(context), name_of(number));
  const auto at = static_cast<std::size_t>(std::find(faults.begin(), faults.end(), number) - faults.begin());
  ::sigaction(number, &recorder.load()->before[at], nullptr);
  if (sent) ::raise(number);
}

// -------------------------------------------------------------------------------------------------------

void on_exit() {
  note(plugin_being_called(), "exit()");
}

class SignalStack {
 public:
  SignalStack() noexcept {
    stack_t now{};
    if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
    memory_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return;
    const stack_t own{memory_, 0, size};
    ::sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    if (memory_ == MAP_FAILED) return;
    const stack_t none{nullptr, SS_DISABLE, 0};
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, size);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr std::size_t size = std::size_t{64}
                                      << 10;  // of address space; touched only when it is used
  void* memory_ = MAP_FAILED;
};

std::string time_text(std::int64_t when) {
  const std::time_t seconds = when;
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

std::optional<Crash> crash_of(const std::string& line) {
  std::istringstream in(line);
  Crash crash;
  if (in >> crash.plugin >> crash.when >> crash.how) return crash;
  return std::nullopt;  // a torn line, of a disk that was full
}

}  // namespace

std::vector<Crash> crashes_in(std::istream& lines) {
  std::vector<Crash> crashes;
  for (std::string line; std::getline(lines, line);)
    if (auto crash = crash_of(line)) crashes.push_back(std::move(*crash));
  return crashes;
}

std::vector<Crash> recorded_crashes(const fs::path& state_dir) {
  if (state_dir.empty()) return {};
  std::ifstream in(file_in(state_dir));
  return crashes_in(in);
}

std::optional<std::string> quarantine_reason(std::span<const Crash> crashes, std::string_view plugin) {
  std::size_t count = 0;
  const Crash* last = nullptr;
  for (const Crash& crash : crashes) {
    if (crash.plugin != plugin) continue;
    ++count;
    last = &crash;
  }
  if (count <= crashes_allowed) return std::nullopt;
  return "it crashed the server " + std::to_string(count) + " times, the last time by " +
         observe::escaped(last->how) + " at " + time_text(last->when) +
         "; when it is mended: tftpkit plugins release " + std::string(plugin);
}

// In place, since a running server has the file open to append to it.
std::size_t forget_crashes(const fs::path& state_dir, std::string_view plugin) {
  const fs::path file = file_in(state_dir);
  const auto fail = [&] { throw std::system_error(errno, std::generic_category(), file.string()); };
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd && errno == ENOENT) return 0;
  if (!fd || ::flock(fd.get(), LOCK_EX) != 0) fail();
  std::string kept;
  std::size_t forgotten = 0;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto crash = crash_of(line);
    if (crash && crash->plugin == plugin)
      ++forgotten;
    else
      kept += line + "\n";
  }
  if (forgotten == 0) return 0;
  if (::ftruncate(fd.get(), 0) != 0) fail();
  if (::write(fd.get(), kept.data(), kept.size()) != static_cast<ssize_t>(kept.size())) fail();
  return forgotten;
}

bool record_crashes(const fs::path& state_dir, bool make_now) {
  auto* made = new Recorder;  // for the process's whole life: a signal may come at any time
  made->parent = state_dir.parent_path().string();
  made->directory = state_dir.string();
  made->file = file_in(state_dir).string();
  std::error_code error;
  if (make_now) fs::create_directories(state_dir, error);
  if (make_now || fs::is_directory(state_dir, error)) made->fd = opened(made->file.c_str());
  const bool can_record = !make_now || made->fd >= 0;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < faults.size(); ++i)
    ::sigaction(faults[i], nullptr, &made->before[i]);
  recorder = made;
  for (const int number : faults)
    ::sigaction(number, &action, nullptr);
  std::atexit(on_exit);
  prepare_thread_for_crash();
  return can_record;
}

void prepare_thread_for_crash() noexcept {
  if (recorder.load(std::memory_order_relaxed) == nullptr) return;
  thread_local const SignalStack stack;
  ran_plugin_calls = true;
}

}  // namespace tftpkit::host
