#include "rewrite.hpp"

#include <array>
#include <stdexcept>

namespace tftpkit::file {
namespace {

constexpr int step_limit = 1024;
constexpr std::size_t name_limit = 4096;

kit::Regex compiled(const std::string& pattern, bool ignore_case) {
  try {
    return kit::Regex(pattern, ignore_case);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("/match: \"" + pattern +
                                "\" is not a POSIX extended regular expression: " + error.what());
  }
}

}  // namespace

Rule::Rule(const RuleText& text)
    : regex_(compiled(text.match, text.ignore_case)), repeat_(text.repeat), invert_(text.invert),
      then_(text.then), message_(text.message) {
  if (text.match.empty())
    throw std::invalid_argument("/match: it is empty; write a regular expression such as ^boot/");
  if (text.invert && text.replace)
    throw std::invalid_argument(
        "/replace: an inverted rule has matched nothing that could be replaced; leave it out");
  if (text.repeat && !text.replace)
    throw std::invalid_argument("/repeat: without \"replace\" the rule would match for ever; leave it out");
  if (!text.replace && text.then == Then::go_on)
    throw std::invalid_argument(": the rule does nothing; give it a \"replace\" or a \"then\"");
  if (!text.message.empty() && text.then != Then::refuse)
    throw std::invalid_argument("/message: only a rule with \"then\": \"refuse\" has a message");
  if (text.replace) replacement_ = Replacement(*text.replace, regex_.group_count());
}

bool Rule::apply(std::string& name, Client& client) const {
  std::array<regmatch_t, Replacement::group_limit> groups{};
  if (regex_.finds(name, groups) == invert_) return false;
  if (!replacement_) return true;
  const std::optional<std::string> middle = replacement_->expanded(name, groups, client);
  if (!middle) return false;
  const auto begin = static_cast<std::size_t>(groups[0].rm_so);
  const auto end = static_cast<std::size_t>(groups[0].rm_eo);
  name.replace(begin, end - begin, *middle);
  return true;
}

namespace {

bool over(int steps, const std::string& name) noexcept {
  return steps > step_limit || name.size() > name_limit;
}

// Applies a rule, as often as it asks for. True when it matched at all.
bool applied(const Rule& rule, std::string& name, Client& client, int& steps) {
  bool matched = false;
  while (!over(++steps, name) && rule.apply(name, client)) {
    matched = true;
    if (!rule.repeats()) break;
  }
  return matched;
}

}  // namespace

Rewritten rewritten(const std::vector<Rule>& rules, std::string name, Client& client) {
  int steps = 0;
  for (std::size_t i = 0; i < rules.size();) {
    const Rule& rule = rules[i];
    const bool matched = applied(rule, name, client, steps);
    if (over(steps, name)) return {Rewritten::Kind::endless, "", "", i};
    switch (matched ? rule.then() : Then::go_on) {
    case Then::go_on: ++i; break;
    case Then::restart: i = 0; break;
    case Then::stop: return {Rewritten::Kind::name, std::move(name), "", i};
    case Then::refuse: return {Rewritten::Kind::refused, "", rule.message(), i};
    case Then::decline: return {Rewritten::Kind::declined, "", "", i};
    }
  }
  return {Rewritten::Kind::name, std::move(name), "", rules.size()};
}

}  // namespace tftpkit::file
