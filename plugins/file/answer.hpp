// One request from its name to its file: rewrite, hidden names, the client's own directory, the tree. The
// life of an instance and its tables belong to plugin.cpp.
#pragma once

#include "client.hpp"
#include "settings.hpp"
#include "tree.hpp"

#include <string>
#include <vector>

namespace tftpkit::file {

class Answers {
 public:
  // Throws SettingsError. `host` outlives it.
  Answers(const tftpkit_host& host, bool without_openat2);

  // The file for this request. `trace` gets one line that tells how it was found or missed.
  Verdict open(const tftpkit_request& request, std::string& trace, Haste haste) const;

 private:
  Verdict named(const std::string& path, Client& client, std::string& trace, Haste haste) const;
  std::vector<std::string> own_directories(Client& client) const;
  bool belongs_to_another(const std::string& path, const std::vector<std::string>& own) const;

  const tftpkit_host& host_;
  Settings settings_;
  Tree tree_;
};

}  // namespace tftpkit::file
