// Values to bytes and back, for messages between two processes of one binary: native byte order, texts with
// their length. The reading side believes nothing: what does not fit makes the whole message wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tftpkit::isolation {

template <class Value>
concept Plain = std::is_trivially_copyable_v<Value> && !std::is_pointer_v<Value>;

class Encoder {
 public:
  template <Plain Value>
  void operator()(const Value& value) {
    append(&value, sizeof value);
  }
  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint32_t>(text.size()));
    append(text.data(), text.size());
  }
  void operator()(const std::vector<std::byte>& bytes) {
    (*this)(static_cast<std::uint32_t>(bytes.size()));
    append(bytes.data(), bytes.size());
  }
  template <class First, class Second>
  void operator()(const std::pair<First, Second>& pair) {
    (*this)(pair.first);
    (*this)(pair.second);
  }
  template <class Element>
  void operator()(const std::vector<Element>& elements) {
    (*this)(static_cast<std::uint32_t>(elements.size()));
    for (const auto& element : elements)
      (*this)(element);
  }
  template <class Key, class Value, class Order>
  void operator()(const std::map<Key, Value, Order>& map) {
    (*this)(static_cast<std::uint32_t>(map.size()));
    for (const auto& entry : map)
      (*this)(entry);
  }

  [[nodiscard]] std::vector<std::byte> take() noexcept { return std::move(bytes_); }

 private:
  void append(const void* from, std::size_t size);

  std::vector<std::byte> bytes_;
};

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) noexcept : rest_{bytes} {}

  template <Plain Value>
  void operator()(Value& value) {
    if (const auto bytes = next(sizeof value); !bytes.empty())
      std::memcpy(&value, bytes.data(), sizeof value);
  }
  // Any byte but 0 and 1 in a bool would be undefined behaviour.
  void operator()(bool& value) {
    std::uint8_t byte = 0;
    (*this)(byte);
    if (byte > 1) wrong_ = true;
    value = byte == 1;
  }
  void operator()(std::string& text) {
    const auto bytes = next(length());
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void operator()(std::vector<std::byte>& bytes) {
    const auto found = next(length());
    bytes.assign(found.begin(), found.end());
  }
  template <class First, class Second>
  void operator()(std::pair<First, Second>& pair) {
    (*this)(pair.first);
    (*this)(pair.second);
  }
  template <class Element>
  void operator()(std::vector<Element>& elements) {
    for (std::size_t left = length(); left != 0 && !wrong_; --left)
      (*this)(elements.emplace_back());
  }
  template <class Key, class Value, class Order>
  void operator()(std::map<Key, Value, Order>& map) {
    for (std::size_t left = length(); left != 0 && !wrong_; --left) {
      std::pair<Key, Value> entry;
      (*this)(entry);
      map.insert(std::move(entry));
    }
  }

  // All was there and nothing is left over.
  [[nodiscard]] bool complete() const noexcept { return !wrong_ && rest_.empty(); }

 private:
  std::size_t length() {
    std::uint32_t size = 0;
    (*this)(size);
    if (size > rest_.size()) wrong_ = true;  // every element takes at least a byte
    return wrong_ ? 0 : size;
  }
  std::span<const std::byte> next(std::size_t size) noexcept {
    if (wrong_ || size > rest_.size()) {
      wrong_ = true;
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::span<const std::byte> rest_;
  bool wrong_ = false;
};

}  // namespace tftpkit::isolation
