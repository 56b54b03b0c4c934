// The log of room observe without its thread: the same header. Lines of the server are kept for whoever looks
// into a failed seed, by --trace.
#include "observe/log.hpp"

#include "observe/line.hpp"
#include "trace.hpp"

namespace tftpkit::observe {

class Log::Core {};

Log::Log(const LogOptions&) {}
Log::~Log() = default;

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields,
                std::string_view subject) noexcept {
  write(level, message, std::span<const Field>(fields.begin(), fields.size()), subject);
}

void Log::write(Level level, std::string_view message, std::span<const Field> fields,
                std::string_view) noexcept {
  if (!sim::Trace::on()) return;
  std::string text;
  append_text_line(text, {{}, level, message, fields}, false);
  if (!text.empty()) text.pop_back();
  sim::Trace::say("log", text);
}

bool Log::enabled(Level) const noexcept {
  return sim::Trace::on();
}
void Log::set_level(Level) noexcept {}
void Log::flush() noexcept {}
void Log::reopen() noexcept {}
std::uint64_t Log::lost() const noexcept {
  return 0;
}

std::string_view name_of(Level level) noexcept {
  switch (level) {
  case Level::debug: return "debug";
  case Level::info: return "info";
  case Level::warning: return "warning";
  case Level::error: break;
  }
  return "error";
}

std::optional<Level> level_named(std::string_view) noexcept {
  return std::nullopt;
}

}  // namespace tftpkit::observe
