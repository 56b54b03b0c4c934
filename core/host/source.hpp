// The answer of a plugin to one read, checked and owned: nothing here still depends on what the plugin wrote
// into its struct. Knows nothing of how it was asked.
#pragma once

#include "host/unique_fd.hpp"

#include <tftpkit/plugin.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace tftpkit::host {

enum class Kind { buffer, fd, stream, redirect };

// "BUFFER", "FD", "STREAM", "REDIRECT".
std::string_view words(Kind kind) noexcept;

struct Source {
  Kind kind = Kind::stream;
  std::optional<std::uint64_t> size;  // bytes that must come; absent when not known
  std::span<const std::byte> data;    // buffer: the plugin's, valid until close()
  UniqueFd fd;                        // fd: ours, close-on-exec
  std::uint64_t fd_offset = 0;        // fd, regular: where to begin
  bool regular = false;               // fd: a regular file, read by position; else in order until it ends
  struct stat file {};                // fd, regular: as it was when the plugin answered
  std::string redirect;               // redirect: a clean path
  void* transfer = nullptr;           // the plugin's mark
};

struct Answer {
  tftpkit_status status = TFTPKIT_E_INTERNAL;  // OK, DECLINED or a failure; never PENDING
  std::string text;                            // the plugin's explanation, as it came; may be empty
  std::optional<Source> source;                // with OK, and only then
};

// Is this a status that open_read() may return or complete() may carry (PENDING apart)?
bool known_answer(tftpkit_status status) noexcept;

// A failure that a plugin may return, also from read().
bool known_failure(std::int64_t status) noexcept;

// "not found", "internal error" ...: what to say when the plugin explains nothing.
std::string_view text(tftpkit_status status) noexcept;

// Is this a clean path: parts divided by single '/', none empty, "." or "..", no control characters, valid
// UTF-8, at most 4096 bytes?
bool clean_path(std::string_view path) noexcept;

// What is wrong with an answer, said exactly, or an empty text. Takes nothing: the descriptor stays the
// plugin's. `can_read`: the plugin has a read() function.
// `seen` becomes what an FD's file looks like.
std::string fault(const tftpkit_source& source, bool can_read, struct stat& seen);
std::string fault(const tftpkit_source& source, bool can_read);

// Takes over an answer without fault, of which fault() has seen so much. The regular file's size is filled in
// when the plugin did not know it.
Source taken(const tftpkit_source& source, const struct stat& seen);

// Closes the descriptor of an answer with a fault: with OK from open_read() it became ours.
void drop_descriptor(const tftpkit_source& source) noexcept;

// As the plugin finds it before it answers.
tftpkit_source blank_source() noexcept;

}  // namespace tftpkit::host
