// The served directory: a clean name goes in, an open regular file or a reason comes out. Knows the file
// system rules of the settings; knows nothing of clients and rewriting. One per instance, used from many
// threads at once.
#pragma once

#include "settings.hpp"

#include <mutex>
#include <set>
#include <string>

namespace tftpkit::file {

// What became of one name. DECLINED means that there is no such file.
struct Verdict {
  tftpkit_status status = TFTPKIT_OK;
  std::string text;  // why not; may reach the client, so it names nothing that the client did not
  UniqueFd fd;
  std::uint64_t size = 0;  // bytes
};

class Tree {
 public:
  // Opens the root and keeps it. Throws SettingsError when that is not possible. `settings` outlives the
  // tree.
  Tree(const Settings& settings, const tftpkit_host& host, bool without_openat2);

  Verdict open(const std::string& path) const;

 private:
  // The directory to search now. A root that was replaced under its name is taken up with the next request;
  // while the name cannot be opened (between two renames, or after privileges were dropped) the one from the
  // start serves.
  class Root;

  Opened find(int root, const std::string& path) const;
  Verdict checked(const Opened& found) const;
  Verdict readable(const UniqueFd& found) const;
  Verdict refusal(int error, const std::string& path) const;
  void warn_once(const std::string& text) const;

  const Settings& settings_;
  const tftpkit_host& host_;
  UniqueFd first_root_;
  Lookup lookup_;
  mutable std::mutex warned_mutex_;
  mutable std::set<std::string> warned_;
};

}  // namespace tftpkit::file
