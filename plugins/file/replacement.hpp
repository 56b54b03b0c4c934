// The right side of a rewrite rule: text with references to what the expression matched and to the client.
#pragma once

#include "client.hpp"

#include <array>
#include <optional>
#include <regex.h>
#include <string>
#include <vector>

namespace tftpkit::file {

class Replacement {
 public:
  static constexpr std::size_t group_limit = 10;

  // \0 the whole match, \1 to \9 groups, \i the client's address, \x the same in hex, \m its MAC, \L \U \E
  // lower case, upper case, as it is, \\ a backslash. Throws std::invalid_argument for anything else after a
  // backslash and for a group that an expression with `groups` groups does not have.
  Replacement(const std::string& text, std::size_t groups);

  // Empty when it needs a MAC and the client's is not known.
  std::optional<std::string> expanded(const std::string& subject,
                                      const std::array<regmatch_t, group_limit>& groups,
                                      Client& client) const;

 private:
  enum class Kind { literal, group, address, address_hex, mac, lower, upper, as_is };
  struct Piece {
    Kind kind;
    std::string text;
    std::size_t group;
  };
  void add_reference(char c, std::size_t groups);
  void add_literal(char c);

  std::vector<Piece> pieces_;
};

}  // namespace tftpkit::file
