#include "firmware/version.hpp"

#include "kit/hex.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tftpkit::firmware {
namespace {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A number without leading zeros, a word in lower case, or the end.
struct Part {
  enum class Kind { early_word, end, word, number } kind = Kind::end;
  std::string text;
};

bool is_early(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 7> early = {"alpha",   "beta", "dev",     "pre",
                                                     "preview", "rc",   "snapshot"};
  return std::find(early.begin(), early.end(), word) != early.end();
}

// Takes the next part off the front.
Part next_part(std::string_view& text) {
  while (!text.empty() && !is_digit(text.front()) && !is_letter(text.front()))
    text.remove_prefix(1);
  if (text.empty()) return {};
  const bool digits = is_digit(text.front());
  const auto end = std::find_if_not(text.begin(), text.end(), digits ? is_digit : is_letter);
  std::string_view run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(run.size());
  if (digits) {
    run.remove_prefix(std::min(run.find_first_not_of('0'), run.size()));
    return {Part::Kind::number, std::string(run)};
  }
  std::string word = kit::lower_case(run);
  const bool early = is_early(word);
  return {early ? Part::Kind::early_word : Part::Kind::word, std::move(word)};
}

std::weak_ordering order_of(const Part& left, const Part& right) {
  if (left.kind != right.kind) {
    // "12.2" and "12.2.0" are the same.
    const bool zero_against_end =
        (left.kind == Part::Kind::number && left.text.empty() && right.kind == Part::Kind::end) ||
        (right.kind == Part::Kind::number && right.text.empty() && left.kind == Part::Kind::end);
    return zero_against_end ? std::weak_ordering::equivalent : left.kind <=> right.kind;
  }
  if (left.kind == Part::Kind::number && left.text.size() != right.text.size())
    return left.text.size() <=> right.text.size();
  return left.text <=> right.text;
}

std::string_view without_v(std::string_view text) noexcept {
  const bool marked = text.size() > 1 && (text[0] == 'v' || text[0] == 'V') && is_digit(text[1]);
  return marked ? text.substr(1) : text;
}

}  // namespace

std::weak_ordering compare_versions(std::string_view left, std::string_view right) {
  left = without_v(left);
  right = without_v(right);
  for (;;) {
    const Part a = next_part(left);
    const Part b = next_part(right);
    const std::weak_ordering order = order_of(a, b);
    if (order != std::weak_ordering::equivalent) return order;
    if (a.kind == Part::Kind::end && b.kind == Part::Kind::end) return order;
  }
}

std::optional<VersionTest> VersionTest::from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Operator>, 7> operators = {
      {{"<=", Operator::less_equal},
       {">=", Operator::greater_equal},
       {"!=", Operator::unequal},
       {"==", Operator::equal},
       {"<", Operator::less},
       {">", Operator::greater},
       {"=", Operator::equal}}};
  for (const auto& [sign, meaning] : operators) {
    if (!text.starts_with(sign)) continue;
    std::string_view bound = text.substr(sign.size());
    bound.remove_prefix(std::min(bound.find_first_not_of(' '), bound.size()));
    if (std::none_of(bound.begin(), bound.end(), [](char c) { return is_digit(c) || is_letter(c); }))
      return std::nullopt;
    VersionTest test;
    test.text_ = text;
    test.bound_ = bound;
    test.operator_ = meaning;
    return test;
  }
  return std::nullopt;
}

bool VersionTest::holds(std::string_view version) const {
  const std::weak_ordering order = compare_versions(version, bound_);
  switch (operator_) {
  case Operator::less: return std::is_lt(order);
  case Operator::less_equal: return std::is_lteq(order);
  case Operator::equal: return std::is_eq(order);
  case Operator::unequal: return std::is_neq(order);
  case Operator::greater_equal: return std::is_gteq(order);
  case Operator::greater: return std::is_gt(order);
  }
  return false;
}

}  // namespace tftpkit::firmware
