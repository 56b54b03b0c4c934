// Text of somebody else, made into one value of a boot loader's syntax. Whatever comes in, what comes out is
// one argument, one line of text or one path: never a second one, and never a command.
#pragma once

#include <string>
#include <string_view>

namespace tftpkit::pxe {

enum class Syntax { syslinux, extlinux, grub, ipxe };

// Characters that not every loader and the kernel's command line can carry, in quotes or not: control
// characters, quotes, backslash, dollar, backtick, and all that is not ASCII.
[[nodiscard]] bool is_argument_character(char c) noexcept;
// The same for paths, where space, comma, semicolon and braces mean something as well.
[[nodiscard]] bool is_path_character(char c) noexcept;

// One argument of a kernel, or a part of one. What cannot be carried becomes '_'; spaces are put in quotes as
// the kernel understands them.
[[nodiscard]] std::string argument(Syntax syntax, std::string_view text);

// The rest of a line that people read: a title.
[[nodiscard]] std::string line(Syntax syntax, std::string_view text);

// A file at the server, from its root, or a URL. What cannot be carried becomes '_'.
[[nodiscard]] std::string file(Syntax syntax, std::string_view path);

// A name that every syntax takes for one word without quotes.
[[nodiscard]] std::string label(std::string_view text);

}  // namespace tftpkit::pxe
