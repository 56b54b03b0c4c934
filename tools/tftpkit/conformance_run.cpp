#include "conformance_run.hpp"

#include "command.hpp"
#include "config/json_text.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <chrono>

namespace tftpkit::cli {

namespace {

using conformance::Verdict;

constexpr std::chrono::seconds time_limit{60};  // for one check; most take milliseconds

}  // namespace

std::optional<std::string> settings_given(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto object = config::settings_object(text);
  if (!object) throw Failure("--set: " + config::text(object.problems()));
  return std::move(*object);
}

std::vector<CheckedBy> run_checks(const std::vector<const conformance::Check*>& checks,
                                  const conformance::Subject& subject, bool in_process,
                                  const std::function<void(const CheckedBy&)>& on_result) {
  std::vector<CheckedBy> all;
  for (const auto* check : checks) {
    const auto began = std::chrono::steady_clock::now();
    CheckedBy one{check, in_process ? run_here(*check, subject) : run_isolated(*check, subject, time_limit),
                  0};
    one.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    on_result(all.emplace_back(std::move(one)));
  }
  return all;
}

std::string_view text(Verdict verdict) noexcept {
  switch (verdict) {
  case Verdict::pass: return "pass";
  case Verdict::fail: return "fail";
  case Verdict::skip: return "skip";
  }
  return "?";
}

std::string text(const CheckedBy& checked) {
  const auto& result = checked.result;
  std::string lines = std::string{text(result.verdict)} + "  " + std::string{checked.check->name};
  if (result.verdict == Verdict::skip) lines += ": " + observe::escaped(result.what);
  if (result.verdict == Verdict::fail)
    lines += ": " + observe::escaped(result.what) + "\n      where: " + observe::escaped(result.where) +
             "\n      right: " + observe::escaped(result.right);
  return lines + "\n";
}

std::size_t count(const std::vector<CheckedBy>& all, Verdict verdict) {
  const auto has = [verdict](const CheckedBy& one) { return one.result.verdict == verdict; };
  return static_cast<std::size_t>(std::ranges::count_if(all, has));
}

std::string summary(const std::vector<CheckedBy>& all) {
  return std::to_string(count(all, Verdict::pass)) + " passed, " + std::to_string(count(all, Verdict::fail)) +
         " failed, " + std::to_string(count(all, Verdict::skip)) + " skipped";
}

}  // namespace tftpkit::cli
