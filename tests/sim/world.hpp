// World: one seed, from the first packet to the last: a real serve::Worker with real plugins behind the real
// host, on a simulated machine and network, and the judgement at the end.
#pragma once

#include "client.hpp"
#include "findings.hpp"
#include "ledger.hpp"
#include "machine.hpp"
#include "network.hpp"
#include "referee.hpp"
#include "scenario.hpp"
#include "serve/worker.hpp"
#include "strangers.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::sim {

struct Report {
  std::vector<Finding> findings;
  std::string summary;
  std::uint64_t trace = 0;  // two runs of one seed have the same
  std::uint64_t packets = 0;
  std::uint64_t transfers = 0, complete = 0, told = 0, gave_up = 0, left = 0, resends = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Report run();

 private:
  void prepare_kernel();
  void make_server();
  [[nodiscard]] std::shared_ptr<const serve::Setup> make_setup(const config::Config& config) const;
  void make_visitors();
  [[nodiscard]] bool is_in_memory(const Address& peer) const;
  void on_client_done();
  void watch();
  void finish();
  void give_up();
  [[nodiscard]] Duration longest_life() const;
  void judge();
  void judge_client(const Caller& client, const Weather& weather);
  void judge_verdicts(const Caller& client);
  void judge_limits(const Packet& sent);
  void judge_rates();
  void judge_ends();
  void judge_one_answer(const std::vector<const Lent*>& of_peer);
  void judge_successors(const std::vector<const Lent*>& of_peer);
  void find(const std::string& property, const std::string& what) { findings_.add(property, what); }
  [[nodiscard]] TimePoint after_beginning(Duration time) const { return began_ + time; }

  Scenario scenario_;
  Machine machine_;
  TimePoint began_;
  Findings findings_;
  Ledger ledger_;
  Network network_;
  std::optional<Referee> referee_;
  std::optional<Strangers> strangers_;
  std::vector<std::unique_ptr<Caller>> clients_;
  std::size_t done_ = 0;
  std::optional<TimePoint> all_done_;
  bool finishing_ = false;

  observe::Log log_{{}};
  loop::Executor executor_{16};
  std::optional<serve::Admission> admission_;
  std::atomic<std::uint64_t> next_id_{0};
  std::vector<std::shared_ptr<const serve::Served>> served_;
  std::optional<serve::Worker> worker_;
};

}  // namespace tftpkit::sim
