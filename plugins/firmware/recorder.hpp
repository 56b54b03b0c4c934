// Writes the record of what was given to whom: JSON lines, appended on a thread of its own so that no
// transfer waits for a disk. When the file was moved away (logrotate) the next line begins a new one. Belongs
// to one instance.
#pragma once

#include "firmware/record.hpp"
#include "kit/unique_fd.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace tftpkit::firmware {

class Recorder {
 public:
  static constexpr std::size_t longest_queue = 65'536;  // lines; what comes then is counted and left out

  // `warn` is called from the thread, once for each kind of trouble until it is over.
  Recorder(std::filesystem::path file, std::function<void(const std::string&)> warn)
      : file_(std::move(file)), warn_(std::move(warn)) {}
  ~Recorder() { stop(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Throws std::system_error when the file cannot be opened.
  void start();
  // What is in the queue is written first.
  void stop();

  // [any-thread] Never waits for the disk.
  void add(const Given& given);

 private:
  void run();
  void write(const std::deque<std::string>& lines);
  [[nodiscard]] bool open_where_needed();

  std::filesystem::path file_;
  std::function<void(const std::string&)> warn_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::string> queue_;
  std::uint64_t left_out_ = 0;
  bool stopping_ = false;
  kit::UniqueFd fd_;
  bool in_trouble_ = false;
  std::thread thread_;
};

}  // namespace tftpkit::firmware
