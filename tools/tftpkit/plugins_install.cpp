// tftpkit plugins install: a plugin that keeps the contract goes into a plugin directory, whole or not at
// all.
#include "conformance_run.hpp"
#include "host/file_check.hpp"
#include "host/scan.hpp"
#include "loop/fd.hpp"
#include "observe/escape.hpp"
#include "plugins.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tftpkit::cli {

namespace {

namespace fs = std::filesystem;
using conformance::Verdict;

struct InstallArguments {
  std::string file;
  std::string directory;
  std::string settings;
  std::vector<std::string> paths;
  bool force = false;
};

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw Failure(path.string() + ": " + what + ": " + std::strerror(errno));
}

fs::path directory_for(const InstallArguments& arguments) {
  fs::path directory = arguments.directory.empty() ? builtin_plugin_dir() : fs::path{arguments.directory};
  if (directory.empty())
    throw Failure("this tftpkit has no plugin directory of its own; name one with --plugin-dir");
  if (const auto reason = host::unsafe_directory(directory)) throw Failure(*reason);
  return directory;
}

// The copy that is checked and then renamed: hidden, so that no scan sees it, and gone unless it is kept.
// Whole and closed before it is looked at: a plugin that somebody may still write to is loaded by nobody.
class Copy {
 public:
  Copy(const fs::path& file, const fs::path& directory) {
    std::string path = (directory / (".install-XXXXXX")).string();
    const loop::Fd fd{::mkostemp(path.data(), O_CLOEXEC)};
    if (!fd) fail(directory, "cannot write there");
    path_ = path;
    std::error_code error;
    if (!fs::copy_file(file, path_, fs::copy_options::overwrite_existing, error))
      throw Failure(file.string() + ": cannot be copied: " + error.message());
    // Whatever the umask and the source say: for everybody to read, for the owner alone to write.
    if (::fchmod(fd.get(), 0644) != 0) fail(path_, "its mode cannot be set");
    if (::fsync(fd.get()) != 0) fail(path_, "writing failed");
  }
  ~Copy() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

  void keep_as(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) fail(target, "cannot be replaced");
    path_.clear();
    const loop::Fd directory{::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory) ::fsync(directory.get());
  }

 private:
  fs::path path_;
};

host::Description description_of(const Copy& copy, const std::string& file) {
  auto finding = host::examine(copy.path());
  if (finding.state == host::State::ok) return std::move(*finding.description);
  std::string reason = observe::escaped(finding.reason);
  if (const auto at = reason.find(copy.path().string()); at != std::string::npos)
    reason.replace(at, copy.path().string().size(), file);
  throw Failure(file + " is " + std::string{host::text(finding.state)} + ": " + reason);
}

// All but the file's name, which the copy gets right by itself.
std::vector<const conformance::Check*> checks_of_content() {
  std::vector<const conformance::Check*> checks;
  for (const auto& check : conformance::all_checks())
    if (check.name != "name-matches-file") checks.push_back(&check);
  return checks;
}

bool passes(const Copy& copy, const InstallArguments& arguments) {
  const conformance::Subject subject{copy.path(), settings_given(arguments.settings), arguments.paths, {}};
  const auto all = run_checks(checks_of_content(), subject, false, [](const CheckedBy& one) {
    if (one.result.verdict == Verdict::fail) std::fputs(text(one).c_str(), stderr);
  });
  std::printf("%s\n", summary(all).c_str());
  std::fflush(stdout);
  return count(all, Verdict::fail) == 0;
}

int install(const InstallArguments& arguments) {
  std::error_code error;
  if (!fs::is_regular_file(arguments.file, error)) throw Failure("there is no file " + arguments.file);
  const fs::path directory = directory_for(arguments);
  Copy copy{arguments.file, directory};
  const host::Description plugin = description_of(copy, arguments.file);
  const fs::path target = directory / (plugin.name + ".so");
  if (const fs::path other = directory / plugin.name / (plugin.name + ".so"); fs::exists(other, error))
    throw Failure(other.string() +
                  " has the same plugin name and would be a duplicate; remove one of the two");
  if (!passes(copy, arguments) && !arguments.force)
    throw Failure(arguments.file + " was not installed; mend what is told above, or insist with --force");
  copy.keep_as(target);
  std::printf("installed %s (%s %s)\n", target.c_str(), plugin.name.c_str(),
              observe::escaped(plugin.version).c_str());
  return exit_ok;
}

}  // namespace

void add_plugins_install(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("install", "Check a plugin and put it into a plugin directory");
  auto arguments = std::make_shared<InstallArguments>();
  command->add_option("FILE", arguments->file, "The plugin")->type_name("FILE.so")->required();
  command
      ->add_option("--plugin-dir", arguments->directory, "Where to (default: the directory of this tftpkit)")
      ->type_name("DIR");
  command->add_option("--set", arguments->settings, "The settings for the checks, a JSON object")
      ->type_name("JSON");
  command->add_option("--path", arguments->paths, "For the checks: what it answers with bytes; repeatable")
      ->type_name("PATH")
      ->allow_extra_args(false);
  command->add_flag("--force", arguments->force, "Also when checks fail");
  command->footer("Examples:\n  tftpkit plugins install ./hello.so\n"
                  "  tftpkit plugins install target/release/libhello.so --plugin-dir /srv/tftpkit/plugins");
  command->callback([arguments, &action] { action = [arguments] { return install(*arguments); }; });
}

}  // namespace tftpkit::cli
