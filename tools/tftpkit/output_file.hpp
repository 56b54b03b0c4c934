// OutputFile: where fetched bytes go: standard output, or a file that appears only when it is whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tftpkit::cli {

class OutputFile {
 public:
  // "" or "-": standard output. Else bytes go to a temporary file beside `path` until finish().
  // Throws Failure, as the other functions do.
  explicit OutputFile(const std::string& path);
  ~OutputFile();  // without finish() nothing is left behind
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void finish();

  [[nodiscard]] bool is_file() const noexcept { return !path_.empty(); }

 private:
  void check_terminal(std::span<const std::byte> bytes);

  std::string path_;
  std::string temporary_;
  int fd_ = 1;
  bool checked_ = false;
};

}  // namespace tftpkit::cli
