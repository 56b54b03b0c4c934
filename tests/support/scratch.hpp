// A temporary directory that is gone at the end.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace test_support {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path path(const std::string& name = "") const {
    return name.empty() ? base_ : base_ / name;
  }
  // Writes a file (0644) with its directories; replace() puts it in place by renaming.
  void file(const std::string& name, std::string_view content) const;
  void replace(const std::string& name, std::string_view content) const;

 private:
  std::filesystem::path base_;
};

}  // namespace test_support
