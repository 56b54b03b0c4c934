// Datagrams written as string literals, for tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::test {

// "\0\1name\0octet\0"_b: every byte of the literal, NULs included, without the one C++ adds.
inline std::vector<std::byte> operator""_b(const char* text, std::size_t size) {
  std::vector<std::byte> bytes;
  for (const char c : std::string_view(text, size))
    bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

template <class Range>
std::string text_of(const Range& bytes) {
  std::string text;
  for (const std::byte b : bytes)
    text += static_cast<char>(b);
  return text;
}

}  // namespace tftpkit::test
