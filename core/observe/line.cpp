#include "observe/line.hpp"

#include "observe/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iterator>

namespace tftpkit::observe {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// clang 14 does not deduce an aggregate's arguments by itself.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto since_epoch = floor<milliseconds>(time).time_since_epoch();
  const std::time_t seconds_since_epoch = floor<seconds>(since_epoch).count();
  std::tm parts{};
  gmtime_r(&seconds_since_epoch, &parts);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 (since_epoch - floor<seconds>(since_epoch)).count());
}

std::string_view colour_of(Level level) noexcept {
  switch (level) {
  case Level::debug: return "\x1b[2m";
  case Level::info: return "";
  case Level::warning: return "\x1b[33m";
  case Level::error: return "\x1b[31m";
  }
  return "";
}

bool needs_quotes(std::string_view escaped_text) noexcept {
  return escaped_text.empty() || escaped_text.find_first_of(" \"=") != std::string_view::npos;
}

void append_word(std::string& out, std::string_view text) {
  const std::string safe = escaped(text, longest_text);
  if (!needs_quotes(safe)) {
    out += safe;
    return;
  }
  out += '"';
  for (const char c : safe) {
    if (c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

void append_text_value(std::string& out, const Field::Value& value) {
  std::visit(Overloaded{[&](std::string_view text) { append_word(out, text); },
                        [&](bool yes) { out += yes ? "true" : "false"; },
                        [&](double number) { fmt::format_to(std::back_inserter(out), "{:.6g}", number); },
                        [&](auto number) { fmt::format_to(std::back_inserter(out), "{}", number); }},
             value);
}

void append_json_character(std::string& out, std::string_view character, std::string_view shown) {
  if (character == "\"") {
    out += "\\\"";
  } else if (shown.starts_with("\\x") && static_cast<unsigned char>(character[0]) < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(character[0]));
  } else if (shown.starts_with("\\x")) {
    for (const char c : shown)
      out += c == '\\' ? std::string_view("\\\\") : std::string_view(&c, 1);
  } else {
    out += shown;  // a backslash comes doubled from escaped(), which is what JSON wants
  }
}

void append_json_text(std::string& out, std::string_view text) {
  const bool cut = text.size() > longest_text;
  if (cut) text = text.substr(0, longest_text);
  out += '"';
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
    append_json_character(out, character, escaped(character));
    text.remove_prefix(character.size());
  }
  out += cut ? "...\"" : "\"";
}

void append_json_value(std::string& out, const Field::Value& value) {
  std::visit(Overloaded{[&](std::string_view text) { append_json_text(out, text); },
                        [&](bool yes) { out += yes ? "true" : "false"; },
                        [&](double number) {
                          if (!std::isfinite(number)) {
                            out += "null";
                            return;
                          }
                          fmt::format_to(std::back_inserter(out), "{:.6g}", number);
                        },
                        [&](auto number) { fmt::format_to(std::back_inserter(out), "{}", number); }},
             value);
}

}  // namespace

void append_text_line(std::string& out, const Line& line, bool colour) {
  append_time(out, line.time);
  const std::string_view paint = colour ? colour_of(line.level) : std::string_view();
  fmt::format_to(std::back_inserter(out), " {}{:<7}{} ", paint, name_of(line.level),
                 paint.empty() ? "" : "\x1b[0m");
  out += escaped(line.message, longest_text);
  for (const Field& field : line.fields) {
    fmt::format_to(std::back_inserter(out), " {}=", field.key);
    append_text_value(out, field.value);
  }
  out += '\n';
}

void append_json_line(std::string& out, const Line& line) {
  out += "{\"time\":\"";
  append_time(out, line.time);
  fmt::format_to(std::back_inserter(out), "\",\"level\":\"{}\",\"message\":", name_of(line.level));
  append_json_text(out, line.message);
  for (const Field& field : line.fields) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":", field.key);
    append_json_value(out, field.value);
  }
  out += "}\n";
}

}  // namespace tftpkit::observe
