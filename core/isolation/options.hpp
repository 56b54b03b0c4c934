// How the process of an isolated instance is bounded, as plain values. Documented in core/config/README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::isolation {

struct Sandbox {
  std::string user;               // whom to become; "": nobody when the server is root, else stay
  bool network = true;            // may make sockets other than local ones
  std::vector<std::string> read;  // beside the system's directories only these may be read; none: everything
};

// How long until the next start after an end; doubled each time, a quarter more or less by chance.
struct Backoff {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds most{30'000};
  std::chrono::milliseconds well{30'000};  // who has run so long begins anew with `first`
};

struct Options {
  std::uint64_t memory = std::uint64_t{512} << 20;  // bytes; 0: no limit
  std::chrono::milliseconds call_limit{60'000};     // for one call into the plugin
  unsigned threads = 8;                             // calls at a time where the plugin is not serial
  std::optional<Sandbox> sandbox;
  Backoff backoff;
  std::chrono::milliseconds patience{5'000};  // with a process that was asked to end
  // A binary whose main() hands `--tftpkit-isolated` to serve::guest_process().
  std::filesystem::path own_binary = "/proc/self/exe";
};

// The hidden argument of the own binary.
inline constexpr const char* isolated_argument = "--tftpkit-isolated";

// Where the process finds its end of the connection.
inline constexpr int channel_fd = 3;

// What the process ends with when its connection is gone.
inline constexpr int exit_without_server = 121;

}  // namespace tftpkit::isolation
