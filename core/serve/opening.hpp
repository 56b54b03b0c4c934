// Opening: finds the bytes for one request: asks the instances of its route in order, follows
// redirects, and ends with a source or with a refusal. Does not know what happens to the bytes then.
#pragma once

#include "serve/plugin_transfer.hpp"
#include "serve/step.hpp"
#include "wire/error_code.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace tftpkit::serve {

// Instances of a route, in the order in which they are asked.
using Candidates = std::vector<std::shared_ptr<const Served>>;

// All transfers that led to the source: redirecting ones first, the one that has the bytes last. Every one of
// them is finished with the outcome of the whole.
using Chain = std::vector<std::shared_ptr<PluginTransfer>>;

struct Found {
  host::Source source;
  Chain chain;
};

struct NotFound {
  wire::Reject reject;      // for the client
  std::string explanation;  // for the log: what plugins said, in full
  std::string instance;     // who refused; empty when everybody declined
  Chain chain;              // redirecting transfers whose target failed; to be finished too
};

using Resolution = std::variant<Found, NotFound>;

class Opening : public std::enable_shared_from_this<Opening> {
 public:
  using OnResolved = std::function<void(Resolution)>;

  // `explain`: put what a plugin says about its refusal into the ERROR for the client. `on_step` hears of
  // every instance that is asked and of what it says.
  Opening(loop::Loop& loop, Candidates candidates, host::OpenRequest request, bool explain,
          OnStep on_step = {});

  // `on_resolved` is called once, on the loop's thread, maybe inside start(); never after give_up().
  void start(OnResolved on_resolved);

  // The request is given up: calls under way are cancelled, what they open late is closed.
  void give_up(const host::Ending& ending);

  // Who is being asked now; empty when nobody.
  [[nodiscard]] std::string asking() const;

 private:
  void ask_next();
  void on_answer(host::Answer answer);
  void on_source(host::Source source);
  void on_redirect(const std::string& path);
  void refuse(wire::ErrorCode code, const std::string& text, std::string explanation);
  void tell(const host::Answer& answer) const;
  void resolve(Resolution resolution);
  void out_of_memory();

  loop::Loop& loop_;
  Candidates candidates_;
  host::OpenRequest request_;
  bool explain_;
  OnStep on_step_;
  OnResolved on_resolved_;
  std::size_t next_ = 0;
  std::shared_ptr<PluginTransfer> asked_;
  Chain chain_;
  std::string declined_because_;
};

}  // namespace tftpkit::serve
