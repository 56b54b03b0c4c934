#include "config/text_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace tftpkit::config {

std::optional<std::string> text_of_file(const std::filesystem::path& file, std::size_t limit,
                                        Report& report) {
  std::string text;
  std::array<char, 65536> buffer{};
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rbe"), &std::fclose);
  while (in && text.size() <= limit) {
    errno = 0;
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), in.get());
    text.append(buffer.data(), count);
    if (count == 0 && std::ferror(in.get()) == 0) return text;
    if (count == 0) break;
  }
  if (text.size() > limit) {
    report.add("",
               {"the file is larger than " + std::to_string(limit >> 20U) + " MiB", "is it the right one?"});
  } else {
    report.add("", {"the file cannot be read: " + std::generic_category().message(errno), ""});
  }
  return std::nullopt;
}

}  // namespace tftpkit::config
