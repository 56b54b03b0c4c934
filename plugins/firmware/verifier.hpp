// Compares images with the hashes of the catalogue, on a thread of its own: an image is handed out only once
// it was found right, and only as long as the file has not changed since. Knows nothing of rules. Belongs to
// one instance.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tftpkit::firmware {

// What a file is known by without reading it.
struct FileMark {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileMark&, const FileMark&) = default;
};
// nullopt: there is no such regular file.
[[nodiscard]] std::optional<FileMark> mark_of(const std::filesystem::path& file);

class Verifier {
 public:
  enum class Verdict { good, checking, missing, wrong };
  struct Wanted {
    std::string file;  // below the root
    std::string sha256;
    std::optional<std::uint64_t> size;
    std::string told;  // "rule "x" (rules.json: /rules/3)", for the report
  };
  // Called from the thread, for every image that was looked at.
  using Report = std::function<void(const Wanted& wanted, Verdict verdict, const std::string& text)>;

  Verifier(std::filesystem::path root, Report report) : root_(std::move(root)), report_(std::move(report)) {}
  ~Verifier() { stop(); }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  void start();
  void stop();

  // [any-thread] The images of the catalogue from now on. What was found right and has not changed stays so.
  void want(std::vector<Wanted> images);
  // [any-thread] May this file be handed out? A file that changed is looked at again, before all others.
  [[nodiscard]] Verdict verdict(const std::string& file, const std::string& sha256);

 private:
  struct Known {
    Wanted wanted;
    Verdict verdict = Verdict::checking;
    std::optional<FileMark> mark;  // of the file that the verdict is about
    bool queued = false;
  };

  void run();
  void look_at(const Wanted& wanted);
  // nullopt: the thread shall end. Reads without the lock.
  [[nodiscard]] std::optional<std::string> hash_of(const std::filesystem::path& file, std::string& error);

  std::filesystem::path root_;
  Report report_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::map<std::string, Known> known_;
  std::deque<std::string> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tftpkit::firmware
