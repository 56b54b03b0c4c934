// The notes about plugins that brought the server down: read, judged, forgotten. Real crashes: tests/run.
#include "host/crashes.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fs = std::filesystem;
using namespace tftpkit::host;

namespace {

class StateDir {
 public:
  StateDir() {
    std::string name = (fs::temp_directory_path() / "tftpkit-state-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~StateDir() { fs::remove_all(path_); }
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

  const fs::path& path() const { return path_; }
  void notes(const std::string& text) const { std::ofstream(path_ / "plugin-crashes") << text; }
  std::string notes() const {
    std::ostringstream text;
    text << std::ifstream(path_ / "plugin-crashes").rdbuf();
    return text.str();
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("one crash is pardoned, two are a quarantine that says how often, how and when") {
  const StateDir state;
  state.notes("hello 1764000000 SIGSEGV\nother 1764000001 SIGABRT\n");
  CHECK_FALSE(quarantine_reason(recorded_crashes(state.path()), "hello"));
  state.notes("hello 1764000000 SIGSEGV\nother 1764000001 SIGABRT\nhello 1764000002 exit()\n");
  const auto reason = quarantine_reason(recorded_crashes(state.path()), "hello");
  REQUIRE(reason);
  CHECK(
      *reason ==
      "it crashed the server 2 times, the last time by exit() at 2025-11-24 16:00:02 UTC; when it is mended: "
      "tftpkit plugins release hello");
  CHECK_FALSE(quarantine_reason(recorded_crashes(state.path()), "other"));
  CHECK_FALSE(quarantine_reason(recorded_crashes(state.path()), "hell"));
}

TEST_CASE("a plugin is forgotten alone, and lines that were torn stay and count for nobody") {
  const StateDir state;
  state.notes("hello 1764000000 SIGSEGV\nother 1764000001 SIGABRT\nhello 17\nhello 1764000002 SIGBUS\n");
  CHECK(recorded_crashes(state.path()).size() == 3);
  CHECK(forget_crashes(state.path(), "hello") == 2);
  CHECK(state.notes() == "other 1764000001 SIGABRT\nhello 17\n");
  CHECK(forget_crashes(state.path(), "hello") == 0);
}

TEST_CASE("without notes nobody crashed") {
  const StateDir state;
  CHECK(recorded_crashes(state.path()).empty());
  CHECK(recorded_crashes("").empty());
  CHECK(forget_crashes(state.path() / "none", "hello") == 0);
}
