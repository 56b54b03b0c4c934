// Paths with places that a request fills in: "phones/{model}/{mac:dashes:upper}.cfg".
#pragma once

#include "config/report.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tftpkit::firmware {

class Pattern {
 public:
  // {name}, with filters behind colons: lower, upper, and for a MAC of 12 digits dashes and colons.
  [[nodiscard]] static std::variant<Pattern, config::Complaint> from(std::string_view text);

  using Lookup = std::function<std::optional<std::string>(std::string_view name)>;
  // nullopt: one of the values is not known or empty; `missing` then says which.
  [[nodiscard]] std::optional<std::string> filled(const Lookup& lookup, std::string* missing = nullptr) const;

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // The names between the braces.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool is_plain() const noexcept;

 private:
  enum class Filter { lower, upper, dashes, colons };
  struct Piece {
    std::string text;  // literal, or the name of a value
    bool is_value = false;
    std::vector<Filter> filters{};
  };

  static std::optional<config::Complaint> add_value(std::string_view inside, Pattern& pattern);
  static std::string applied(Filter filter, std::string text);

  std::string text_;
  std::vector<Piece> pieces_;
};

// Is this a path that a client could ask for: no "..", no empty part, no control character, not too long?
[[nodiscard]] bool is_clean_path(std::string_view path) noexcept;

}  // namespace tftpkit::firmware
