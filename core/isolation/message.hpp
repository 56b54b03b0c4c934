// What the server and the process of an isolated instance say to each other. Everything is a message:
// numbers, bytes, and descriptors beside them. Knows neither sockets nor who sends what when (README.md
// tells).
#pragma once

#include "host/requests.hpp"
#include "host/settings.hpp"
#include "isolation/codec.hpp"
#include "isolation/options.hpp"

#include <tftpkit/plugin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::isolation {

// One message at most; longer texts are cut before they are sent.
inline constexpr std::size_t longest_message = std::size_t{64} << 10;
inline constexpr std::size_t longest_text = std::size_t{8} << 10;
// Bodies up to this size travel inside the answer: for them a memory file costs more than the copy.
inline constexpr std::size_t longest_inline_body = std::size_t{32} << 10;
// Of the ring that a stream comes through.
inline constexpr std::size_t largest_ring = std::size_t{256} << 10;

enum class Type : std::uint8_t {
  // to the process
  start = 1,
  open,
  more,
  close,
  give_up,
  level,
  link_address,
  ping,
  stop,
  // from the process
  ready = 101,
  failed,
  answer,
  filled,
  says,
  fault,
  link_question,
  pong,
};

// The first message; with it the sealed copy of the plugin (unless it is loaded where it lies) and, in memory
// of their own because they may be long, the settings.
struct Start {
  static constexpr Type type = Type::start;
  std::int32_t server_pid = 0;
  std::string instance;
  std::string file;
  bool in_place = false;
  std::string product_version;
  std::uint8_t log_level = 0;
  std::uint32_t threads = 1;
  std::uint64_t memory = 0;
  bool sandboxed = false;
  Sandbox sandbox;

  void fields(auto& io) {
    io(server_pid), io(instance), io(file), io(in_place), io(product_version), io(log_level), io(threads);
    io(memory), io(sandboxed), io(sandbox.user), io(sandbox.network), io(sandbox.read);
  }
};

struct Open {
  static constexpr Type type = Type::open;
  std::uint64_t id = 0;
  std::string wire_path;
  std::string path;
  std::uint32_t mode = 0;
  std::uint32_t blksize = 0;
  std::uint32_t windowsize = 0;
  std::uint32_t answer_within_ms = 0;
  tftpkit_addr peer{};
  tftpkit_addr local{};
  std::uint32_t redirects = 0;
  std::vector<std::pair<std::string, std::string>> options;

  void fields(auto& io) {
    io(id), io(wire_path), io(path), io(mode), io(blksize), io(windowsize), io(answer_within_ms);
    io(peer), io(local), io(redirects), io(options);
  }
};

// A stream's bytes before `taken` may be written over; tell when there are more.
struct More {
  static constexpr Type type = Type::more;
  std::uint64_t id = 0;
  std::uint64_t taken = 0;
  void fields(auto& io) { io(id), io(taken); }
};

struct Close {
  static constexpr Type type = Type::close;
  std::uint64_t id = 0;
  std::uint32_t end = TFTPKIT_END_HOST;
  std::uint64_t bytes = 0;
  std::uint64_t elapsed_us = 0;
  std::uint64_t resends = 0;
  void fields(auto& io) { io(id), io(end), io(bytes), io(elapsed_us), io(resends); }
};

// Nobody waits for the answer to this request any more.
struct GiveUp {
  static constexpr Type type = Type::give_up;
  std::uint64_t id = 0;
  void fields(auto& io) { io(id); }
};

struct LogLevel {
  static constexpr Type type = Type::level;
  std::uint8_t level = 0;
  void fields(auto& io) { io(level); }
};

struct LinkAddress {
  static constexpr Type type = Type::link_address;
  std::uint64_t ticket = 0;
  bool found = false;
  std::array<std::uint8_t, 6> mac{};
  void fields(auto& io) { io(ticket), io(found), io(mac); }
};

struct Ping {
  static constexpr Type type = Type::ping;
  std::uint64_t number = 0;
  void fields(auto& io) { io(number); }
};

struct Stop {
  static constexpr Type type = Type::stop;
  void fields(auto&) {}
};

// The instance is created and started.
struct Ready {
  static constexpr Type type = Type::ready;
  void fields(auto&) {}
};

// There will be no instance; the process ends.
struct Failed {
  static constexpr Type type = Type::failed;
  std::string why;
  void fields(auto& io) { io(why); }
};

// With OK: the kind says where the bytes are. BUFFER: `bytes`, or a sealed memory file beside; FD: beside;
// STREAM: beside is the ring of `ring` bytes.
struct Answered {
  static constexpr Type type = Type::answer;
  std::uint64_t id = 0;
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  std::string text;
  std::uint32_t kind = 0;
  std::uint64_t size = TFTPKIT_SIZE_UNKNOWN;
  std::uint64_t fd_offset = 0;
  std::uint32_t ring = 0;
  std::string redirect;
  std::vector<std::byte> bytes;
  void fields(auto& io) {
    io(id), io(status), io(text), io(kind), io(size), io(fd_offset), io(ring), io(redirect), io(bytes);
  }
};

// The ring of a stream holds the bytes up to `filled`, counted from its start.
struct Filled {
  static constexpr Type type = Type::filled;
  std::uint64_t id = 0;
  std::uint64_t filled = 0;
  bool ended = false;
  bool broken = false;
  std::string why;
  void fields(auto& io) { io(id), io(filled), io(ended), io(broken), io(why); }
};

struct Says {
  static constexpr Type type = Type::says;
  std::uint8_t level = 0;
  std::string text;
  void fields(auto& io) { io(level), io(text); }
};

// The plugin did something wrong.
struct Fault {
  static constexpr Type type = Type::fault;
  std::string text;
  void fields(auto& io) { io(text); }
};

struct LinkQuestion {
  static constexpr Type type = Type::link_question;
  std::uint64_t ticket = 0;
  tftpkit_addr peer{};
  void fields(auto& io) { io(ticket), io(peer); }
};

struct Pong {
  static constexpr Type type = Type::pong;
  std::uint64_t number = 0;
  std::uint64_t longest_call_ms = 0;  // of the calls into the plugin that are under way
  void fields(auto& io) { io(number), io(longest_call_ms); }
};

template <class Message>
std::vector<std::byte> encoded(Message message) {
  Encoder encoder;
  encoder(Message::type);
  message.fields(encoder);
  return encoder.take();
}

// Nothing for an empty message.
inline std::optional<Type> type_of(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  return static_cast<Type>(bytes[0]);
}

// Nothing when it is not this message, torn or too long.
template <class Message>
std::optional<Message> decoded(std::span<const std::byte> bytes) {
  if (type_of(bytes) != Message::type) return std::nullopt;
  Decoder decoder{bytes.subspan(1)};
  Message message;
  message.fields(decoder);
  if (!decoder.complete()) return std::nullopt;
  return message;
}

// Settings travel in memory of their own.
std::vector<std::byte> encoded_settings(const host::Settings& settings);
std::optional<host::Settings> decoded_settings(std::span<const std::byte> bytes);

inline std::string cut(std::string_view text) {
  return std::string{text.substr(0, longest_text)};
}

}  // namespace tftpkit::isolation
