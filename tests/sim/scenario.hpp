// Scenario: what one seed means: the server's settings, its kernel, the weather and the habits of every
// client.
#pragma once

#include "client.hpp"
#include "config/config.hpp"
#include "files.hpp"
#include "kernel.hpp"
#include "network.hpp"
#include "random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::sim {

struct Visitor {
  Address ip;
  Weather weather;
  Habits habits;
  std::string path;
  Duration begins{};
};

// Most seeds mean any world. Some are about one thing that chance alone would hardly ever bring.
enum class Subject : std::uint8_t {
  any,
  wrap,   // a file of more than 65,535 blocks
  stall,  // a source that brings nothing more, and clients that are gone by then
};

struct Scenario {
  explicit Scenario(std::uint64_t seed);

  Random random;
  Subject subject;
  config::Config config;
  std::optional<config::Config> next_config;  // a reload in the middle
  Duration reloads_at{};
  std::optional<Duration> stops_at;  // the server is told to end
  KernelFaults kernel;
  Duration calm_after{};
  Duration stranger_pause{};  // 0: there are none
  std::vector<File> files;
  std::vector<Visitor> visitors;
  bool generous = true;  // no limit of the server is met by a sane client

  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::string details() const;

 private:
  void choose_config(Random choice);
  void choose_kernel(Random choice);
  void choose_files(Random choice);
  void choose_visitors(Random choice);
  void without_limits();
  void make_it_wrap(Random choice);
  void make_it_stall(Random choice);
};

}  // namespace tftpkit::sim
