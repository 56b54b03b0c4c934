#include "support/scratch.hpp"

#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <sys/stat.h>

namespace test_support {
namespace fs = std::filesystem;

Scratch::Scratch() {
  std::string name = (fs::temp_directory_path() / "tftpkit-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  base_ = name;
  ::chmod(name.c_str(), 0755);
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(base_, ignored);
}

void Scratch::file(const std::string& name, std::string_view content) const {
  const fs::path full = base_ / name;
  fs::create_directories(full.parent_path());
  std::ofstream(full, std::ios::binary) << content;
  if (::chmod(full.c_str(), 0644) != 0) throw std::runtime_error("cannot make " + full.string());
}

void Scratch::replace(const std::string& name, std::string_view content) const {
  file(name + ".new", content);
  fs::rename(base_ / (name + ".new"), base_ / name);
}

}  // namespace test_support
