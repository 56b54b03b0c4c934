#include "serve/jail.hpp"

#include "host/file_check.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

namespace tftpkit::serve {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& jail, const std::string& what) {
  throw std::runtime_error("\"chroot\": " + jail.string() + ": " + what);
}

}  // namespace

fs::path seen_from(const fs::path& jail, const fs::path& path, std::string_view what) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) throw std::runtime_error(std::string(what) + " " + path.string() + ": " + error.message());
  const fs::path inside = real.lexically_relative(fs::weakly_canonical(jail));
  if (inside.empty() || *inside.begin() == "..")
    fail(jail, std::string(what) + " " + real.string() +
                   " lies outside, where nothing can be read any more; put it below the directory");
  return "/" / inside;
}

void enter_jail(const fs::path& jail) {
  std::error_code error;
  if (const auto unsafe = host::unsafe_directory(jail)) fail(jail, *unsafe);
  if (::chdir(jail.c_str()) != 0 || ::chroot(".") != 0) {
    const bool may_not = errno == EPERM;
    fail(jail, may_not ? "this needs a start as root" : std::strerror(errno));
  }
  if (!fs::exists("/proc/self/exe", error))
    fail(jail,
         "there is no /proc in it, without which no plugin can be looked at; mount it there: mount --bind "
         "/proc " +
             (jail / "proc").string());
}

}  // namespace tftpkit::serve
