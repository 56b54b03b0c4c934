// What this process holds and how it is set, as numbers to compare: to notice what a plugin leaks, starts or
// changes behind the host's back.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace tftpkit::conformance {

struct Holdings {
  std::set<int> descriptors;
  std::size_t threads = 0;
  std::size_t heap_bytes = 0;
};

[[nodiscard]] Holdings holdings();

// Threads take a moment to be gone after they were joined: waits until nothing is left of what came since
// `before`, or two seconds.
[[nodiscard]] Holdings settled_holdings(const Holdings& before);

// Waits until no thread has come or gone for a while first: runtimes of some languages start behind dlopen().
[[nodiscard]] Holdings calm_holdings();

// Each thing that has grown between the two in words, or nothing. A plugin may take something once, for ever;
// what grows with each of `rounds` is a leak.
[[nodiscard]] std::string growth(const Holdings& before, const Holdings& after, std::size_t rounds);

// The same for what is taken once but late, in the middle of the rounds: only what has grown in both halves
// of them counts.
[[nodiscard]] std::string growth(const Holdings& before, const Holdings& half_way, const Holdings& after,
                                 std::size_t rounds);

// "socket:[123]", "/etc/passwd".
[[nodiscard]] std::string what_is(int descriptor);

// What a guest must leave alone, name and value: directory, umask, locale, environment.
using Manners = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Manners manners();
// Every signal that has a handler.
[[nodiscard]] std::string signal_handlers();

}  // namespace tftpkit::conformance
