// SignalWatch: a signal as an event on a loop. Owner: whoever reacts to it.
#pragma once

#include <functional>
#include <memory>

namespace tftpkit::loop {

class Loop;

class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal);  // throws std::system_error
  ~SignalWatch();                                                               // allowed inside on_signal
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct State;
  State* state_;
};

}  // namespace tftpkit::loop
