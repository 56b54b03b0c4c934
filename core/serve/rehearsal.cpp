#include "serve/rehearsal.hpp"

#include "digest/sha256.hpp"
#include "loop/deadlines.hpp"
#include "loop/loop.hpp"
#include "serve/make_body.hpp"
#include "serve/opening.hpp"
#include "wire/path.hpp"

#include <system_error>
#include <utility>
#include <variant>

namespace tftpkit::serve {

namespace {

class Rehearsal {
 public:
  Rehearsal(loop::Loop& loop, const loop::Lane& disk, const Setup& setup, Asked asked)
      : loop_{loop}, disk_{disk}, setup_{setup}, asked_{std::move(asked)},
        deadlines_{loop}, deadline_{loop::Deadline::calls<&Rehearsal::on_deadline>(this)} {}
  ~Rehearsal() { deadlines_.cancel(deadline_); }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  Rehearsed run() {
    loop_.post([this] { begin(); });
    loop_.run();
    return std::move(result_);
  }

 private:
  void begin();
  void on_resolved(Resolution resolution);
  void on_found(Found found);
  void on_deadline();
  void pump();
  bool take();
  void refuse(const wire::Reject& reject, std::string why);
  void end(std::uint32_t end);

  loop::Loop& loop_;
  const loop::Lane& disk_;
  const Setup& setup_;
  Asked asked_;
  loop::Deadlines deadlines_;
  loop::Deadline deadline_;
  transfer::Agreement agreement_;
  std::shared_ptr<Opening> opening_;
  Chain chain_;
  std::unique_ptr<Body> body_;
  digest::Sha256 sum_;
  Rehearsed result_;
  bool ended_ = false;
};

void Rehearsal::begin() {
  const auto on_step = [this](const Step& step) { result_.steps.push_back(step); };
  const auto access = setup_.terms->access.step(asked_.peer);
  if (access) on_step(*access);
  if (!setup_.terms->access.admits(asked_.peer)) {
    result_.silent = true;
    return refuse({}, access->why);
  }
  auto path = wire::clean_path(asked_.request.filename);
  if (const auto* reject = std::get_if<wire::Reject>(&path)) {
    on_step({"name", asked_.request.filename, "refused before any route is looked at", reject->text});
    return refuse(*reject, reject->text);
  }
  asked_.path = std::get<std::string>(std::move(path));
  on_step({"name", asked_.request.filename, asked_.path == asked_.request.filename ? "clean" : "cleaned",
           asked_.path});
  // The path MTU of the client is not known here.
  agreement_ = transfer::negotiate(asked_.request, setup_.terms->protocol);
  deadlines_.set_after(deadline_, setup_.config().answer_timeout);
  opening_ = std::make_shared<Opening>(loop_, setup_.routes.candidates(asked_.path, asked_.peer, on_step),
                                       open_request(asked_, agreement_.terms, setup_.config().answer_timeout),
                                       setup_.config().explain_to_clients, on_step);
  opening_->start([this](Resolution resolution) { on_resolved(std::move(resolution)); });
}

void Rehearsal::on_resolved(Resolution resolution) {
  deadlines_.cancel(deadline_);
  opening_.reset();
  if (auto* found = std::get_if<Found>(&resolution)) return on_found(std::move(*found));
  auto& not_found = std::get<NotFound>(resolution);
  chain_ = std::move(not_found.chain);
  refuse(not_found.reject, not_found.instance.empty() ? not_found.explanation
                                                      : not_found.instance + ": " + not_found.explanation);
}

void Rehearsal::on_found(Found found) {
  chain_ = std::move(found.chain);
  result_.instance = chain_.back()->instance().name();
  try {
    body_ = make_body(std::move(found.source), agreement_.terms, chain_.back(),
                      {loop_, disk_, nullptr, [this] { pump(); }});
  } catch (const std::system_error& error) {
    return refuse({wire::ErrorCode::not_defined, "the plugin's descriptor cannot be read"}, error.what());
  }
  result_.terms = agreement_.terms;
  result_.size = body_->size();
  result_.oack = transfer::oack_options(agreement_, body_->size());
  result_.steps.push_back(step_of(agreement_.terms, result_.oack));
  pump();
}

// What is there goes into the sum; what is not there yet is waited for.
void Rehearsal::pump() {
  while (body_ && !ended_ && take()) {
  }
}

bool Rehearsal::take() {
  constexpr std::uint64_t piece = 64 * 1024;
  body_->want(result_.bytes, result_.bytes + piece);
  if (const std::string* failure = body_->failure()) {
    refuse({wire::ErrorCode::not_defined, *failure}, result_.instance + ": " + *failure);
    return false;
  }
  const std::uint64_t ready = body_->ready() - result_.bytes;
  if (ready == 0 && !body_->ended()) {
    deadlines_.set_after(deadline_, setup_.config().read_timeout);
    return false;
  }
  for (const auto& part : body_->view(result_.bytes, static_cast<std::size_t>(ready)))
    sum_.add(part);
  result_.bytes += ready;
  if (!body_->ended() || body_->ready() > result_.bytes) return true;
  result_.found = true;
  result_.sha256 = digest::text_of(sum_.finish());
  end(TFTPKIT_END_DELIVERED);
  return false;
}

void Rehearsal::on_deadline() {
  if (!opening_)
    return refuse({wire::ErrorCode::not_defined, "the source of this file is too slow"},
                  result_.instance + ": no bytes within read_timeout");
  const std::string name = opening_->asking();
  std::exchange(opening_, nullptr)->give_up({TFTPKIT_END_HOST, 0, {}, 0});
  refuse({wire::ErrorCode::not_defined, "the server's plugin did not answer in time"},
         name + ": no answer within answer_timeout");
}

void Rehearsal::refuse(const wire::Reject& reject, std::string why) {
  result_.reject = reject;
  result_.why = std::move(why);
  end(TFTPKIT_END_HOST);
}

void Rehearsal::end(std::uint32_t end) {
  if (std::exchange(ended_, true)) return;
  deadlines_.cancel(deadline_);
  // Not the body itself: this may run inside one of its own calls.
  loop_.post([this, end] {
    body_.reset();
    for (const auto& transfer : std::exchange(chain_, {}))
      transfer->finish({end, result_.bytes, {}, 0});
    loop_.stop();
  });
}

}  // namespace

Rehearsed rehearse(loop::Loop& loop, const loop::Lane& disk, const Setup& setup, Asked asked) {
  return Rehearsal{loop, disk, setup, std::move(asked)}.run();
}

}  // namespace tftpkit::serve
