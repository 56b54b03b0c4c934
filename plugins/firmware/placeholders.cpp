#include "firmware/placeholders.hpp"

#include "config/nearest.hpp"
#include "kit/hex.hpp"

#include <algorithm>
#include <array>

namespace tftpkit::firmware {
namespace {

constexpr std::size_t longest_path = 1024;
const std::array<std::string, 4> filter_names = {"lower", "upper", "dashes", "colons"};

std::string upper_case(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string in_pairs(const std::string& digits, char separator) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += separator;
    text += digits[i];
  }
  return text;
}

}  // namespace

std::variant<Pattern, config::Complaint> Pattern::from(std::string_view text) {
  Pattern pattern;
  pattern.text_ = text;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) pattern.pieces_.push_back({std::string(text.substr(0, brace))});
    text.remove_prefix(brace);
    if (text.empty()) break;
    const std::size_t end = text.find('}');
    if (text.front() == '}' || end == std::string_view::npos)
      return config::Complaint{"a brace is not closed or not opened",
                               "write for example {mac} or {hostname:lower}"};
    if (auto complaint = add_value(text.substr(1, end - 1), pattern)) return *complaint;
    text.remove_prefix(end + 1);
  }
  return pattern;
}

std::optional<config::Complaint> Pattern::add_value(std::string_view inside, Pattern& pattern) {
  Piece piece;
  piece.is_value = true;
  const std::size_t colon = std::min(inside.find(':'), inside.size());
  piece.text = inside.substr(0, colon);
  if (piece.text.empty())
    return config::Complaint{"there is no name between the braces", "write for example {mac}"};
  inside.remove_prefix(colon);
  while (!inside.empty()) {
    inside.remove_prefix(1);
    const std::size_t end = std::min(inside.find(':'), inside.size());
    const auto at = std::find(filter_names.begin(), filter_names.end(), inside.substr(0, end));
    if (at == filter_names.end())
      return config::Complaint{"{" + piece.text + ":" + std::string(inside.substr(0, end)) +
                                   "}: there is no such filter",
                               "the filters are " + config::quoted_list(filter_names, "and")};
    piece.filters.push_back(static_cast<Filter>(at - filter_names.begin()));
    inside.remove_prefix(end);
  }
  pattern.pieces_.push_back(std::move(piece));
  return std::nullopt;
}

std::string Pattern::applied(Filter filter, std::string text) {
  switch (filter) {
  case Filter::lower: return kit::lower_case(text);
  case Filter::upper: return upper_case(std::move(text));
  case Filter::dashes: return in_pairs(text, '-');
  case Filter::colons: return in_pairs(text, ':');
  }
  return text;
}

std::optional<std::string> Pattern::filled(const Lookup& lookup, std::string* missing) const {
  std::string result;
  for (const Piece& piece : pieces_) {
    if (!piece.is_value) {
      result += piece.text;
      continue;
    }
    auto value = lookup(piece.text);
    if (!value || value->empty()) {
      if (missing != nullptr) *missing = piece.text;
      return std::nullopt;
    }
    for (const Filter filter : piece.filters)
      *value = applied(filter, std::move(*value));
    result += *value;
  }
  return result;
}

std::vector<std::string> Pattern::names() const {
  std::vector<std::string> names;
  for (const Piece& piece : pieces_)
    if (piece.is_value) names.push_back(piece.text);
  return names;
}

bool Pattern::is_plain() const noexcept {
  return std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.is_value; });
}

bool is_clean_path(std::string_view path) noexcept {
  if (path.empty() || path.size() > longest_path) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return std::none_of(path.begin(), path.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; });
}

}  // namespace tftpkit::firmware
