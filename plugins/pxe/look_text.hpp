// The look of menus out of the inventory.
#pragma once

#include "config/object_reader.hpp"
#include "inventory.hpp"

namespace tftpkit::pxe {

// The member "look"; empty when absent.
[[nodiscard]] Look read_look(config::ObjectReader& owner);

// One line of text for people: "" when absent.
[[nodiscard]] std::string read_line(config::ObjectReader& reader, const std::string& key);

}  // namespace tftpkit::pxe
