// Which one-shot boots were used up: kept in a file that a crash leaves whole. Marking is a matter of memory;
// a thread of its own writes, from start() to stop().
#pragma once

#include "config/json.hpp"

#include <tftpkit/plugin.hpp>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace tftpkit::pxe {

// One order to boot something once. Another profile or id is another order.
struct OneShot {
  std::string machine;
  std::string profile;
  std::string id;
  friend bool operator==(const OneShot&, const OneShot&) = default;
};

class OneShots {
 public:
  // Reads the file; one that does not exist yet is empty. Throws a Failure that says what is wrong with it.
  OneShots(Host host, std::optional<std::filesystem::path> file);
  ~OneShots();
  OneShots(const OneShots&) = delete;
  OneShots& operator=(const OneShots&) = delete;

  void start();
  void stop();  // returns when everything is written

  // [any-thread]
  [[nodiscard]] bool used(const OneShot& order) const;
  void use(const OneShot& order);

 private:
  struct Used {
    std::string profile;
    std::string id;
    std::string at;
  };
  void read();
  void read_used(const config::Json& all, config::Report& report);
  void run();
  void write(const std::string& text) const;
  [[nodiscard]] static std::string text_of(const std::map<std::string, Used>& all_used);

  Host host_;
  std::optional<std::filesystem::path> file_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, Used> used_;  // by machine
  bool unwritten_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tftpkit::pxe
