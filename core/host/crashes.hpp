// Which plugins brought the server down. While it runs, a fatal signal or an exit() in the middle of a
// plugin's code leaves one line in a file; the next start reads it and leaves out who is there twice. Blame
// goes to the instance whose call the thread is in, else to the library that the thread's code or one of its
// callers belongs to. Knows nothing of restarts: systemd or an operator does those.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::host {

struct Crash {
  std::string plugin;
  std::int64_t when = 0;  // seconds since 1970
  std::string how;        // "SIGSEGV", "exit()"
};

// What was noted, one crash a line; a torn line is passed over.
std::vector<Crash> crashes_in(std::istream& lines);

// What the file of a state directory says; nothing when there is none.
std::vector<Crash> recorded_crashes(const std::filesystem::path& state_dir);

// Why this plugin is not to be used, if so: it crashed the server twice.
std::optional<std::string> quarantine_reason(std::span<const Crash> crashes, std::string_view plugin);

// Forgets the crashes of a plugin; a running server goes on to record. How many there were. Throws
// std::system_error when the file cannot be changed.
std::size_t forget_crashes(const std::filesystem::path& state_dir, std::string_view plugin);

// From now on to the process's end. The directory is made when it is missing: now if `make_now`, else by the
// first crash. Once in a process. False: nothing can be recorded there (errno says why).
bool record_crashes(const std::filesystem::path& state_dir, bool make_now);

// A stack of its own for signal handlers on this thread, so that an overflow of the other is recorded too.
// Nothing happens unless crashes are recorded.
void prepare_thread_for_crash() noexcept;

}  // namespace tftpkit::host
