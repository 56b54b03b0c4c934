// Routes: which instances a request is offered to, in which order. Built once from the configuration;
// decides by the clean path and the client's address only.
#pragma once

#include "config/config.hpp"
#include "config/glob.hpp"
#include "loop/address.hpp"
#include "serve/opening.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace tftpkit::serve {

class Routes {
 public:
  // `instances` are in the order of the configuration; every name in `routes` is one of them. Without
  // routes everything goes to all instances in their order.
  Routes(const std::vector<config::RouteConfig>& routes, const Candidates& instances);

  // The first route that fits; nobody when none does.
  [[nodiscard]] const Candidates& candidates(std::string_view path, const loop::Address& client) const;

 private:
  struct Route {
    std::vector<config::Glob> match;
    std::vector<loop::Network> clients;
    Candidates to;

    [[nodiscard]] bool fits(std::string_view path, const loop::Address& client) const;
  };

  std::vector<Route> routes_;
  Candidates nobody_;
};

}  // namespace tftpkit::serve
