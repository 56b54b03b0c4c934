// Step: one thing that happened while a request was decided, in words, for who asks why: `tftpkit explain`
// and the log of traced requests. Whoever shows it escapes it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tftpkit::serve {

struct Step {
  std::string_view what;  // "name", "route", "instance", "refusal", "terms"
  std::string subject;    // which one: "/routes/0", an instance's name
  std::string outcome;    // "passed over", "taken", "declined", "REDIRECT", ...
  std::string why;        // may be empty
};

// Empty where nobody listens: then no words are made.
using OnStep = std::function<void(const Step&)>;

}  // namespace tftpkit::serve
