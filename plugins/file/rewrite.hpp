// Rewrite rules: regular expressions that turn the name a client sent into the name of a file, in the manner
// of tftp-hpa's map file. Text in, text out; what the result names is somebody else's business. Immutable
// after construction, so it serves many threads.
#pragma once

#include "kit/regex.hpp"
#include "replacement.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tftpkit::file {

// What follows when a rule has matched.
enum class Then { go_on, stop, restart, refuse, decline };

// One rule as written in the settings.
struct RuleText {
  std::string match;                   // POSIX extended regular expression
  std::optional<std::string> replace;  // for the matched part; without it the name stays
  bool ignore_case = false;
  bool repeat = false;  // again until it no longer matches
  bool invert = false;  // the rule applies when nothing matches
  Then then = Then::go_on;
  std::string message;  // refuse: for the client
};

struct Rewritten {
  enum class Kind { name, refused, declined, endless } kind = Kind::name;
  std::string name;      // not cleaned
  std::string message;   // refused
  std::size_t rule = 0;  // the rule that decided, counted from 0
};

class Rule {
 public:
  // Throws std::invalid_argument with a text that says what is wrong and where ("/match: ...").
  explicit Rule(const RuleText& text);

  Then then() const noexcept { return then_; }
  const std::string& message() const noexcept { return message_; }
  bool repeats() const noexcept { return repeat_; }

  // Applies once: true when the rule matched. `name` is changed by its replacement.
  bool apply(std::string& name, Client& client) const;

 private:
  kit::Regex regex_;
  std::optional<Replacement> replacement_;
  bool repeat_;
  bool invert_;
  Then then_;
  std::string message_;
};

// All rules in order. `endless` when they have not come to an end after 1024 steps, or the name grew over 4
// KiB.
Rewritten rewritten(const std::vector<Rule>& rules, std::string name, Client& client);

}  // namespace tftpkit::file
