// One instance of the plugin: from a request to its answer, and from the end of a transfer to its line in the
// record. The decision itself is decide.hpp's; the life of an instance is plugin.cpp's.
#pragma once

#include "firmware/decision_cache.hpp"
#include "firmware/recorder.hpp"
#include "firmware/settings.hpp"
#include "firmware/state.hpp"
#include "firmware/verifier.hpp"
#include "kit/lease_files.hpp"
#include "kit/watched.hpp"

#include <tftpkit/plugin.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tftpkit::firmware {

class Firmware : public Plugin {
 public:
  explicit Firmware(Host host);

  void start();
  void stop();
  Answer open(const Request& request);
  void closed(std::uint64_t request_id, const Outcome& outcome);

 private:
  using StatePointer = std::shared_ptr<const State>;

  [[nodiscard]] config::Checked<StatePointer> load();
  void verify(const State& state);
  void report_image(const Verifier::Wanted& wanted, Verifier::Verdict verdict, const std::string& text);

  [[nodiscard]] Question question_of(const Request& request) const;
  [[nodiscard]] std::shared_ptr<const Cached> decision_for(const Question& question,
                                                           const StatePointer& state);
  [[nodiscard]] std::shared_ptr<const Cached> companion_of_cached(const Question& question,
                                                                  const StatePointer& state);
  [[nodiscard]] Stock stock_of(const State& state) const;
  [[nodiscard]] Answer answer_to(const Request& request, const Question& question, const Cached& cached);
  [[nodiscard]] Answer file_answer(const Request& request, const Question& question,
                                   const Decision& decision);
  [[nodiscard]] Answer text_answer(const Request& request, const Question& question, const Cached& cached);

  [[nodiscard]] static Given given_for(const Question& question, const Decision& decision);
  void remember(std::uint64_t request_id, Given given);

  Host host_;
  Settings settings_;
  std::vector<std::filesystem::path> looked_at_;  // by the last load
  std::optional<Verifier> verifier_;              // none without a root, or when nothing shall be verified
  std::optional<Recorder> recorder_;
  DecisionCache cache_;
  kit::LeaseFiles leases_;
  std::mutex open_mutex_;
  std::unordered_map<std::uint64_t, Given> open_;  // transfers under way, by request
  kit::Watched<State> state_;                      // last: its thread uses all of the above
};

}  // namespace tftpkit::firmware
