#include "serve/routes.hpp"

namespace tftpkit::serve {

namespace {

Candidates named(const std::vector<std::string>& names, const Candidates& instances) {
  Candidates found;
  for (const auto& name : names)
    for (const auto& served : instances)
      if (served->instance->name() == name) found.push_back(served);
  return found;
}

std::string names_of(const Candidates& candidates) {
  std::string names;
  for (const auto& served : candidates)
    names += (names.empty() ? "" : ", ") + served->instance->name();
  return names;
}

}  // namespace

Routes::Routes(const std::vector<config::RouteConfig>& routes, const Candidates& instances) {
  for (const auto& config : routes)
    routes_.push_back({"/routes/" + std::to_string(routes_.size()), Filter{config.match, config.clients},
                       named(config.to, instances)});
  if (routes.empty()) routes_.push_back({"(none)", Filter{{}, {}}, instances});
}

const Candidates& Routes::candidates(std::string_view path, const loop::Address& client,
                                     const OnStep& on_step) const {
  for (const auto& route : routes_) {
    const auto verdict = route.filter.judge(path, client);
    const bool fits = verdict == Filter::Verdict::fits;
    if (on_step)
      on_step({"route", route.name, fits ? "taken" : "passed over",
               route.filter.words(verdict) + (fits ? "; asked in this order: " + names_of(route.to) : "")});
    if (fits) return route.to;
  }
  return nobody_;
}

}  // namespace tftpkit::serve
