#include "observe/line.hpp"

#include "observe/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <iterator>
#include <type_traits>

namespace tftpkit::observe {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// clang 14 does not deduce an aggregate's arguments by itself.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void append_number(std::string& out, auto number) {
  std::array<char, 32> digits{};
  const char* const end = [&] {
    if constexpr (std::is_floating_point_v<decltype(number)>)
      return std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::general,
                           6)
          .ptr;
    else
      return std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  }();
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// The text of a second serves for all lines of it.
struct SecondText {
  std::time_t second = -1;
  std::array<char, 32> text{};
};

void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  thread_local SecondText last;
  const auto since_epoch = floor<milliseconds>(time).time_since_epoch();
  const std::time_t second = floor<seconds>(since_epoch).count();
  if (second != last.second) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::strftime(last.text.data(), last.text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    last.second = second;
  }
  const auto milliseconds = (since_epoch - floor<seconds>(since_epoch)).count();
  out += last.text.data();
  out += static_cast<char>('0' + milliseconds / 100);
  out += static_cast<char>('0' + milliseconds / 10 % 10);
  out += static_cast<char>('0' + milliseconds % 10);
  out += 'Z';
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

// How many characters from the front are the same in every way of writing them.
std::size_t plain_length(std::string_view text) noexcept {
  const auto end = std::find_if(text.begin(), text.end(),
                                [](char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; });
  return static_cast<std::size_t>(end - text.begin());
}

bool needs_quotes(std::string_view escaped_text) noexcept {
  return escaped_text.empty() || escaped_text.find_first_of(" \"=") != std::string_view::npos;
}

void append_word(std::string& out, std::string_view text) {
  if (text.size() <= longest_text && plain_length(text) == text.size() && !needs_quotes(text)) {
    out += text;
    return;
  }
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
                        [&](auto number) { append_number(out, number); }},
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
  while (true) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
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
                          append_number(out, number);
                        },
                        [&](auto number) { append_number(out, number); }},
             value);
}

}  // namespace

void append_text_line(std::string& out, const Line& line, bool colour) {
  append_time(out, line.time);
  const std::string_view paint = colour ? colour_of(line.level) : std::string_view();
  const std::string_view level = name_of(line.level);
  out.append(1, ' ').append(paint).append(level).append(level.size() < 7 ? 7 - level.size() : 0, ' ');
  out.append(paint.empty() ? "" : "\x1b[0m").append(1, ' ').append(escaped(line.message, longest_text));
  for (const Field& field : line.fields) {
    out.append(1, ' ').append(field.key).append(1, '=');
    append_text_value(out, field.value);
  }
  out += '\n';
}

void append_json_line(std::string& out, const Line& line) {
  out += "{\"time\":\"";
  append_time(out, line.time);
  out.append("\",\"level\":\"").append(name_of(line.level)).append("\",\"message\":");
  append_json_text(out, line.message);
  for (const Field& field : line.fields) {
    out.append(",\"").append(field.key).append("\":");
    append_json_value(out, field.value);
  }
  out += "}\n";
}

}  // namespace tftpkit::observe
