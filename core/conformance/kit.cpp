#include "conformance/kit.hpp"

#include "host/isolated.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tftpkit::conformance {

namespace {

constexpr unsigned all_notes = 4'000;  // from then on one in so many

// The report: records of a letter and a text, each ended by a NUL. 'n' where the check is, then of the result
// its verdict, what, where, right; 'e' at the end of a whole one.
std::string record(char letter, const std::string& text) {
  return letter + text.substr(0, text.find('\0')) + '\0';
}

std::string encoded(const Result& result) {
  return record('v', std::to_string(static_cast<int>(result.verdict))) + record('w', result.what) +
         record('h', result.where) + record('r', result.right) + record('e', "");
}

struct Heard {
  std::string note;
  Result result;
  bool whole = false;
};

Heard decoded(std::string_view report) {
  Heard heard;
  while (!report.empty()) {
    const std::string_view one = report.substr(0, report.find('\0'));
    report.remove_prefix(std::min(report.size(), one.size() + 1));
    if (one.empty()) continue;
    std::string text{one.substr(1)};
    switch (one.front()) {
    case 'n': heard.note = std::move(text); break;
    case 'v': heard.result.verdict = static_cast<Verdict>(std::clamp(std::atoi(text.c_str()), 0, 2)); break;
    case 'w': heard.result.what = std::move(text); break;
    case 'h': heard.result.where = std::move(text); break;
    case 'r': heard.result.right = std::move(text); break;
    case 'e': heard.whole = true; break;
    default: break;
    }
  }
  return heard;
}

std::vector<std::string> arguments_for(const Check& check, const Subject& subject) {
  std::vector<std::string> arguments{conformance_argument, std::string{check.name}, subject.file.string(),
                                     subject.settings ? "settings" : "none", subject.settings.value_or("")};
  arguments.insert(arguments.end(), subject.paths.begin(), subject.paths.end());
  return arguments;
}

}  // namespace

namespace {

// glibc counts what a thread keeps for its next allocation as taken; until that is full it looks like a leak.
void count_memory_exactly() {
  ::setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0);
}

}  // namespace

Result run_isolated(const Check& check, const Subject& subject, std::chrono::milliseconds time_limit,
                    const std::filesystem::path& own_binary) {
  count_memory_exactly();
  const auto ended = host::run_isolated(own_binary, arguments_for(check, subject), time_limit);
  Heard heard = decoded(ended.report);
  if (heard.whole) return std::move(heard.result);
  const std::string where = heard.note.empty() ? "before the plugin was called" : heard.note;
  if (!ended.in_time)
    return {Verdict::fail, "it did not return within " + std::to_string(time_limit.count() / 1000) + " s",
            where, "calls return; what takes long is answered later, with PENDING and complete()"};
  return {
      Verdict::fail, "the process " + host::end_text(ended.status), where,
      "no crash and no exit(); see it in a debugger: gdb --args tftpkit plugins check --in-process --only " +
          std::string{check.name} + " " + subject.file.string()};
}

Result run_here(const Check& check, const Subject& subject) {
  std::signal(SIGPIPE, SIG_IGN);  // as the server does
  try {
    check.run(subject);
    return {};
  } catch (const Fails& fails) {
    return {Verdict::fail, fails.what, fails.where, fails.right};
  } catch (const Skips& skips) {
    return {Verdict::skip, skips.why, "", ""};
  } catch (const std::exception& error) {
    return {Verdict::fail, std::string{"an exception: "} + error.what(),
            "a call of the plugin, or the check itself",
            "no exception leaves a plugin: turn it into TFTPKIT_E_INTERNAL"};
  }
}

void conformance_child(int argc, char** argv) {
  const host::IsolatedReport report;
  if (argc < 6) ::_exit(2);
  const std::string_view name = argv[2];
  Subject subject{argv[3], std::nullopt, {argv + 6, argv + argc}, {}};
  if (std::string_view{argv[4]} == "settings") subject.settings = argv[5];
  // A check that goes through very many steps must not fill the report before its result.
  std::atomic<unsigned> notes{0};  // of the plugin's threads, too
  subject.note = [&](const std::string& what) {
    const unsigned number = ++notes;
    if (number <= all_notes || number % all_notes == 0) report.write(record('n', what));
  };
  const auto check = std::ranges::find(all_checks(), name, &Check::name);
  if (check == all_checks().end()) ::_exit(2);
  report.write(encoded(run_here(*check, subject)));
  // No destructors: what the plugin registered may hang or crash, and all is said.
  ::_exit(0);
}

}  // namespace tftpkit::conformance
