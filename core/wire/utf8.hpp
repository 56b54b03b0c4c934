// Is this text a decent name? UTF-8 (RFC 3629) without control characters. Private to this room.
#pragma once

#include <string_view>

namespace tftpkit::wire {

enum class TextFlaw { none, not_utf8, control };

// Control: U+0000..1F and U+007F..9F. Overlong forms, surrogates and values above U+10FFFF are not UTF-8.
TextFlaw check_text(std::string_view text) noexcept;

}  // namespace tftpkit::wire
