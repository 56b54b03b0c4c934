// What is said at the control socket, as text: a line with a command there, lines of JSON back, the first of
// which says {"ok": ...}. Both ends of it; knows no socket and carries nothing out.
#pragma once

#include "config/json_text.hpp"
#include "config/problem.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::serve {

// A client's one line, from pieces as they come. What follows it is nobody's.
class CommandLine {
 public:
  static constexpr std::size_t longest = 4096;
  enum class State { open, whole, too_long };

  State take(std::string_view piece);
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  State state_ = State::open;
};

enum class Command { reload, plugins };

[[nodiscard]] std::optional<Command> command_from(std::string_view line) noexcept;
[[nodiscard]] std::string_view word(Command command) noexcept;

// The line is no command, and which there are.
[[nodiscard]] config::Problem no_command(std::string_view line);

struct CommandAnswer {
  bool ok = false;
  std::vector<config::JsonRow> rows;
};

[[nodiscard]] std::string text(const CommandAnswer& answer);
// One row for each; ok when there are none.
[[nodiscard]] CommandAnswer answer_of(const config::Problems& problems);
// nullopt: that is none.
[[nodiscard]] std::optional<CommandAnswer> answer_from(std::string_view text);

}  // namespace tftpkit::serve
