#include "serve/commands.hpp"

#include "config/nearest.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace tftpkit::serve {

namespace {

constexpr std::array all_commands = {Command::reload, Command::plugins};

// nullopt: no such member, or not a true or false.
std::optional<bool> flag_in(const config::JsonRow& row, std::string_view key) {
  const auto found = std::ranges::find_if(row, [&](const auto& member) { return member.first == key; });
  const auto* flag = found == row.end() ? nullptr : std::get_if<bool>(&found->second);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

}  // namespace

CommandLine::State CommandLine::take(std::string_view piece) {
  if (state_ != State::open) return state_;
  const std::size_t end = piece.find('\n');
  const std::string_view more = piece.substr(0, end);
  if (text_.size() + more.size() > longest) return state_ = State::too_long;
  text_ += more;
  return state_ = end == std::string_view::npos ? State::open : State::whole;
}

std::string_view word(Command command) noexcept {
  return command == Command::reload ? "reload" : "plugins";
}

std::optional<Command> command_from(std::string_view line) noexcept {
  const auto* found = std::ranges::find(all_commands, line, word);
  return found == all_commands.end() ? std::nullopt : std::optional(*found);
}

config::Problem no_command(std::string_view line) {
  return {"", "", "there is no command " + config::in_quotes(line), "reload and plugins are"};
}

std::string text(const CommandAnswer& answer) {
  std::string lines = config::json_object({{"ok", answer.ok}}) + "\n";
  for (const auto& row : answer.rows)
    lines += config::json_object(row) + "\n";
  return lines;
}

CommandAnswer answer_of(const config::Problems& problems) {
  CommandAnswer answer{problems.empty(), {}};
  for (const auto& problem : problems)
    answer.rows.push_back({{"problem", config::text(problem)}});
  return answer;
}

std::optional<CommandAnswer> answer_from(std::string_view text) {
  std::optional<CommandAnswer> answer;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    auto row = config::json_row(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!row) return std::nullopt;
    if (answer) {
      answer->rows.push_back(std::move(*row));
    } else if (const auto ok = flag_in(*row, "ok")) {
      answer = CommandAnswer{*ok, {}};
    } else {
      return std::nullopt;
    }
  }
  return answer;
}

}  // namespace tftpkit::serve
