// Text that somebody else chose (a file name, an ERROR text, a plugin's words), made safe to show: on a
// terminal, in a log line, in an error message. It knows nothing of who reads it; JSON and quoting are the
// caller's business.
#pragma once

#include <string>
#include <string_view>

namespace tftpkit::observe {

// `text` with every byte written as \xNN that is a control character (C0, DEL, C1 as UTF-8) or no part of
// well-formed UTF-8 (RFC 3629), that reorders or hides text (U+200B..U+200F, U+2028..U+202E, U+2066..U+2069,
// U+FEFF), and with a backslash doubled, so that two different texts never look the same. Everything else
// stays as it is.
[[nodiscard]] std::string escaped(std::string_view text);

// The same for prose, which nobody compares: a backslash stays as it is.
[[nodiscard]] std::string escaped_prose(std::string_view text);

// escaped(), cut after at most `limit` bytes of `text` with "..." behind; for texts without a bound of their
// own.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t limit);

// Appends escaped(text) to `out`.
void append_escaped(std::string& out, std::string_view text);

// Length in bytes of the well-formed UTF-8 character that `text` begins with, or 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

}  // namespace tftpkit::observe
