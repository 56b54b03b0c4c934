// From a name to an open file. Find first (O_PATH: touches nothing), look at what it is, and only then open
// it.
#include "tree.hpp"

#include "fold.hpp"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>

namespace tftpkit::file {
namespace {

constexpr std::size_t warning_limit = 256;  // distinct lines for each instance: names come from outside

std::string because(int error) {
  return std::generic_category().message(error);
}

std::string advice(int error) {
  switch (error) {
  case ENOENT: return "; create it, or give an existing directory";
  case ENOTDIR: return "; give the directory, not a file in it";
  case EACCES: return "; the server's user needs search permission (x) on every directory above it";
  default: return "";
  }
}

bool is_missing(int error) {
  return error == ENOENT || error == ENOTDIR;
}

// A clock that costs nothing and moves every few milliseconds.
std::uint64_t milliseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

// File systems on which opening a file whose inode is in memory waits for nobody: no network, no daemon.
std::optional<dev_t> local_device(const Root::Directory& directory) {
  constexpr unsigned long xfs = 0x58465342;  // not in linux/magic.h
  struct statfs file_system {};
  if (::fstatfs(directory.fd.get(), &file_system) != 0) return std::nullopt;
  switch (static_cast<unsigned long>(file_system.f_type)) {
  case EXT4_SUPER_MAGIC:
  case xfs:
  case BTRFS_SUPER_MAGIC:
  case F2FS_SUPER_MAGIC:
  case TMPFS_MAGIC:
  case SQUASHFS_MAGIC:
  case ISOFS_SUPER_MAGIC:
  case OVERLAYFS_SUPER_MAGIC: return directory.status.st_dev;
  default: return std::nullopt;
  }
}

}  // namespace

Tree::Tree(const Settings& settings, const tftpkit_host& host, bool without_openat2)
    : settings_(settings), host_(host), root_(settings.root), lookup_(Lookup::steps) {
  const auto root = root_.now().directory;
  if (!root) {
    const int error = errno;
    throw SettingsError("/root: the directory \"" + settings.root + "\" cannot be opened: " + because(error) +
                        advice(error));
  }
  if (const Opened proof = reopen_(root->fd, O_PATH); !proof.fd)
    throw SettingsError("/root: files are opened through /proc/self/fd, which does not work here: " +
                        because(proof.error) + "; mount /proc");
  if (!without_openat2) lookup_ = best_lookup(root->fd.get());
  if (lookup_ == Lookup::kernel) local_device_ = local_device(*root);
  if (lookup_ == Lookup::steps)
    tftpkit_log(&host, TFTPKIT_LOG_INFO, "openat2 is not available here: names are resolved step by step");
}

// What is not in memory, not on the file system of the root, or has to be searched for, comes later.
Verdict Tree::open_now(const std::string& path) const {
  Verdict later;
  later.later = true;
  if (!local_device_) return later;
  const std::uint64_t now = milliseconds_now();
  const Root::Now root = root_.at(now);
  if (!root.reachable) return later;
  const int directory = root.directory->fd.get();
  if (recent_.remembered(path, now))
    if (auto verdict = opened_at_once(directory, path)) return std::move(*verdict);
  const Opened found = find_beneath(directory, path, settings_.symlinks, Lookup::cached);
  if (!found.fd && (found.error != ENOENT || settings_.case_insensitive)) return later;
  if (!found.fd) return refusal(found.error, path);
  struct stat status {};
  if (::fstat(found.fd.get(), &status) != 0 || status.st_dev != *local_device_) return later;
  if (S_ISREG(status.st_mode)) recent_.remember(path, now);
  return checked(found, status, Haste::now);
}

// For a name that led to a regular file a moment ago. Nothing when it does no longer, or something is in the
// way: the ordinary way finds out what.
std::optional<Verdict> Tree::opened_at_once(int root, const std::string& path) const {
  Opened file = open_beneath(root, path, settings_.symlinks);
  struct stat status {};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0) return std::nullopt;
  if (status.st_dev != *local_device_ || !S_ISREG(status.st_mode)) return std::nullopt;
  if (auto no = forbidden(status)) return no;
  return answer(std::move(file.fd), static_cast<std::uint64_t>(status.st_size));
}

Verdict Tree::open(const std::string& path, Haste haste) const {
  if (haste == Haste::now) return open_now(path);
  const Root::Now root = root_.now();
  if (!root.reachable)
    warn_once("the root \"" + settings_.root +
              "\" cannot be opened any more; the directory that it was serves on");
  const Opened found = find(root.directory->fd.get(), path);
  if (!found.fd) return refusal(found.error, path);
  struct stat status {};
  if (::fstat(found.fd.get(), &status) != 0) return refusal(errno, "");
  return checked(found, status, Haste::none);
}

Opened Tree::find(int root, const std::string& path) const {
  Opened exact = find_beneath(root, path, settings_.symlinks, lookup_);
  if (exact.fd || !settings_.case_insensitive || !is_missing(exact.error)) return exact;
  FoldedSearch search(root, settings_.symlinks, lookup_, reopen_);
  const std::optional<std::string> name = search.find(path);
  if (!name) return exact;
  if (search.ambiguous())
    warn_once("more than one name fits \"" + path + "\" but for the case of letters; \"" + *name +
              "\" is taken");
  return find_beneath(root, *name, settings_.symlinks, lookup_);
}

std::optional<Verdict> Tree::forbidden(const struct stat& status) const {
  if (S_ISDIR(status.st_mode)) return Verdict{TFTPKIT_E_ACCESS, "is a directory", {}, 0};
  if (!S_ISREG(status.st_mode)) return Verdict{TFTPKIT_E_ACCESS, "is not a regular file", {}, 0};
  if (settings_.only_world_readable && (status.st_mode & S_IROTH) == 0)
    return Verdict{TFTPKIT_E_ACCESS, "is not readable by everybody (o+r)", {}, 0};
  return std::nullopt;
}

Verdict Tree::checked(const Opened& found, const struct stat& status, Haste haste) const {
  if (auto no = forbidden(status)) return std::move(*no);
  // A local file system knows the size beforehand.
  const bool known = haste == Haste::now;
  return readable(found.fd, known ? std::optional{static_cast<std::uint64_t>(status.st_size)} : std::nullopt);
}

Verdict Tree::readable(const UniqueFd& found, std::optional<std::uint64_t> known_size) const {
  Opened file = reopen_(found, 0);
  if (!file.fd) return refusal(file.error, "");
  // Again, and only now: a network file system brings the size up to date when a file is opened.
  struct stat status {};
  if (!known_size && ::fstat(file.fd.get(), &status) != 0) return refusal(errno, "");
  return answer(std::move(file.fd), known_size.value_or(static_cast<std::uint64_t>(status.st_size)));
}

Verdict Tree::answer(UniqueFd file, std::uint64_t size) const {
  if (settings_.max_size && size > *settings_.max_size)
    return {TFTPKIT_E_ACCESS,
            "is larger than max_size (" + std::to_string(*settings_.max_size) + " bytes)",
            {},
            0};
  return {TFTPKIT_OK, "", std::move(file), size};
}

Verdict Tree::refusal(int error, const std::string& path) const {
  switch (error) {
  case ENOENT:
  case ENOTDIR: return {TFTPKIT_DECLINED, "no such file", {}, 0};
  case ENAMETOOLONG: return {TFTPKIT_DECLINED, "no such file: the name is too long", {}, 0};
  case ELOOP:
    if (settings_.symlinks == Symlinks::none)
      return {TFTPKIT_E_ACCESS, "a symbolic link is in the way, and links are not followed", {}, 0};
    return {TFTPKIT_DECLINED, "no such file: symbolic links lead in a circle", {}, 0};
  case EXDEV:
    warn_once("\"" + path +
              "\": a symbolic link leads out of the root or is absolute; make it relative and stay " +
              "beneath the root, or set \"symlinks\" to \"anywhere\"");
    return {TFTPKIT_E_ACCESS, "a symbolic link leads out of the served directory", {}, 0};
  case EACCES:
  case EPERM: return {TFTPKIT_E_ACCESS, "the server may not read it", {}, 0};
  case EAGAIN:
  case EMFILE:
  case ENFILE:
  case ENOMEM: return {TFTPKIT_E_UNAVAILABLE, "cannot be opened just now: " + because(error), {}, 0};
  default: return {TFTPKIT_E_IO, "cannot be opened: " + because(error), {}, 0};
  }
}

void Tree::warn_once(const std::string& text) const {
  {
    const std::lock_guard lock(warned_mutex_);
    if (warned_.size() >= warning_limit || !warned_.insert(text).second) return;
  }
  host_.log(&host_, TFTPKIT_LOG_WARNING, text.data(), text.size());
}

}  // namespace tftpkit::file
