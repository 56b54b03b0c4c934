#include "host/file_check.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace tftpkit::host {

namespace {

std::string owner_text(uid_t uid) {
  return uid == 0 ? "root" : "user id " + std::to_string(uid);
}

std::optional<std::string> cannot_look(const std::filesystem::path& path) {
  return "cannot look at " + path.string() + ": " + std::strerror(errno);
}

// Whoever may write here could put code of their own into the server.
std::optional<std::string> open_to_others(const std::filesystem::path& path, const struct stat& seen) {
  const uid_t self = ::geteuid();
  if (seen.st_uid != 0 && seen.st_uid != self)
    return path.string() + " belongs to " + owner_text(seen.st_uid) + ", not to root or to " +
           owner_text(self) + " who runs this; do: chown " + (self == 0 ? "root" : std::to_string(self)) +
           " " + path.string();
  if ((seen.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return path.string() + " can be written by " +
           ((seen.st_mode & S_IWOTH) != 0 ? "everybody" : "its group") + "; do: chmod go-w " + path.string();
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unsafe_file(const std::filesystem::path& file) {
  struct stat seen {};
  if (::stat(file.c_str(), &seen) != 0) return cannot_look(file);
  if (!S_ISREG(seen.st_mode)) return file.string() + " is not a regular file";
  return open_to_others(file, seen);
}

std::optional<std::string> unsafe_directory(const std::filesystem::path& directory) {
  const std::filesystem::path shown = directory.empty() ? "." : directory;
  struct stat seen {};
  if (::stat(shown.c_str(), &seen) != 0) return cannot_look(shown);
  if (!S_ISDIR(seen.st_mode)) return shown.string() + " is not a directory";
  auto reason = open_to_others(shown, seen);
  if (reason && (seen.st_mode & S_ISVTX) != 0)
    return shown.string() + " is shared by everybody; keep plugins in a directory of their own";
  return reason;
}

}  // namespace tftpkit::host
