// What a directory of dropped files looks like to the scanner: every file is a row with its state and the
// reason.
#include "bench.hpp"
#include "host/file_check.hpp"
#include "host/library.hpp"
#include "host/scan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sys/stat.h>

namespace fs = std::filesystem;
namespace host = tftpkit::host;
using bench::Directory;

namespace {

host::ScanOptions options(int limit_ms = 20'000) {
  return {std::chrono::milliseconds(limit_ms), bench::environment("DESCRIBE")};
}

std::vector<host::Finding> scanned(const fs::path& directory, int limit_ms = 20'000) {
  return host::scan(std::vector<fs::path>{directory}, options(limit_ms));
}

fs::path dropped(const Directory& directory, const std::string& plugin, const std::string& as = {}) {
  fs::path to = directory.path() / (as.empty() ? plugin + ".so" : as);
  fs::copy_file(bench::plugin_file(plugin), to);
  ::chmod(to.c_str(), 0644);
  return to;
}

host::Finding alone(const std::string& plugin, int limit_ms = 20'000) {
  const Directory directory;
  dropped(directory, plugin);
  const auto findings = scanned(directory.path(), limit_ms);
  REQUIRE(findings.size() == 1);
  return findings.front();
}

bool says(const host::Finding& finding, const std::string& part) {
  return finding.reason.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A plugin in order is ok and described") {
  const host::Finding finding = alone("settings");
  CHECK(finding.state == host::State::ok);
  CHECK(finding.reason.empty());
  REQUIRE(finding.description);
  CHECK(finding.name() == "settings");
  CHECK(finding.description->version == "1.0");
  CHECK(finding.description->summary == "Shows its settings");
  CHECK(finding.description->settings_schema.find("\"greeting\"") != std::string::npos);
  CHECK(finding.description->abi_major == 1);
  CHECK(finding.description->reads);
}

TEST_CASE("Whoever crashes, exits or hangs while describing itself is a row and nothing worse") {
  host::Finding finding = alone("crash-in-entry");
  CHECK(finding.state == host::State::crashed);
  CHECK(says(finding, "SIGABRT"));
  CHECK(alone("crash-on-load").state == host::State::crashed);
  finding = alone("exit-in-entry");
  CHECK(finding.state == host::State::crashed);
  CHECK(says(finding, "exit(0)"));
  finding = alone("hang-in-entry", 300);
  CHECK(finding.state == host::State::timed_out);
  CHECK(says(finding, "within 300 ms"));
  CHECK(finding.name() == "hang-in-entry");
}

TEST_CASE("Each sort of broken plugin has its state") {
  CHECK(alone("short-descriptor").state == host::State::invalid);
  CHECK(alone("null-descriptor").state == host::State::invalid);
  CHECK(alone("needs-minor-99").state == host::State::incompatible);
  CHECK(alone("major-two").state == host::State::incompatible);
  CHECK(alone("no-entry").state == host::State::not_a_plugin);
  CHECK(alone("undefined-symbol").state == host::State::cannot_load);
  CHECK(alone("from-the-future").state == host::State::ok);
}

TEST_CASE("Noise on every descriptor and a child left behind do not disturb the report") {
  ::setenv("NOISY_FORKS", "1", 1);
  const host::Finding finding = alone("noisy");
  ::unsetenv("NOISY_FORKS");
  CHECK(finding.state == host::State::ok);
  CHECK(finding.name() == "noisy");
}

TEST_CASE("What is no shared object is not a plugin; what is hidden or not .so is passed over") {
  const Directory directory;
  std::ofstream(directory.path() / "text.so")
      << "not an ELF file, though long enough to hold the head of one; "
         "it goes on for a while so that its size is no excuse.\n";
  std::ofstream(directory.path() / "empty.so") << "";
  std::ofstream(directory.path() / "README.txt") << "x";
  dropped(directory, "hello-c", ".hidden.so");
  dropped(directory, "hello-c", "hello-c.so.bak");
  const auto findings = scanned(directory.path());
  REQUIRE(findings.size() == 2);
  for (const auto& finding : findings) {
    CHECK(finding.state == host::State::not_a_plugin);
    CHECK(says(finding, "is not an ELF shared object"));
  }
}

TEST_CASE("Of two plugins with one name the first is used, and the other row names it") {
  const Directory first;
  const Directory second;
  dropped(first, "hello-c", "b.so");
  dropped(second, "hello-c", "a.so");
  const auto findings = host::scan(std::vector<fs::path>{first.path(), second.path()}, options());
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].state == host::State::ok);
  CHECK(findings[0].file == first.path() / "b.so");
  CHECK(findings[0].description->warning.find("calls itself \"hello-c\"") != std::string::npos);
  CHECK(findings[1].state == host::State::duplicate);
  CHECK(says(findings[1], (first.path() / "b.so").string()));
}

TEST_CASE("A directory that is given twice, in whatever spelling, counts once") {
  const Directory directory;
  dropped(directory, "hello-c", "a.so");
  const auto findings =
      host::scan(std::vector<fs::path>{directory.path(), directory.path() / "."}, options());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].state == host::State::ok);
}

TEST_CASE("Rows are sorted by plugin name, and a plugin in a directory of its own counts") {
  const Directory directory;
  dropped(directory, "memory");
  fs::create_directory(directory.path() / "hello-c");
  dropped(directory, "hello-c", "hello-c/hello-c.so");
  dropped(directory, "hello-cpp", "hello-c/other.so");
  const auto findings = scanned(directory.path());
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].name() == "hello-c");
  CHECK(findings[0].state == host::State::ok);
  CHECK(findings[1].name() == "memory");
}

TEST_CASE("A file that others may write is unsafe, and the reason has the remedy") {
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c");
  ::chmod(file.c_str(), 0664);
  host::Finding finding = scanned(directory.path()).front();
  CHECK(finding.state == host::State::unsafe_file);
  CHECK(says(finding, "chmod go-w " + file.string()));
  CHECK(host::examine(file, options()).state == host::State::unsafe_file);
  ::chmod(file.c_str(), 0646);
  CHECK(says(scanned(directory.path()).front(), "everybody"));
  ::chmod(file.c_str(), 0644);
  CHECK(scanned(directory.path()).front().state == host::State::ok);
}

TEST_CASE("A directory that others may write is unsafe for all in it, but not for a file named on purpose") {
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c");
  ::chmod(directory.path().c_str(), 0777);
  CHECK(scanned(directory.path()).front().state == host::State::unsafe_file);
  ::chmod(directory.path().c_str(), 01777);
  CHECK(says(scanned(directory.path()).front(), "shared by everybody"));
  CHECK(host::examine(file, options()).state == host::State::ok);
}

TEST_CASE("A file of another owner is unsafe") {
  if (::geteuid() != 0) {
    MESSAGE("not root: cannot give a file away");
    return;
  }
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c");
  REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  const host::Finding finding = scanned(directory.path()).front();
  CHECK(finding.state == host::State::unsafe_file);
  CHECK(says(finding, "belongs to user id 65534"));
}

TEST_CASE("A link is judged by its target, and what is no regular file is refused without opening it") {
  const Directory safe;
  const Directory other;
  const fs::path target = dropped(other, "hello-c");
  fs::create_symlink(target, safe.path() / "hello-c.so");
  CHECK(scanned(safe.path()).front().state == host::State::ok);
  ::chmod(other.path().c_str(), 0777);
  CHECK(scanned(safe.path()).front().state == host::State::unsafe_file);
  const Directory with_pipe;
  REQUIRE(::mkfifo((with_pipe.path() / "pipe.so").c_str(), 0600) == 0);
  CHECK(says(scanned(with_pipe.path()).front(), "is not a regular file"));
}

TEST_CASE("A directory that does not exist has no rows, a file that does not exist is one") {
  CHECK(scanned("/nonexistent/plugins").empty());
  const host::Finding finding = host::examine("/nonexistent/x.so", options());
  CHECK(finding.state == host::State::cannot_load);
  CHECK(says(finding, "there is no file /nonexistent/x.so"));
}

TEST_CASE("A file that somebody still writes is not loaded, and is when it has been closed") {
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c");
  {
    std::ofstream writer(file, std::ios::app);
    const host::Finding finding = scanned(directory.path()).front();
    CHECK(finding.state == host::State::cannot_load);
    CHECK(says(finding, "is still open for writing"));
    CHECK_THROWS_WITH_AS(host::Library::load(file), doctest::Contains("is still open for writing"),
                         host::Error);
  }
  CHECK(scanned(directory.path()).front().state == host::State::ok);
}

TEST_CASE("A copy that broke off is not loaded, wherever it broke off") {
  const Directory directory;
  const fs::path whole = bench::plugin_file("hello-c");
  const auto size = fs::file_size(whole);
  const fs::path file = dropped(directory, "hello-c");
  for (const auto part : {size - 1, size / 2, std::uintmax_t{4096}, std::uintmax_t{64}}) {
    fs::resize_file(file, part);
    const host::Finding finding = scanned(directory.path()).front();
    CAPTURE(part);
    CHECK(finding.state == host::State::cannot_load);
    CHECK(says(finding, "ends in the middle of a shared object"));
    fs::copy_file(whole, file, fs::copy_options::overwrite_existing);
  }
}

TEST_CASE("What was described is what is loaded: other content in its place is refused") {
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c", "it.so");
  const host::Finding finding = scanned(directory.path()).front();
  CHECK(host::Library::load(file, finding.identity)->description().name == "hello-c");
  fs::copy_file(bench::plugin_file("hello-cpp"), file, fs::copy_options::overwrite_existing);
  CHECK_THROWS_WITH_AS(host::Library::load(file, finding.identity),
                       doctest::Contains("changed after it was looked at"), host::Error);
}

TEST_CASE("A scan looks again at changed files only, and always at those that could not be loaded") {
  const Directory directory;
  const fs::path kept = dropped(directory, "hello-c");
  const fs::path changed = dropped(directory, "hello-cpp");
  dropped(directory, "undefined-symbol");
  auto earlier = scanned(directory.path());
  for (host::Finding& finding : earlier)
    finding.reason = "from the earlier scan";
  fs::last_write_time(changed, fs::last_write_time(changed) + std::chrono::seconds(1));
  host::ScanOptions again = options();
  again.known = earlier;
  const auto findings = host::scan(std::vector<fs::path>{directory.path()}, again);
  REQUIRE(findings.size() == 3);
  for (const host::Finding& finding : findings)
    CHECK((finding.reason == "from the earlier scan") == (finding.file == kept));
}

TEST_CASE("Files describe themselves side by side: six that hang take as long as one") {
  const Directory directory;
  for (const char* name : {"a.so", "b.so", "c.so", "d.so", "e.so", "f.so"})
    dropped(directory, "hang-in-entry", name);
  const auto began = std::chrono::steady_clock::now();
  const auto findings = scanned(directory.path(), 1000);
  const auto took = std::chrono::steady_clock::now() - began;
  REQUIRE(findings.size() == 6);
  for (const host::Finding& finding : findings)
    CHECK(finding.state == host::State::timed_out);
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("Twenty plugins are scanned and each has its row") {
  const Directory directory;
  for (int i = 0; i < 20; ++i)
    dropped(directory, i % 2 == 0 ? "memory" : "stream", "p" + std::to_string(i) + ".so");
  const auto began = std::chrono::steady_clock::now();
  const auto findings = scanned(directory.path());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  MESSAGE("a scan of 20 plugins took ", took.count(), " ms");
  REQUIRE(findings.size() == 20);
  CHECK(std::ranges::count(findings, host::State::ok, &host::Finding::state) == 2);
  CHECK(std::ranges::count(findings, host::State::duplicate, &host::Finding::state) == 18);
}

TEST_CASE("A binary that cannot be run is a reason, not a crash") {
  const Directory directory;
  const fs::path file = dropped(directory, "hello-c");
  const auto finding = host::describe_isolated(file, std::chrono::seconds(5), "/nonexistent/tftpkit");
  CHECK(finding.state == host::State::cannot_load);
  CHECK(says(finding, "cannot run /nonexistent/tftpkit"));
}
