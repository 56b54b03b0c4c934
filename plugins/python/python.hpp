// One instance of the plugin: its settings, its script of the moment, and the next one when the script's file
// changes. Its calls run on threads of the server that may wait, several at once.
#pragma once

#include "kit/watched.hpp"
#include "script.hpp"

#include <tftpkit/plugin.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tftpkit::python {

class Python final : public Plugin {
 public:
  // Starts the interpreter and loads the script. Throws a Failure.
  explicit Python(Host host);
  ~Python();

  void start();
  void stop();
  Answer open(const Request& request) { return script_.now()->answer(request); }

 private:
  // What Python calls the host by. Cut at the end: threads that a script left behind find nobody.
  class Link {
   public:
    explicit Link(Host host);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    [[nodiscard]] PyObject* get() const noexcept { return capsule_.get(); }

   private:
    Object capsule_;
  };

  kit::Watched<Script>::Ways ways();
  config::Checked<std::shared_ptr<const Script>> load();

  Wanted wanted_;
  Link link_;
  bool started_ = false;
  std::vector<std::filesystem::path> files_;
  kit::Watched<Script> script_;
};

}  // namespace tftpkit::python
