#include "config/glob.hpp"

#include "observe/escape.hpp"

#include <array>
#include <bit>
#include <optional>
#include <stdexcept>

namespace tftpkit::config {
namespace {

constexpr std::size_t most_tokens = 1000;

// One character of well-formed text; a byte that is none counts as itself beyond Unicode, so that it equals
// nothing.
char32_t take_character(std::string_view& text) noexcept {
  const std::size_t length = observe::utf8_length(text);
  const auto lead = static_cast<unsigned char>(text[0]);
  char32_t character = length == 0 ? 0x110000U + lead : length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i)
    character = (character << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(length == 0 ? 1 : length);
  return character;
}

std::u32string characters_of(std::string_view text) {
  std::u32string all;
  while (!text.empty())
    all += take_character(text);
  return all;
}

// The set of reachable tokens; bit `tokens` is the end. Word by word, because mostly few bits are set.
class States {
 public:
  void set(std::size_t i) noexcept { words_[i / 64] |= 1ULL << (i % 64); }
  [[nodiscard]] bool has(std::size_t i) const noexcept { return ((words_[i / 64] >> (i % 64)) & 1U) != 0; }
  template <class Visit>
  void each(std::size_t count, Visit visit) const {
    for (std::size_t word = 0; word <= count / 64; ++word) {
      for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
        visit(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
      }
    }
  }
  void clear(std::size_t count) noexcept {
    for (std::size_t word = 0; word <= count / 64; ++word)
      words_[word] = 0;
  }

 private:
  std::array<std::uint64_t, most_tokens / 64 + 1> words_{};
};

}  // namespace

Glob::Glob(std::string_view pattern) : pattern_(pattern) {
  if (pattern.empty()) throw std::invalid_argument("the pattern is empty");
  const std::u32string text = characters_of(pattern);
  if (text.find_first_of(U'\0') != std::u32string::npos)
    throw std::invalid_argument("the pattern holds a NUL");
  for (const char32_t c : text) {
    if (c > 0x10FFFF) throw std::invalid_argument("the pattern is not UTF-8");
  }
  for (std::size_t at = 0; at < text.size();) {
    const bool part_begins = at == 0 || text[at - 1] == U'/';
    if (part_begins && text.compare(at, 3, U"**/") == 0) {
      add({Kind::parts});
      at += 3;
    } else if (text.compare(at, 2, U"**") == 0) {
      add({Kind::double_star});
      at += 2;
    } else if (text[at] == U'*') {
      add({Kind::star});
      ++at;
    } else if (text[at] == U'?') {
      add({Kind::any});
      ++at;
    } else if (text[at] == U'[') {
      add(set_from(text, at));
    } else {
      if (text[at] == U'\\' && ++at == text.size())
        throw std::invalid_argument("the pattern ends with a lone '\\'");
      add({Kind::literal, text[at++]});
    }
  }
}

void Glob::add(Token token) {
  if (tokens_.size() == most_tokens) throw std::invalid_argument("the pattern has more than 1000 elements");
  const bool ascii = token.kind == Kind::literal && token.character < 0x80;
  if (ascii && tokens_.empty()) {
    prefix_ += static_cast<char>(token.character);
    return;
  }
  const bool again = !tokens_.empty() && token.kind == tokens_.back().kind;
  if (again && (token.kind == Kind::star || token.kind == Kind::double_star || token.kind == Kind::parts))
    return;
  tokens_.push_back(std::move(token));
}

// fnmatch(3): ']' first in a set and '-' at an end stand for themselves.
Glob::Token Glob::set_from(std::u32string_view text, std::size_t& at) {
  Token set{Kind::set};
  const std::size_t begin = at++;
  const auto open = [&] {
    return std::invalid_argument("the '[' at character " + std::to_string(begin + 1) + " has no ']'");
  };
  if (at < text.size() && (text[at] == U'!' || text[at] == U'^')) {
    set.negated = true;
    ++at;
  }
  const auto take = [&] {
    if (text[at] == U'\\') ++at;
    if (at >= text.size()) throw open();
    return text[at++];
  };
  for (const std::size_t first = at; at < text.size() && (text[at] != U']' || at == first);) {
    const char32_t low = take();
    char32_t high = low;
    if (at + 1 < text.size() && text[at] == U'-' && text[at + 1] != U']') {
      ++at;
      high = take();
    }
    if (high < low) {
      throw std::invalid_argument("a range in the '[' at character " + std::to_string(begin + 1) +
                                  " runs backwards");
    }
    set.ranges.emplace_back(low, high);
  }
  if (at >= text.size()) throw open();
  ++at;
  return set;
}

bool Glob::accepts(const Token& token, char32_t character) noexcept {
  switch (token.kind) {
  case Kind::literal: return character == token.character;
  case Kind::any:
  case Kind::star: return character != U'/';
  case Kind::double_star:
  case Kind::parts: return true;
  case Kind::set: break;
  }
  if (character == U'/') return false;
  for (const auto& [low, high] : token.ranges) {
    if (character >= low && character <= high) return !token.negated;
  }
  return token.negated;
}

bool Glob::matches(std::string_view path) const {
  if (!path.starts_with(prefix_)) return false;
  path.remove_prefix(prefix_.size());
  const std::size_t count = tokens_.size();
  States now;
  // A token that may stand for nothing is passed at once.
  const auto enter = [&](States& states, std::size_t i) {
    states.set(i);
    while (i < count && (tokens_[i].kind == Kind::star || tokens_[i].kind == Kind::double_star ||
                         tokens_[i].kind == Kind::parts)) {
      states.set(++i);
    }
  };
  enter(now, 0);
  States next;
  while (!path.empty()) {
    const char32_t character = take_character(path);
    next.clear(count);
    now.each(count, [&](std::size_t i) {
      if (i == count || !accepts(tokens_[i], character)) return;
      const Kind kind = tokens_[i].kind;
      if (kind == Kind::parts) {
        next.set(i);
        if (character == U'/') enter(next, i + 1);
      } else {
        enter(next, kind == Kind::star || kind == Kind::double_star ? i : i + 1);
      }
    });
    std::swap(now, next);
  }
  return now.has(count);
}

}  // namespace tftpkit::config
