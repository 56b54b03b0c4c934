// What the targets share: an input that is taken piece by piece, and claims that end the run when they do not
// hold. Knows nothing of what is tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

namespace tftpkit::fuzz {

// The stack trace of the abort says where, the sentence what.
inline void claim(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", sentence);
  std::abort();
}

// Behind its end an input goes on with zeros, so that every input is a whole one.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : rest_(data, size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  std::uint16_t word() noexcept {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8U | byte());
  }
  std::uint32_t number() noexcept {
    const std::uint32_t high = word();
    return high << 16U | word();
  }
  std::span<const std::uint8_t> take(std::size_t size) noexcept {
    const auto taken = rest_.first(size < rest_.size() ? size : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::byte> rest() noexcept { return std::as_bytes(take(rest_.size())); }

 private:
  std::span<const std::uint8_t> rest_;
};

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

// An input that is several texts has a line "%%" between them. Always `count` of them, the last with all the
// rest.
inline std::vector<std::string_view> parts_of(std::string_view text, std::size_t count) {
  constexpr std::string_view border = "%%\n";
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    std::size_t at = text.find(border);
    while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n')
      at = text.find(border, at + 1);
    parts.push_back(text.substr(0, at == 0 || at == std::string_view::npos ? at : at - 1));
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + border.size());
  }
  parts.push_back(text);
  return parts;
}

// Nothing that moves a cursor or rings a bell.
inline bool is_plain_line(std::string_view text) noexcept {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return true;
}

}  // namespace tftpkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
