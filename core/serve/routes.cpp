#include "serve/routes.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tftpkit::serve {

namespace {

loop::Network network(const std::string& text) {
  std::string error;
  const auto parsed = loop::Network::parse(text, error);
  if (!parsed) throw std::invalid_argument(error);
  return *parsed;
}

Candidates named(const std::vector<std::string>& names, const Candidates& instances) {
  Candidates found;
  for (const auto& name : names)
    for (const auto& served : instances)
      if (served->instance->name() == name) found.push_back(served);
  return found;
}

}  // namespace

Routes::Routes(const std::vector<config::RouteConfig>& routes, const Candidates& instances) {
  for (const auto& config : routes) {
    Route route;
    for (const auto& pattern : config.match)
      route.match.emplace_back(pattern);
    for (const auto& text : config.clients)
      route.clients.push_back(network(text));
    route.to = named(config.to, instances);
    routes_.push_back(std::move(route));
  }
  if (routes.empty()) routes_.push_back({{}, {}, instances});
}

bool Routes::Route::fits(std::string_view path, const loop::Address& client) const {
  const auto matches = [&](const config::Glob& glob) { return glob.matches(path); };
  const auto contains = [&](const loop::Network& network) { return network.contains(client); };
  return (match.empty() || std::ranges::any_of(match, matches)) &&
         (clients.empty() || std::ranges::any_of(clients, contains));
}

const Candidates& Routes::candidates(std::string_view path, const loop::Address& client) const {
  const auto route = std::ranges::find_if(routes_, [&](const Route& r) { return r.fits(path, client); });
  return route == routes_.end() ? nobody_ : route->to;
}

}  // namespace tftpkit::serve
