#include "fixture.hpp"

#include <doctest/doctest.h>

#include <utility>

extern "C" const tftpkit_plugin* tftpkit_plugin_v1() noexcept;

namespace exec_test {

Texts script(const std::string& text, Texts more) {
  more["/command/0"] = text;
  more["/shell"] = "true";
  return more;
}

std::string refusal_of_settings(Texts settings) {
  test_support::FakeHost host(std::move(settings));
  void* self = nullptr;
  const tftpkit_status status = tftpkit_plugin_v1()->create(host.table(), &self);
  if (status == TFTPKIT_OK) {
    tftpkit_plugin_v1()->destroy(self);
    return "";
  }
  CHECK(status == TFTPKIT_E_OPTION);
  return host.take_explanation();
}

std::string refusal_of_start(Texts settings) {
  test_support::FakeHost host(std::move(settings));
  void* self = nullptr;
  REQUIRE(tftpkit_plugin_v1()->create(host.table(), &self) == TFTPKIT_OK);
  CHECK(tftpkit_plugin_v1()->start(self) != TFTPKIT_OK);
  tftpkit_plugin_v1()->destroy(self);
  return host.take_explanation();
}

Instance::Instance(Texts settings) : host(std::move(settings)), plugin_(*tftpkit_plugin_v1()) {
  const tftpkit_status made = plugin_.create(host.table(), &self_);
  std::string why = host.take_explanation();
  REQUIRE_MESSAGE(made == TFTPKIT_OK, why);
  const tftpkit_status started = plugin_.start(self_);
  why = host.take_explanation();
  REQUIRE_MESSAGE(started == TFTPKIT_OK, why);
  running_ = true;
}

Instance::~Instance() {
  stop();
  tftpkit_outcome outcome{};
  outcome.struct_size = sizeof outcome;
  for (void* transfer : host.take_open())
    plugin_.close(self_, transfer, &outcome);
  if (self_ != nullptr) plugin_.destroy(self_);
}

void Instance::stop() {
  if (std::exchange(running_, false)) plugin_.stop(self_);
}

std::uint64_t Instance::ask(std::string_view path) {
  static constexpr tftpkit_option tsize{{"tsize", 5}, {"0", 1}};
  Asked& asked = asked_.emplace_back(Asked{std::string(path), {tsize}, {}});
  asked.request.struct_size = sizeof asked.request;
  asked.request.op = TFTPKIT_OP_READ;
  asked.request.id = asked_.size();
  asked.request.path = asked.request.wire_path = {asked.path.c_str(), asked.path.size()};
  asked.request.mode = TFTPKIT_MODE_OCTET;
  asked.request.blksize = 1428;
  asked.request.windowsize = 1;
  asked.request.peer = {4, 2070, 0, {192, 0, 2, 7}};
  asked.request.options = asked.options.data();
  asked.request.option_count = 1;
  tftpkit_source source{};
  tftpkit_source_init(&source);
  const tftpkit_status status = plugin_.open_read(self_, &asked.request, &source);
  refused = status == TFTPKIT_PENDING ? TFTPKIT_OK : status;
  return asked.request.id;
}

Completion Instance::answer(std::uint64_t request) {
  const auto answer = host.wait_completed(request);
  REQUIRE_MESSAGE(answer.has_value(), "no answer to request " << request);
  return *answer;
}

}  // namespace exec_test
