// The parts of the configuration that say who may ask, and how much. Internal to this room.
#pragma once

#include "config/config.hpp"
#include "config/object_reader.hpp"

#include <string>
#include <vector>

namespace tftpkit::config {

// A list of networks; those that are none are reported.
void read_networks(ObjectReader& reader, const std::string& key, std::vector<std::string>& value);

AccessConfig read_access(const Json& value, const std::string& pointer, Report& report);
LimitsConfig read_limits(const Json& value, const std::string& pointer, Report& report);

}  // namespace tftpkit::config
