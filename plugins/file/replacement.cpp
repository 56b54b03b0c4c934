// Parsing and expanding the right side of a rewrite rule.
#include "replacement.hpp"

#include "kit/regex.hpp"

#include <stdexcept>

namespace tftpkit::file {
namespace {

char in_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char in_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

}  // namespace

Replacement::Replacement(const std::string& text, std::size_t groups) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      add_literal(text[i]);
      continue;
    }
    if (++i == text.size())
      throw std::invalid_argument("/replace: it ends with a single backslash; write \\\\ for one");
    add_reference(text[i], groups);
  }
}

void Replacement::add_literal(char c) {
  if (pieces_.empty() || pieces_.back().kind != Kind::literal) pieces_.push_back({Kind::literal, "", 0});
  pieces_.back().text += c;
}

void Replacement::add_reference(char c, std::size_t groups) {
  if (c >= '0' && c <= '9') {
    const auto group = static_cast<std::size_t>(c - '0');
    if (group > groups)
      throw std::invalid_argument("/replace: \\" + std::string(1, c) +
                                  " refers to a group that \"match\" does not have; it has " +
                                  std::to_string(groups));
    pieces_.push_back({Kind::group, "", group});
    return;
  }
  switch (c) {
  case '\\': add_literal('\\'); return;
  case 'i': pieces_.push_back({Kind::address, "", 0}); return;
  case 'x': pieces_.push_back({Kind::address_hex, "", 0}); return;
  case 'm': pieces_.push_back({Kind::mac, "", 0}); return;
  case 'L': pieces_.push_back({Kind::lower, "", 0}); return;
  case 'U': pieces_.push_back({Kind::upper, "", 0}); return;
  case 'E': pieces_.push_back({Kind::as_is, "", 0}); return;
  default:
    throw std::invalid_argument(
        "/replace: \\" + std::string(1, c) +
        " means nothing; known are \\0 to \\9, \\i, \\x, \\m, \\L, \\U, \\E and \\\\");
  }
}

std::optional<std::string> Replacement::expanded(const std::string& subject,
                                                 const std::array<regmatch_t, group_limit>& groups,
                                                 Client& client) const {
  std::string result;
  Kind letters = Kind::as_is;
  for (const Piece& piece : pieces_) {
    std::string text;
    switch (piece.kind) {
    case Kind::literal: text = piece.text; break;
    case Kind::group: text = kit::group_text(subject, groups[piece.group]); break;
    case Kind::address: text = client.address(); break;
    case Kind::address_hex: text = client.address_hex(); break;
    case Kind::mac:
      if (!client.mac()) return std::nullopt;
      text = *client.mac();
      break;
    case Kind::lower:
    case Kind::upper:
    case Kind::as_is: letters = piece.kind; break;
    }
    for (const char c : text)
      result += letters == Kind::lower ? in_lower(c) : letters == Kind::upper ? in_upper(c) : c;
  }
  return result;
}

}  // namespace tftpkit::file
