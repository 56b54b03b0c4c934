// One event as one line, for people or for machines. Pure: it knows neither clock, file nor thread. Texts
// come from anywhere and leave harmless.
#pragma once

#include "observe/field.hpp"
#include "observe/log.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::observe {

struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::info;
  std::string_view message;
  std::span<const Field> fields{};
};

// Longer texts are cut here, in bytes of the original, so that one line cannot fill the queue.
inline constexpr std::size_t longest_text = 2048;

// 2026-11-23T09:16:23.120Z info    served file=a.txt bytes=12 agent="two words"\n
void append_text_line(std::string& out, const Line& line, bool colour);

// {"time":"2026-11-23T09:16:23.120Z","level":"info","message":"served","file":"a.txt"}\n
// What JSON cannot hold (a byte that is no UTF-8) is written \xNN inside the string; NaN and infinities are
// null.
void append_json_line(std::string& out, const Line& line);

}  // namespace tftpkit::observe
