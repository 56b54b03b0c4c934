#include "kit/watched.hpp"

namespace tftpkit::kit {

void log_problems(const Host& host, std::string_view headline, const config::Problems& problems) {
  for (const config::Problem& problem : problems)
    host.log(Level::error, std::string(headline) + ": " + config::text(problem));
}

void fail_with(std::string_view what, const config::Problems& problems) {
  std::string text(what);
  text += problems.empty() ? " cannot be used" : " cannot be used: " + config::text(problems.front());
  if (problems.size() > 1) text += " (and " + std::to_string(problems.size() - 1) + " more in the log above)";
  throw Failure(Status::option, text);
}

}  // namespace tftpkit::kit
