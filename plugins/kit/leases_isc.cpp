// ISC dhcpd.leases(5): blocks of statements, appended whenever a lease changes. The last block of an address
// counts, and only with the binding state active.
#include "kit/lease_lines.hpp"
#include "kit/leases.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>

namespace tftpkit::kit {
namespace {

// Words, strings in quotes (already plain), and the signs { } ; as they come; "#" hides the rest of a line.
struct Token {
  std::string text;
  bool quoted = false;
  bool is(std::string_view sign) const { return !quoted && text == sign; }
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  // nullopt: the end, or a string that has none yet.
  std::optional<Token> next() {
    skip_blank();
    if (at_ == text_.size()) return std::nullopt;
    const char c = text_[at_];
    if (c == '"') return string();
    if (is_sign(c)) {
      ++at_;
      return Token{std::string(1, c)};
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_sign(text_[at_]) && text_[at_] != '"' && !is_blank(text_[at_]))
      ++at_;
    return Token{std::string(text_.substr(begin, at_ - begin))};
  }

  std::size_t offset() const noexcept { return at_; }

 private:
  static bool is_sign(char c) { return c == '{' || c == '}' || c == ';' || c == '='; }
  static bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

  void skip_blank() {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '#')) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size() - 1);
      ++at_;
    }
  }

  std::optional<Token> string() {
    Token token{"", true};
    for (++at_; at_ < text_.size() && text_[at_] != '"';)
      token.text += text_[at_] == '\\' ? escaped() : text_[at_++];
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return token;
  }

  // Three octal digits, or the character itself.
  char escaped() {
    ++at_;
    unsigned value = 0;
    std::size_t digits = 0;
    for (; digits < 3 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++digits)
      value = value * 8 + static_cast<unsigned>(text_[at_++] - '0');
    if (digits > 0) return static_cast<char>(value);
    return at_ < text_.size() ? text_[at_++] : '\\';
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

using Statement = std::vector<Token>;

std::size_t line_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

// "0 2026/11/22 23:44:23" (UTC), "epoch 1795391063", "never"
std::optional<std::int64_t> time_of(const Statement& statement) {
  if (statement.size() >= 2 && statement[1].is("never")) return Lease::never;
  if (statement.size() >= 3 && statement[1].is("epoch")) return whole_number(statement[2].text);
  if (statement.size() < 4) return std::nullopt;
  std::tm time{};
  const std::string text = statement[2].text + " " + statement[3].text;
  if (::strptime(text.c_str(), "%Y/%m/%d %H:%M:%S", &time) == nullptr) return std::nullopt;
  return ::timegm(&time);
}

struct Block {
  Lease lease;
  bool has_mac = false;
  bool active = true;  // servers of old wrote no state
};

void take(const Statement& statement, Block& block) {
  const auto word = [&](std::size_t i) { return i < statement.size() ? statement[i].text : std::string(); };
  if (word(0) == "hardware" && word(1) == "ethernet") {
    const auto mac = mac_from(word(2));
    block.has_mac = mac.has_value();
    if (mac) block.lease.mac = *mac;
  } else if (word(0) == "binding" && word(1) == "state") {
    block.active = word(2) == "active";
  } else if (word(0) == "ends") {
    if (const auto ends = time_of(statement)) block.lease.expires = *ends;
  } else if (word(0) == "client-hostname") {
    block.lease.hostname = word(1);
  } else if (word(0) == "set" && word(1) == "vendor-class-identifier" && word(2) == "=") {
    block.lease.vendor_class = word(3);
    block.lease.arch = arch_of_vendor_class(word(3));
  }
}

// Up to the block's own "}"; false when the text ends before.
bool read_block(Tokens& tokens, Block& block) {
  Statement statement;
  std::size_t depth = 1;
  while (auto token = tokens.next()) {
    if (token->is("{")) ++depth;
    if (token->is("}") && --depth == 0) return true;
    const bool ends = token->is(";") || token->is("{") || token->is("}");
    if (!ends) {
      statement.push_back(std::move(*token));
      continue;
    }
    if (depth == 1) take(statement, block);
    statement.clear();
  }
  return false;
}

}  // namespace

void read_isc_leases(std::string_view text, Leases& leases) {
  Tokens tokens(text);
  Statement head;
  while (auto token = tokens.next()) {
    if (token->is(";")) {
      head.clear();
    } else if (!token->is("{")) {
      head.push_back(std::move(*token));
    } else {
      Block block;
      const std::size_t offset = tokens.offset();
      if (!read_block(tokens, block)) return;  // still being written
      const bool is_lease = head.size() == 2 && head[0].is("lease");
      const auto ip = is_lease ? ip_from(head[1].text) : std::nullopt;
      head.clear();
      if (!is_lease) continue;
      if (!ip) {
        leases.skipped(line_at(text, offset));
      } else if (block.active && block.has_mac) {
        block.lease.ip = *ip;
        leases.put(std::move(block.lease));
      } else {
        leases.remove(*ip);
      }
    }
  }
}

}  // namespace tftpkit::kit
