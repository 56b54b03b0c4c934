// tftpkit plugins check: the conformance kit at the command line.
#include "config/json_text.hpp"
#include "conformance_run.hpp"
#include "loop/fd.hpp"
#include "plugins.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace tftpkit::cli {

namespace {

using conformance::Check;
using conformance::Verdict;

struct CheckArguments {
  std::string file;
  std::string settings;
  std::vector<std::string> paths;
  std::vector<std::string> only;
  bool json = false;
  bool in_process = false;
};

std::vector<const Check*> chosen(const std::vector<std::string>& names) {
  std::vector<const Check*> checks;
  for (const auto& check : conformance::all_checks())
    if (names.empty() || std::ranges::find(names, check.name) != names.end()) checks.push_back(&check);
  for (const auto& name : names)
    if (std::ranges::find(conformance::all_checks(), name, &Check::name) == conformance::all_checks().end())
      throw Failure("--only: there is no check \"" + name +
                    "\"; \"tftpkit plugins check --help\" lists them");
  return checks;
}

// Says on the terminal where a check is, each place once in a row; by a descriptor of its own, since a check
// may listen to the usual ones.
class Notes {
 public:
  void operator()(const std::string& what) {
    const std::lock_guard lock{said_->mutex};
    if (what == said_->last) return;
    said_->last = what;
    ::dprintf(said_->fd.get(), "-- %s\n", what.c_str());
  }

 private:
  struct Said {
    std::mutex mutex;
    std::string last;
    loop::Fd fd{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
  };
  std::shared_ptr<Said> said_ = std::make_shared<Said>();
};

std::string as_json(const std::string& file, const std::vector<CheckedBy>& all) {
  std::vector<config::JsonRow> rows;
  for (const auto& one : all) {
    config::JsonRow row{{"name", std::string{one.check->name}},
                        {"verdict", std::string{text(one.result.verdict)}},
                        {"seconds", one.seconds}};
    if (one.result.verdict != Verdict::pass) row.emplace_back("what", one.result.what);
    if (one.result.verdict == Verdict::fail) {
      row.emplace_back("where", one.result.where);
      row.emplace_back("right", one.result.right);
    }
    rows.push_back(std::move(row));
  }
  const auto number = [&](Verdict verdict) { return std::uint64_t{count(all, verdict)}; };
  return config::json_object({{"file", file},
                              {"passed", number(Verdict::pass)},
                              {"failed", number(Verdict::fail)},
                              {"skipped", number(Verdict::skip)},
                              {"checks", config::RawJson{config::json_array(rows)}}},
                             2);
}

int check(const CheckArguments& arguments) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(arguments.file, error))
    throw Failure("there is no file " + arguments.file);
  const auto checks = chosen(arguments.only);
  conformance::Subject subject{arguments.file, settings_given(arguments.settings), arguments.paths, {}};
  if (arguments.in_process) subject.note = Notes{};
  const auto all = run_checks(checks, subject, arguments.in_process, [&](const CheckedBy& one) {
    if (arguments.json) return;
    std::fputs(text(one).c_str(), stdout);
    std::fflush(stdout);
  });
  std::puts(arguments.json ? as_json(arguments.file, all).c_str() : summary(all).c_str());
  return count(all, Verdict::fail) == 0 ? exit_ok : exit_failed;
}

std::string names_and_meanings() {
  std::string text = "Checks:\n";
  for (const auto& check : conformance::all_checks()) {
    std::string name{check.name};
    name.resize(std::max<std::size_t>(name.size(), 36), ' ');
    text += "  " + name + " " + std::string{check.meaning} + "\n";
  }
  return text + "\nExamples:\n  tftpkit plugins check ./hello.so\n"
                "  tftpkit plugins check ./slow.so --path big.img --set '{\"root\": \"/srv\"}'\n"
                "  gdb --args tftpkit plugins check --in-process --only hostile-paths ./hello.so";
}

}  // namespace

void add_plugins_check(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("check", "Does a plugin keep the contract? Each check by its name");
  auto arguments = std::make_shared<CheckArguments>();
  command->add_option("FILE", arguments->file, "The plugin")->type_name("FILE.so")->required();
  command->add_option("--set", arguments->settings, "The settings of its instances, a JSON object")
      ->type_name("JSON");
  command->add_option("--path", arguments->paths, "What it answers with bytes; repeatable")
      ->type_name("PATH")
      ->allow_extra_args(false);
  command->add_option("--only", arguments->only, "These checks alone")
      ->type_name("NAME[,NAME]")
      ->delimiter(',');
  command->add_flag("--json", arguments->json, "For machines");
  command->add_flag("--in-process", arguments->in_process, "All in this process, for a debugger");
  command->footer(names_and_meanings());
  command->callback([arguments, &action] { action = [arguments] { return check(*arguments); }; });
}

}  // namespace tftpkit::cli
