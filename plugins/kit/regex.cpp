#include "kit/regex.hpp"

#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace tftpkit::kit {

Regex::Regex(const std::string& pattern, bool ignore_case) {
  auto regex = std::make_unique<regex_t>();
  const int error = ::regcomp(regex.get(), pattern.c_str(), REG_EXTENDED | (ignore_case ? REG_ICASE : 0));
  if (error == 0) {
    regex_.reset(regex.release());
    return;
  }
  char reason[128];
  ::regerror(error, regex.get(), reason, sizeof reason);
  throw std::invalid_argument(reason);
}

void Regex::Free::operator()(regex_t* regex) const noexcept {
  ::regfree(regex);
  delete regex;
}

bool Regex::finds(const std::string& subject, std::span<regmatch_t> groups) const noexcept {
  return ::regexec(regex_.get(), subject.c_str(), groups.size(), groups.data(), 0) == 0;
}

std::string group_text(const std::string& subject, const regmatch_t& group) {
  if (group.rm_so < 0) return {};
  return subject.substr(static_cast<std::size_t>(group.rm_so),
                        static_cast<std::size_t>(group.rm_eo - group.rm_so));
}

namespace {

constexpr std::size_t longest_pattern = 1000;
constexpr std::uint64_t most_repetitions = 10'000;

// The largest count of "{2}", "{2,}" or "{2,5}" at `at`; 1 when it is none.
std::uint64_t repetitions_at(std::string_view pattern, std::size_t at) noexcept {
  const std::size_t end = pattern.find('}', at);
  if (end == std::string_view::npos) return 1;
  std::uint64_t most = 1;
  for (std::string_view inside = pattern.substr(at + 1, end - at - 1); !inside.empty();) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), number);
    if (error == std::errc() && number > most) most = number;
    const std::size_t comma = inside.find(',');
    inside = comma == std::string_view::npos ? std::string_view() : inside.substr(comma + 1);
  }
  return most;
}

std::optional<RegexComplaint> escape_complaint(char escaped) {
  const std::string shown = std::string("\"\\") + escaped + "\"";
  if (escaped >= '1' && escaped <= '9')
    return RegexComplaint{shown + " refers to a group, which may take time without bounds",
                          "write what the group may be once more"};
  if (escaped == 'd') return RegexComplaint{"\"\\d\" is not known in POSIX expressions", "write [0-9]"};
  if (escaped == 'D') return RegexComplaint{"\"\\D\" is not known in POSIX expressions", "write [^0-9]"};
  return std::nullopt;
}

}  // namespace

std::optional<RegexComplaint> regex_complaint(std::string_view pattern) {
  if (pattern.size() > longest_pattern)
    return RegexComplaint{"the expression is too long",
                          "write at most " + std::to_string(longest_pattern) + " bytes"};
  std::uint64_t repetitions = 1;
  bool in_set = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (in_set) {
      in_set = c != ']' || pattern[i - 1] == '[' || pattern.substr(i - 2, 2) == "[^";
      continue;
    }
    if (c == '\\' && i + 1 < pattern.size()) {
      if (auto complaint = escape_complaint(pattern[++i])) return complaint;
    } else if (c == '[') {
      in_set = true;
    } else if (pattern.substr(i, 2) == "(?") {
      return RegexComplaint{"\"(?\" is not known in POSIX expressions", "write a plain group: ( ... )"};
    } else if (c == '{') {
      repetitions *= repetitions_at(pattern, i);
      if (repetitions > most_repetitions)
        return RegexComplaint{"the repetitions in braces multiply to more than " +
                                  std::to_string(most_repetitions),
                              "use * or +, or lower the numbers"};
    }
  }
  return std::nullopt;
}

}  // namespace tftpkit::kit
