#include "serve/access.hpp"

#include "serve/filter.hpp"

#include <algorithm>

namespace tftpkit::serve {

namespace {

const loop::Network* first_with(const std::vector<loop::Network>& networks,
                                const loop::Address& client) noexcept {
  const auto at =
      std::ranges::find_if(networks, [&](const loop::Network& network) { return network.contains(client); });
  return at == networks.end() ? nullptr : &*at;
}

}  // namespace

Access::Access(const config::AccessConfig& config)
    : allow_{networks(config.allow)}, deny_{networks(config.deny)} {}

const loop::Network* Access::denying(const loop::Address& client) const noexcept {
  return first_with(deny_, client);
}

const loop::Network* Access::allowing(const loop::Address& client) const noexcept {
  return first_with(allow_, client);
}

std::optional<Step> Access::step(const loop::Address& client) const {
  if (allow_.empty() && deny_.empty()) return std::nullopt;
  const auto said = [&](const char* outcome, const std::string& why) {
    return Step{"access", client.ip_string(), outcome, why};
  };
  if (const auto* network = denying(client)) return said("denied", network->to_string() + " of /access/deny");
  if (allow_.empty()) return said("allowed", "in no network of /access/deny");
  if (const auto* network = allowing(client))
    return said("allowed", network->to_string() + " of /access/allow");
  return said("denied", "in no network of /access/allow");
}

}  // namespace tftpkit::serve
