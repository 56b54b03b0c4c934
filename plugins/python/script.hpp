// One script as it was loaded: asks it for answers. Shared by the transfers that it answers; the last one
// that lets go stops it. Calls may run on several threads at once.
#pragma once

#include "interpreter.hpp"

#include <tftpkit/plugin.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tftpkit::python {

// What it is made from.
struct Wanted {
  std::string instance;
  std::filesystem::path script;
  std::string settings;    // JSON object
  std::string more_paths;  // JSON array
  std::size_t piece = 0;   // bytes of a stream that Python is asked for at once
};

class Script : public std::enable_shared_from_this<Script> {
 public:
  // Throws a Failure that says what is wrong with the script and where; the log has the traceback.
  Script(const Wanted& wanted, PyObject* link);
  ~Script();
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Throws a Failure.
  void start() const;
  // Ends what start() began. At the latest the end of this object does the same.
  void stop() const noexcept;
  [[nodiscard]] Answer answer(const Request& request) const;

  // Its own file first, then the modules beside it.
  [[nodiscard]] const std::vector<std::filesystem::path>& files() const noexcept { return files_; }

 private:
  Object object_;
  std::size_t piece_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace tftpkit::python
