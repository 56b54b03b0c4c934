// One pattern on a clean path ("pxelinux.cfg/01-88-99-aa-bb-cc-dd"): what a route asks. Case matters. It
// takes time in proportion to path length times pattern length at worst, whatever the pattern.
//   ?      one character, not '/'            *      any number of characters, not '/'
//   [a-f]  one of these, not '/'             **     anything at all, also '/'
//   [!a-f] none of these, not '/'            **/    any number of leading parts, also none: **/x matches x
//   and a/b/x \c     the character c itself
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::config {

class Glob {
 public:
  // Throws std::invalid_argument that says what is wrong and where: empty pattern, open '[', range the wrong
  // way round, '\' at the end, not UTF-8, more than 1000 elements.
  explicit Glob(std::string_view pattern);

  // Does the whole of `path` match? `path` is UTF-8.
  [[nodiscard]] bool matches(std::string_view path) const;
  [[nodiscard]] const std::string& pattern() const noexcept { return pattern_; }

 private:
  using Range = std::pair<char32_t, char32_t>;
  enum class Kind : std::uint8_t { literal, any, set, star, double_star, parts };
  struct Token {
    Kind kind;
    char32_t character = 0;       // literal
    bool negated = false;         // set
    std::vector<Range> ranges{};  // set
  };

  static bool accepts(const Token& token, char32_t character) noexcept;
  static Token set_from(std::u32string_view text, std::size_t& at);
  void add(Token token);

  std::string pattern_;
  std::string prefix_;         // literal text that every match begins with
  std::vector<Token> tokens_;  // what follows
};

}  // namespace tftpkit::config
