// POSIX extended regular expressions on top of regcomp(3): std::regex recurses for every character and can be
// made to overflow the stack by a name. Immutable after construction, so it serves many threads.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <regex.h>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::kit {

class Regex {
 public:
  // Throws std::invalid_argument with the reason alone.
  Regex(const std::string& pattern, bool ignore_case);

  // Where in `subject` the expression and its groups are found first; those beyond `groups` are left out.
  [[nodiscard]] bool finds(const std::string& subject, std::span<regmatch_t> groups) const noexcept;
  [[nodiscard]] std::size_t group_count() const noexcept { return regex_->re_nsub; }

 private:
  struct Free {
    void operator()(regex_t* regex) const noexcept;
  };
  std::unique_ptr<regex_t, Free> regex_;
};

// What a group matched; empty for one in a branch that was not taken.
[[nodiscard]] std::string group_text(const std::string& subject, const regmatch_t& group);

// Why a pattern may cost more than time in proportion to the name, or does not mean what its author thinks: a
// reference to a group, repetitions that multiply, the notation of Perl. nullopt: it is fine.
struct RegexComplaint {
  std::string what;
  std::string hint;
};
[[nodiscard]] std::optional<RegexComplaint> regex_complaint(std::string_view pattern);

}  // namespace tftpkit::kit
