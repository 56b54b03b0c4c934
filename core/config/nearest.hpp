// The right name for a wrong one: what a person most likely meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::config {

// The name that the fewest typing errors (letters added, left out, changed, swapped; case does not count)
// separate from `word`; nullopt when none is near. At a tie the first one.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> names);

// `did you mean "files"?`, or `there are "a", "b"` for a short list, or nothing.
[[nodiscard]] std::string name_hint(std::string_view word, std::span<const std::string> names,
                                    std::string_view there_are);

// "a", "b" or "c"
[[nodiscard]] std::string quoted_list(std::span<const std::string> names, std::string_view last_link);

// The text in quotes, escaped, cut when long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace tftpkit::config
