// Finding a name whose letters differ in case, as Windows loaders ask (`\Boot\BCD`). ASCII letters only.
// Knows directories below a root; knows nothing of requests. One search is one value, used by one thread.
#pragma once

#include "confined.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::file {

// Are the two the same but for the case of A to Z?
bool same_folded(std::string_view a, std::string_view b) noexcept;

class FoldedSearch {
 public:
  FoldedSearch(int root, Symlinks symlinks, Lookup lookup, const Reopening& reopen)
      : root_(root), symlinks_(symlinks), lookup_(lookup), reopen_(reopen) {}

  // The existing name that `path` stands for. In every directory the exact spelling comes first, then the
  // others in byte order, and a branch without the file is left again; so the same tree always gives the same
  // answer.
  std::optional<std::string> find(const std::string& path);

  // Was there more than one spelling to choose from?
  bool ambiguous() const noexcept { return ambiguous_; }

 private:
  bool descend(const std::string& prefix, std::string_view rest);
  bool take(const std::string& candidate, std::string_view tail);
  std::vector<std::string> other_spellings(const std::string& directory, std::string_view part);

  int root_;
  Symlinks symlinks_;
  Lookup lookup_;
  const Reopening& reopen_;
  int listings_left_ = 64;  // directories read for one request: bounds the work that a strange tree can cause
  bool ambiguous_ = false;
  std::string result_;
};

}  // namespace tftpkit::file
