// What `plugins check` and `plugins install` share: running checks of one file and showing what came of them.
#pragma once

#include "conformance/kit.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::cli {

struct CheckedBy {
  const conformance::Check* check = nullptr;
  conformance::Result result;
  double seconds = 0;
};

// The settings of `--set`, or nothing for an empty text. Throws Failure for what is no JSON object.
[[nodiscard]] std::optional<std::string> settings_given(const std::string& text);

// Each check in a process of its own, or all in this one. `on_result` hears of each as it ends.
[[nodiscard]] std::vector<CheckedBy> run_checks(const std::vector<const conformance::Check*>& checks,
                                                const conformance::Subject& subject, bool in_process,
                                                const std::function<void(const CheckedBy&)>& on_result);

// "pass", "fail", "skip".
[[nodiscard]] std::string_view text(conformance::Verdict verdict) noexcept;
// Lines for people, with a newline at the end.
[[nodiscard]] std::string text(const CheckedBy& checked);
// "20 passed, 1 failed, 2 skipped"
[[nodiscard]] std::string summary(const std::vector<CheckedBy>& all);
[[nodiscard]] std::size_t count(const std::vector<CheckedBy>& all, conformance::Verdict verdict);

}  // namespace tftpkit::cli
