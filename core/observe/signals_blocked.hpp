// Threads made while this lives take no signals: those are for the one thread that waits for them. Not so the
// faults of a thread itself: blocked, they would end the process without a word to whoever handles them.
#pragma once

#include <csignal>

namespace tftpkit::observe {

class SignalsBlocked {
 public:
  SignalsBlocked() noexcept : before_{block()} {}
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  // The same for this thread and for good. What it blocked before.
  static sigset_t block() noexcept {
    sigset_t most;
    sigset_t before;
    sigfillset(&most);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
      sigdelset(&most, fault);
    ::pthread_sigmask(SIG_SETMASK, &most, &before);
    return before;
  }

 private:
  sigset_t before_;
};

}  // namespace tftpkit::observe
