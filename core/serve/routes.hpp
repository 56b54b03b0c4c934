// Routes: which instances a request is offered to, in which order. Built once from the configuration;
// decides by the clean path and the client's address only.
#pragma once

#include "config/config.hpp"
#include "loop/address.hpp"
#include "serve/filter.hpp"
#include "serve/opening.hpp"
#include "serve/step.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::serve {

class Routes {
 public:
  // `instances` are in the order of the configuration; every name in `routes` is one of them. Without
  // routes everything goes to all instances in their order.
  Routes(const std::vector<config::RouteConfig>& routes, const Candidates& instances);

  // The first route that fits; nobody when none does. `on_step` hears of every route that was looked at.
  [[nodiscard]] const Candidates& candidates(std::string_view path, const loop::Address& client,
                                             const OnStep& on_step = {}) const;

 private:
  struct Route {
    std::string name;  // its place in the configuration
    Filter filter;
    Candidates to;
  };

  std::vector<Route> routes_;
  Candidates nobody_;
};

}  // namespace tftpkit::serve
