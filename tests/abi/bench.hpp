// What the tests of plugins behind the host share: a log that can be read, built plugins by name, and one
// request with everything that came of it.
#pragma once

#include "host/call.hpp"
#include "host/scan.hpp"
#include "isolation/instance.hpp"
#include "observe/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bench {

namespace host = tftpkit::host;

// A directory of its own below the temporary one, gone with the object.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "tftpkit-abi-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string("meson test sets ") + name);
  return value;
}

// The built file of a test plugin.
inline std::filesystem::path plugin_file(const std::string& name) {
  return std::filesystem::path(environment("TEST_PLUGINS")) / (name + ".so");
}

class Bench {
 public:
  Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { CHECK(host::Instance::end_all(std::chrono::seconds(60))); }  // they use the log until then

  tftpkit::observe::Log& log() { return log_; }

  // Everything logged so far.
  std::string logged() {
    log_.flush();
    std::ifstream file(file_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool logged(const std::string& part) { return logged().find(part) != std::string::npos; }

  // With ISOLATED in the environment the same tests run over plugins in processes of their own.
  std::shared_ptr<host::Instance> instance(const std::string& plugin, host::Settings settings = {}) {
    tftpkit::isolation::Options unlimited;
    unlimited.memory = 0;  // a sanitizer's shadow is larger than any limit
    if (std::getenv("ISOLATED") != nullptr) return isolated(plugin, unlimited, std::move(settings)).instance;
    return host::Instance::create(host::Library::load(plugin_file(plugin)), plugin + "-1",
                                  std::move(settings), {log_, {}, "0.0-test", {}});
  }

  using Neighbour = std::function<bool(const tftpkit_addr&, std::uint8_t*)>;
  tftpkit::isolation::Isolated isolated(const std::string& plugin, tftpkit::isolation::Options options,
                                        host::Settings settings = {}, Neighbour neighbour = {}) {
    options.own_binary = environment("GUEST");
    const auto file = plugin_file(plugin);
    const auto description =
        host::describe_isolated(file, std::chrono::seconds(20), environment("DESCRIBE")).description;
    if (!description) throw std::runtime_error(plugin + " does not describe itself");
    return tftpkit::isolation::isolated_instance(*description, {plugin + "-1",
                                                                host::Snapshot::of(file),
                                                                std::move(settings),
                                                                {log_, std::move(neighbour), "0.0-test", {}},
                                                                std::move(options)});
  }

 private:
  static tftpkit::observe::LogOptions options(const std::filesystem::path& file) {
    tftpkit::observe::LogOptions options;
    options.level = tftpkit::observe::Level::debug;
    options.file = file.string();
    options.repeats = 1'000'000;
    return options;
  }

  Directory directory_;
  std::filesystem::path file_ = directory_.path() / "log";
  tftpkit::observe::Log log_{options(file_)};
};

inline host::OpenRequest request_for(const std::string& path) {
  static std::atomic<std::uint64_t> last_id{0};
  host::OpenRequest request;
  request.id = ++last_id;
  request.path = path;
  request.wire_path = "/" + path;
  request.answer_within = std::chrono::seconds(10);
  return request;
}

// One request: opened on construction, closed by its destructor at the latest.
class Asked {
 public:
  Asked(const std::shared_ptr<host::Instance>& instance, const std::string& path, bool open_now = true)
      : call_(host::Call::make(instance, request_for(path), [this](host::Answer answer) {
          const std::lock_guard lock(mutex_);
          ++answers_;
          answer_.emplace(std::move(answer));
          changed_.notify_all();
        })) {
    if (open_now) call_->open();
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  host::Call& call() { return *call_; }
  std::shared_ptr<host::Call>& shared() { return call_; }

  int answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  // Waits for the answer; a test that never gets one fails by its time limit.
  host::Answer& answer() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return answer_.has_value(); });
    return *answer_;
  }

  // All bytes of a buffer, stream or descriptor.
  std::string content() {
    host::Answer& got = answer();
    if (!got.source) return "(" + std::string(host::text(got.status)) + ")";
    if (got.source->kind == host::Kind::buffer)
      return {reinterpret_cast<const char*>(got.source->data.data()), got.source->data.size()};
    return got.source->kind == host::Kind::fd ? from_fd(*got.source) : from_stream();
  }

 private:
  static std::string from_fd(const host::Source& source) {
    std::string all;
    std::vector<char> part(65536);
    for (;;) {
      const ssize_t n = source.regular ? ::pread(source.fd.get(), part.data(), part.size(),
                                                 static_cast<off_t>(source.fd_offset + all.size()))
                                       : ::read(source.fd.get(), part.data(), part.size());
      if (n <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(n));
    }
  }

  std::string from_stream() {
    std::string all;
    std::vector<std::byte> part(1428);
    for (;;) {
      const std::int64_t n = call_->read(part);
      if (n <= 0) return all;
      all.append(reinterpret_cast<const char*>(part.data()), static_cast<std::size_t>(n));
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<host::Answer> answer_;
  int answers_ = 0;
  std::shared_ptr<host::Call> call_;  // last: its destructor may still answer
};

// Until a condition that another thread brings about holds; false after ten seconds.
template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(500);
  }
  return true;
}

}  // namespace bench
