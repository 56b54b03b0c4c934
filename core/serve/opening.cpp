#include "serve/opening.hpp"

#include "serve/without_memory.hpp"

#include <utility>

namespace tftpkit::serve {

namespace {

constexpr std::uint32_t max_redirects = 8;

// The table beside tftpkit_status in plugin.h.
wire::ErrorCode error_code(tftpkit_status status) {
  switch (status) {
  case TFTPKIT_E_NOT_FOUND: return wire::ErrorCode::file_not_found;
  case TFTPKIT_E_ACCESS: return wire::ErrorCode::access_violation;
  case TFTPKIT_E_NO_SPACE: return wire::ErrorCode::disk_full;
  case TFTPKIT_E_UNSUPPORTED: return wire::ErrorCode::illegal_operation;
  case TFTPKIT_E_EXISTS: return wire::ErrorCode::file_exists;
  case TFTPKIT_E_OPTION: return wire::ErrorCode::option_refused;
  default: return wire::ErrorCode::not_defined;
  }
}

// What a client reads when the plugin says nothing, or when it may not read what the plugin says.
std::string plain_text(tftpkit_status status) {
  const wire::ErrorCode code = error_code(status);
  return std::string{code == wire::ErrorCode::not_defined ? host::text(status) : wire::words(code)};
}

}  // namespace

Opening::Opening(loop::Loop& loop, Candidates candidates, host::OpenRequest request, bool explain,
                 OnStep on_step)
    : loop_{loop}, candidates_{std::move(candidates)}, request_{std::move(request)}, explain_{explain},
      on_step_{std::move(on_step)} {}

void Opening::start(OnResolved on_resolved) {
  const auto keep = shared_from_this();  // an answer at once may make our owner let go
  on_resolved_ = std::move(on_resolved);
  ask_next();
}

void Opening::ask_next() {
  if (next_ == candidates_.size()) {
    asked_.reset();
    const std::string why = candidates_.empty() ? "no route leads to a plugin" : declined_because_;
    return refuse(wire::ErrorCode::file_not_found, std::string{wire::words(wire::ErrorCode::file_not_found)},
                  why);
  }
  asked_ = std::make_shared<PluginTransfer>(loop_, candidates_[next_++]);
  asked_->open(request_, [self = shared_from_this()](host::Answer answer) {
    if (!if_memory_allows([&] { self->on_answer(std::move(answer)); })) self->out_of_memory();
  });
}

// What the plugin has opened is closed by the last who holds its call. Both texts are short enough to need no
// memory.
void Opening::out_of_memory() {
  if (asked_) asked_->abandon();
  if (on_resolved_)
    resolve(NotFound{
        {wire::ErrorCode::not_defined, "out of memory"}, "out of memory", {}, std::exchange(chain_, {})});
}

// What a plugin answered, in the words of plugin.h.
void Opening::tell(const host::Answer& answer) const {
  if (!on_step_) return;
  Step step{"instance", asked_->instance().name(), std::string{host::text(answer.status)}, answer.text};
  if (answer.source) {
    const auto& source = *answer.source;
    step.outcome = host::words(source.kind);
    step.why = source.kind == host::Kind::redirect ? "to " + source.redirect
               : source.size                       ? std::to_string(*source.size) + " bytes"
                                                   : "size unknown";
  }
  on_step_(step);
}

void Opening::on_answer(host::Answer answer) {
  tell(answer);
  if (answer.status == TFTPKIT_OK && answer.source) return on_source(std::move(*answer.source));
  if (answer.status == TFTPKIT_DECLINED) {
    if (!answer.text.empty()) declined_because_ = asked_->instance().name() + ": " + answer.text;
    return ask_next();
  }
  const std::string text = explain_ && !answer.text.empty() ? answer.text : plain_text(answer.status);
  refuse(error_code(answer.status), text, answer.text.empty() ? plain_text(answer.status) : answer.text);
}

void Opening::on_source(host::Source source) {
  chain_.push_back(std::exchange(asked_, nullptr));
  if (source.kind == host::Kind::redirect) return on_redirect(source.redirect);
  resolve(Found{std::move(source), std::exchange(chain_, {})});
}

// Only instances that follow in the route are asked: a redirect cannot come back to where it started.
void Opening::on_redirect(const std::string& path) {
  request_.path = path;
  request_.redirects += 1;
  if (request_.redirects > max_redirects)
    return refuse(wire::ErrorCode::not_defined, "too many redirects",
                  "more than " + std::to_string(max_redirects) + " redirects, the last one to " + path);
  ask_next();
}

void Opening::refuse(wire::ErrorCode code, const std::string& text, std::string explanation) {
  const std::string instance = asked_ ? asked_->instance().name() : std::string{};
  if (on_step_)
    on_step_({"refusal", instance, "ERROR " + std::to_string(static_cast<unsigned>(code)) + " " + text,
              explanation});
  resolve(NotFound{{code, text}, std::move(explanation), instance, std::exchange(chain_, {})});
}

void Opening::resolve(Resolution resolution) {
  std::exchange(on_resolved_, nullptr)(std::move(resolution));
}

void Opening::give_up(const host::Ending& ending) {
  on_resolved_ = nullptr;
  if (asked_) asked_->abandon();
  for (const auto& transfer : std::exchange(chain_, {}))
    transfer->finish(ending);
}

std::string Opening::asking() const {
  return asked_ ? asked_->instance().name() : std::string{};
}

}  // namespace tftpkit::serve
