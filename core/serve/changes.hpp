// Changes: builds the next setup beside the loop, one at a time, since plugins take their time to describe
// themselves and to start; and ends instances that nobody holds any more. What is asked for meanwhile is one
// build more. Knows neither signals nor sockets; the server owns it.
#pragma once

#include "config/problem.hpp"
#include "loop/executor.hpp"
#include "loop/loop.hpp"
#include "serve/setup.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace tftpkit::serve {

class Changes {
 public:
  struct Wish {
    bool reread = false;                                               // the configuration
    bool look_again = false;                                           // at files that have not changed
    std::vector<std::function<void(const config::Problems&)>> tell{};  // what the server does without
  };
  using Built = config::Checked<std::shared_ptr<const Setup>>;
  using Build = std::function<Built(const Wish& wish)>;                       // on a thread of ours
  using OnBuilt = std::function<void(const Wish& wish, const Built& built)>;  // on the loop's thread

  Changes(loop::Loop& loop, Build build, OnBuilt on_built);
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  // On the loop's thread.
  void ask(Wish wish);
  // From any thread. Between builds: the contract gives plugins one [setup] call at a time.
  void end(std::function<void()> ending);
  // No more builds and endings begin here; later endings happen on the loop.
  loop::Executor::Shutdown shutdown(std::chrono::milliseconds patience);

 private:
  void begin();

  loop::Loop& loop_;
  Build build_;
  OnBuilt on_built_;
  loop::Executor thread_{1};
  loop::Lane lane_{thread_.lane("changes", 1)};
  bool building_ = false;
  bool more_ = false;
  Wish next_;
};

}  // namespace tftpkit::serve
