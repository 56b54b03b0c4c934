// Versions of firmware as vendors write them: "15.2(7)E8", "9.3.12", "18.1R3-S2", "2024.01-rc1". Compared by
// their numbers and words, so that 9 comes before 12 and punctuation says nothing.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::firmware {

// Runs of digits count as numbers of any length, runs of letters as words in any case; a word stands below a
// number. What goes on is higher, but "rc", "beta" and the like are lower; zeros at the end change nothing.
[[nodiscard]] std::weak_ordering compare_versions(std::string_view left, std::string_view right);

// "<4.40.40.00", ">=15.2(7)E8", "=1.71", "!=1.71".
class VersionTest {
 public:
  // nullopt: there is no comparison in front, or nothing behind it.
  [[nodiscard]] static std::optional<VersionTest> from(std::string_view text);

  [[nodiscard]] bool holds(std::string_view version) const;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  enum class Operator { less, less_equal, equal, unequal, greater_equal, greater };

  std::string text_;
  std::string bound_;
  Operator operator_ = Operator::equal;
};

}  // namespace tftpkit::firmware
