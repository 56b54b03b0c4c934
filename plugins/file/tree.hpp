// The served directory: a clean name goes in, an open regular file or a reason comes out. Knows the file
// system rules of the settings; knows nothing of clients and rewriting. One per instance, used from many
// threads at once.
#pragma once

#include "recent_names.hpp"
#include "root.hpp"
#include "settings.hpp"

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>

namespace tftpkit::file {

// What became of one name. DECLINED means that there is no such file.
struct Verdict {
  tftpkit_status status = TFTPKIT_OK;
  std::string text;  // why not; may reach the client, so it names nothing that the client did not
  UniqueFd fd;
  std::uint64_t size = 0;  // bytes
  bool later = false;      // asked for now: it cannot be said without waiting
};

// May an answer take its time, or does it have to be there at once?
enum class Haste { none, now };

class Tree {
 public:
  // Opens the root and keeps it. Throws SettingsError when that is not possible. `settings` outlives the
  // tree.
  Tree(const Settings& settings, const tftpkit_host& host, bool without_openat2);

  Verdict open(const std::string& path, Haste haste) const;

 private:
  Verdict open_now(const std::string& path) const;
  std::optional<Verdict> opened_at_once(int root, const std::string& path) const;
  Opened find(int root, const std::string& path) const;
  Verdict checked(const Opened& found, const struct stat& status, Haste haste) const;
  Verdict readable(const UniqueFd& found, std::optional<std::uint64_t> known_size) const;
  std::optional<Verdict> forbidden(const struct stat& status) const;
  Verdict answer(UniqueFd file, std::uint64_t size) const;
  Verdict refusal(int error, const std::string& path) const;
  void warn_once(const std::string& text) const;

  const Settings& settings_;
  const tftpkit_host& host_;
  Root root_;
  Reopening reopen_;
  mutable RecentNames recent_;
  Lookup lookup_;
  std::optional<dev_t> local_device_;  // of the root, when opening a file there asks no network and no daemon
  mutable std::mutex warned_mutex_;
  mutable std::set<std::string> warned_;
};

}  // namespace tftpkit::file
