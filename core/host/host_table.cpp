#include "host/host_table.hpp"

#include "host/call.hpp"
#include "host/frame.hpp"
#include "observe/log.hpp"

#include <algorithm>
#include <string_view>

namespace tftpkit::host {

namespace {

constexpr std::size_t longest_text = 8192;

observe::Level level_of(std::uint32_t level) noexcept {
  if (level < TFTPKIT_LOG_INFO) return observe::Level::debug;
  if (level < TFTPKIT_LOG_WARNING) return observe::Level::info;
  return level < TFTPKIT_LOG_ERROR ? observe::Level::warning : observe::Level::error;
}

std::string_view text_of(const char* text, std::size_t len) noexcept {
  if (text == nullptr) return {};
  return {text, std::min(len, longest_text)};
}

}  // namespace

tftpkit_host HostTable::made_for(Instance& instance) noexcept {
  tftpkit_host table{};
  table.struct_size = static_cast<std::uint32_t>(sizeof table);
  table.abi_version = TFTPKIT_ABI_VERSION;
  table.impl = &instance;
  table.product = "tftpkit";
  table.product_version = instance.services_.product_version.c_str();
  table.instance_name = instance.name_.c_str();
  table.log = log;
  table.log_enabled = log_enabled;
  table.explain = explain;
  table.setting = setting;
  table.setting_int = setting_int;
  table.setting_count = setting_count;
  table.cancelled = cancelled;
  table.complete = complete;
  table.peer_link_address = peer_link_address;
  table.extension = extension;
  return table;
}

Instance* HostTable::of(const tftpkit_host* host) noexcept {
  return host == nullptr ? nullptr : static_cast<Instance*>(host->impl);
}

void HostTable::log(const tftpkit_host* host, std::uint32_t level, const char* text,
                    std::size_t len) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr) return;
  const std::string_view said = text_of(text, len);
  if (instance->services_.speech)
    return instance->services_.speech(Services::Kind::says, level_of(level), said);
  instance->services_.log.write(level_of(level), "plugin says",
                                {{"instance", instance->name_}, {"text", said}}, said);
}

std::int32_t HostTable::log_enabled(const tftpkit_host* host, std::uint32_t level) noexcept {
  const Instance* instance = of(host);
  return instance != nullptr && instance->services_.log.enabled(level_of(level)) ? 1 : 0;
}

void HostTable::explain(const tftpkit_host* host, const char* text, std::size_t len) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr) return;
  const Frame* frame = Frame::current();
  if (frame == nullptr || frame->instance() != instance) {
    instance->blame(
        "explain() outside of a call of this instance, or on another thread; the text is ignored");
    return;
  }
  frame->explanation()->assign(text_of(text, len));
}

std::int32_t HostTable::setting(const tftpkit_host* host, const char* pointer, tftpkit_str* value) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr || pointer == nullptr || value == nullptr) return 0;
  const std::string* text = instance->settings_.text(pointer);
  if (text == nullptr) return 0;
  *value = {text->c_str(), text->size()};
  return 1;
}

std::int32_t HostTable::setting_int(const tftpkit_host* host, const char* pointer,
                                    std::int64_t* value) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr || pointer == nullptr || value == nullptr) return 0;
  const std::int64_t* found = instance->settings_.integer(pointer);
  if (found == nullptr) return 0;
  *value = *found;
  return 1;
}

std::size_t HostTable::setting_count(const tftpkit_host* host, const char* pointer) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr || pointer == nullptr) return 0;
  return instance->settings_.count(pointer);
}

std::int32_t HostTable::cancelled(const tftpkit_host* host, std::uint64_t request_id) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr) return 1;
  const auto request = instance->requests_.find(request_id).request;
  return !request || request->cancelled() ? 1 : 0;
}

tftpkit_status HostTable::complete(const tftpkit_host* host, std::uint64_t request_id, tftpkit_status status,
                                   const tftpkit_source* source, const tftpkit_sink* /*sink*/,
                                   const char* text, std::size_t len) noexcept {
  Instance* instance = of(host);
  if (instance == nullptr) return TFTPKIT_E_INVALID;
  // Marks the thread as the plugin's, so that the last holder of the instance may let go in here.
  const Frame frame(nullptr, nullptr);
  const Requests::Entry entry = instance->requests_.find(request_id);
  const std::shared_ptr<Call> call = entry.call.lock();
  if (call) return call->complete(status, source, std::string(text_of(text, len)));
  instance->requests_.bury(request_id);
  return TFTPKIT_E_STALE;
}

tftpkit_status HostTable::peer_link_address(const tftpkit_host* host, std::uint64_t request_id,
                                            std::uint8_t* mac) noexcept {
  const Instance* instance = of(host);
  if (instance == nullptr || mac == nullptr) return TFTPKIT_E_INVALID;
  const auto request = instance->requests_.find(request_id).request;
  if (!request) return TFTPKIT_E_STALE;
  if (!instance->services_.neighbour) return TFTPKIT_E_NOT_FOUND;
  return instance->services_.neighbour(request->view().peer, mac) ? TFTPKIT_OK : TFTPKIT_E_NOT_FOUND;
}

const void* HostTable::extension(const tftpkit_host* /*host*/, const char* /*name*/) noexcept {
  return nullptr;
}

}  // namespace tftpkit::host
