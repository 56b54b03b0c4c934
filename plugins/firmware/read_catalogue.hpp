// JSON -> what rules refer to: the catalogue of images, the steps of upgrades, the channels of rollouts, and
// what clients may send.
#pragma once

#include "config/object_reader.hpp"
#include "firmware/rules.hpp"

#include <string>
#include <vector>

namespace tftpkit::firmware {

// "catalogue" and "upgrades" of a rules file; `file` is its name, for messages about the images.
void read_catalogue(config::ObjectReader& top, const std::string& file, Catalogue& catalogue);
// Steps that lead to a version that the catalogue does not have. Those of `file` go to the report.
void check_steps(const Catalogue& catalogue, const std::string& file, config::Report& report);
void read_channels(config::ObjectReader& top, std::vector<Channel>& channels);
void read_uploads(config::ObjectReader& top, std::vector<Upload>& uploads);

}  // namespace tftpkit::firmware
