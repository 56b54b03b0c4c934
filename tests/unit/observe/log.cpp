// observe/log: through a real file or pipe. Nothing here waits for a time; it waits for bytes.
#include "observe/log.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tftpkit::observe;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tftpkit-log-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

LogOptions to_file(const fs::path& file) {
  LogOptions options;
  options.file = file.string();
  return options;
}

std::string read_all(int fd) {
  std::string all;
  std::array<char, 65536> buffer;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    all.append(buffer.data(), static_cast<std::size_t>(n));
  return all;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("lines at or above the level are in the file after flush, the others are not") {
  const Folder folder;
  Log log(to_file(folder.path / "log"));
  log.write(Level::debug, "hidden");
  log.write(Level::info, "shown", {{"file", "a b"}});
  log.flush();
  auto lines = lines_of(folder.path / "log");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("info    shown file=\"a b\""));
  CHECK_FALSE(log.enabled(Level::debug));
  log.set_level(Level::debug);
  CHECK(log.enabled(Level::debug));
  log.write(Level::debug, "now");
  log.flush();
  CHECK(lines_of(folder.path / "log").size() == 2);
}

TEST_CASE("a file is appended to, and everything is in it when the log is gone") {
  const Folder folder;
  for (int round = 0; round < 2; ++round) {
    Log log(to_file(folder.path / "log"));
    for (int i = 0; i < 1000; ++i)
      log.write(Level::info, "line", {{"number", i}});
  }
  CHECK(lines_of(folder.path / "log").size() == 2000);
}

TEST_CASE("JSON lines are written when asked for") {
  const Folder folder;
  LogOptions options = to_file(folder.path / "log");
  options.format = LogOptions::Format::json;
  { Log(options).write(Level::info, "m"); }
  CHECK(lines_of(folder.path / "log").at(0).starts_with("{\"time\":"));
}

TEST_CASE("a file that cannot be opened is named") {
  const Folder folder;
  const std::string file = (folder.path / "no" / "log").string();
  try {
    Log log(to_file(file));
    FAIL("opened");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()).find(file) != std::string::npos);
  }
}

TEST_CASE("a FIFO without a reader is an error, not a wait") {
  const Folder folder;
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_AS(Log(to_file(fifo)), std::system_error);
}

TEST_CASE("the same warning over and over is a few lines and a number") {
  const Folder folder;
  LogOptions options = to_file(folder.path / "log");
  options.repeats = 3;
  {
    Log log(options);
    for (int i = 0; i < 100; ++i)
      log.write(Level::warning, "refused", {{"try", i}}, "192.0.2.1");
    log.write(Level::warning, "refused", {}, "192.0.2.2");
  }
  const auto lines = lines_of(folder.path / "log");
  REQUIRE(lines.size() == 5);
  CHECK(lines[4].find("refused: and 97 more like this") != std::string::npos);
  CHECK(lines[4].find("subject=192.0.2.1") != std::string::npos);
}

TEST_CASE("the number comes by itself when the window is over") {
  const Folder folder;
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  LogOptions options = to_file(fifo);
  options.repeats = 1;
  options.repeat_window = std::chrono::milliseconds(20);
  Log log(options);
  log.write(Level::warning, "refused");
  log.write(Level::warning, "refused");
  ::fcntl(reader, F_SETFL, 0);
  std::string seen;
  std::array<char, 4096> buffer;
  while (seen.find("and 1 more like this") == std::string::npos) {
    const ssize_t n = ::read(reader, buffer.data(), buffer.size());
    REQUIRE(n > 0);
    seen.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(reader);
}

TEST_CASE("info lines are limited only when they have a subject") {
  const Folder folder;
  {
    Log log(to_file(folder.path / "log"));
    for (int i = 0; i < 100; ++i)
      log.write(Level::info, "served");
    for (int i = 0; i < 100; ++i)
      log.write(Level::info, "refused", {}, "192.0.2.1");
  }
  CHECK(lines_of(folder.path / "log").size() == 100 + 10 + 1);
}

TEST_CASE("a reader that stopped blocks nobody; what was lost is counted and told when it reads again") {
  const Folder folder;
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  LogOptions options = to_file(fifo);
  options.queue_bytes = 10'000;
  auto log = std::make_unique<Log>(options);
  const std::string filler(500, 'x');
  constexpr int written = 2000;  // a megabyte: more than pipe and queue hold
  for (int i = 0; i < written; ++i)
    log->write(Level::info, "line", {{"filler", filler}});
  const std::uint64_t lost = log->lost();
  CHECK(lost > 0);
  ::fcntl(reader, F_SETFL, 0);
  std::string seen;
  std::thread reading([&] { seen = read_all(reader); });
  log->flush();
  log->write(Level::info, "after");
  log.reset();
  reading.join();
  ::close(reader);
  CHECK(count(seen, "filler=") == written - lost);
  CHECK(seen.find("info    after\n") != std::string::npos);
  std::uint64_t told = 0;
  const std::string report = "log lines were lost lines=";
  for (auto at = seen.find(report); at != std::string::npos; at = seen.find(report, at + 1)) {
    told += std::stoull(seen.substr(at + report.size()));
  }
  CHECK(told == lost);
}

TEST_CASE("a reader that went away is no SIGPIPE, and the end does not hang") {
  const Folder folder;
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  Log log(to_file(fifo));
  ::close(reader);
  log.write(Level::info, "nobody reads this");
  log.flush();
  CHECK(log.lost() == 1);
}

TEST_CASE("the log ends although its reader has stopped for good") {
  const Folder folder;
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  {
    Log log(to_file(fifo));
    const std::string filler(1000, 'x');
    for (int i = 0; i < 500; ++i)
      log.write(Level::info, "line", {{"filler", filler}});
  }
  CHECK(::close(reader) == 0);
}

TEST_CASE("a full disk is told when there is room again") {
  if (::access("/dev/full", W_OK) != 0) return;
  const Folder folder;
  const fs::path link = folder.path / "log";
  fs::create_symlink("/dev/full", link);
  Log log(to_file(link));
  log.write(Level::info, "lost");
  log.flush();
  CHECK(log.lost() == 1);
  fs::remove(link);
  log.reopen();
  log.write(Level::info, "kept");
  log.flush();
  log.write(Level::info, "more");
  log.flush();
  std::ostringstream all;
  for (const auto& line : lines_of(link))
    all << line << '\n';
  CHECK(all.str().find("info    kept\n") != std::string::npos);
  CHECK(all.str().find("log lines were lost lines=1 reason=\"No space left on device\"") !=
        std::string::npos);
}

TEST_CASE("a rotated file is opened anew, and when that fails the old one goes on") {
  const Folder folder;
  const fs::path file = folder.path / "log";
  Log log(to_file(file));
  log.write(Level::info, "first");
  log.flush();
  fs::rename(file, folder.path / "log.1");
  log.reopen();
  log.write(Level::info, "second");
  log.flush();
  CHECK(lines_of(folder.path / "log.1").size() == 1);
  CHECK(lines_of(file).size() == 1);
  fs::rename(file, folder.path / "log.2");
  fs::create_directory(file);
  log.reopen();
  log.write(Level::info, "third");
  log.flush();
  log.write(Level::info, "fourth");
  log.flush();
  std::ostringstream all;
  for (const auto& line : lines_of(folder.path / "log.2"))
    all << line << '\n';
  CHECK(count(all.str(), "\n") == 4);
  CHECK(count(all.str(), "cannot be opened anew reason=\"Is a directory\"") == 1);
}

TEST_CASE("lines of many threads are whole") {
  const Folder folder;
  {
    Log log(to_file(folder.path / "log"));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i)
          log.write(Level::info, "line", {{"thread", t}, {"number", i}});
      });
    }
    for (std::thread& thread : threads)
      thread.join();
  }
  const auto lines = lines_of(folder.path / "log");
  CHECK(lines.size() == 2000);
  for (const std::string& line : lines)
    CHECK(line.find("info    line thread=") == 25);
}

TEST_CASE("levels have names, and other words have none") {
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error})
    CHECK(level_named(name_of(level)) == level);
  CHECK_FALSE(level_named("warn"));
}
