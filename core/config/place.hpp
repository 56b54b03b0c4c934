// Where in a text something stands, as people count.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tftpkit::config {

// "line 3, column 7", both from 1, the column in bytes.
[[nodiscard]] std::string place_in(std::string_view text, std::size_t offset);

}  // namespace tftpkit::config
