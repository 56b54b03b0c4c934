// The functions behind the table of FakeHost.
#include "support/fake_host.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>

namespace test_support {
namespace {

// A descriptor is the host's: closed here.
std::string content_of(const tftpkit_source& source) {
  if (source.kind == TFTPKIT_SOURCE_REDIRECT) return std::string(source.redirect.ptr, source.redirect.len);
  std::string content(static_cast<std::size_t>(source.size), '\0');
  if (source.kind == TFTPKIT_SOURCE_BUFFER) {
    if (!content.empty()) std::memcpy(content.data(), source.data, content.size());
    return content;
  }
  const ssize_t got =
      ::pread(source.fd, content.data(), content.size(), static_cast<off_t>(source.fd_offset));
  content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  ::close(source.fd);
  return content;
}

}  // namespace

FakeHost::FakeHost(Texts settings) : settings_(std::move(settings)) {
  table_.struct_size = sizeof table_;
  table_.abi_version = TFTPKIT_ABI_VERSION;
  table_.impl = this;
  table_.product = "fake";
  table_.product_version = "0";
  table_.instance_name = "tested";
  table_.log = log;
  table_.log_enabled = log_enabled;
  table_.explain = explain;
  table_.setting = setting;
  table_.setting_int = setting_int;
  table_.setting_count = setting_count;
  table_.cancelled = cancelled;
  table_.complete = complete;
  table_.peer_link_address = peer_link_address;
}

std::string FakeHost::take_explanation() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(explanation_, std::string());
}

std::size_t FakeHost::logged(const std::string& part) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
    return line.find(part) != std::string::npos;
  }));
}

std::string FakeHost::all_logged() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string all;
  for (const std::string& line : lines_)
    all += line + "\n";
  return all;
}

bool FakeHost::wait_logged(const std::string& part) const {
  for (int i = 0; i < 1000 && logged(part) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return logged(part) != 0;
}

void FakeHost::log(const tftpkit_host* host, uint32_t, const char* text, size_t len) noexcept {
  FakeHost& self = of(host);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  self.lines_.emplace_back(text, len);
}

int32_t FakeHost::log_enabled(const tftpkit_host* host, uint32_t level) noexcept {
  return level > TFTPKIT_LOG_DEBUG || of(host).debug ? 1 : 0;
}

void FakeHost::explain(const tftpkit_host* host, const char* text, size_t len) noexcept {
  FakeHost& self = of(host);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  self.explanation_.assign(text, len);
}

int32_t FakeHost::setting(const tftpkit_host* host, const char* pointer, tftpkit_str* value) noexcept {
  const Texts& settings = of(host).settings_;
  const auto found = settings.find(pointer);
  if (found == settings.end()) return 0;
  *value = {found->second.c_str(), found->second.size()};
  return 1;
}

int32_t FakeHost::setting_int(const tftpkit_host* host, const char* pointer, int64_t* value) noexcept {
  const Texts& settings = of(host).settings_;
  const auto found = settings.find(pointer);
  if (found == settings.end()) return 0;
  const std::string& text = found->second;
  if (text == "true" || text == "false") {
    *value = text == "true" ? 1 : 0;
    return 1;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() ? 1 : 0;
}

size_t FakeHost::setting_count(const tftpkit_host* host, const char* pointer) noexcept {
  const std::string prefix = std::string(pointer) + "/";
  std::set<std::string> elements;
  for (const auto& [key, text] : of(host).settings_)
    if (key.compare(0, prefix.size(), prefix) == 0)
      elements.insert(key.substr(prefix.size(), key.find('/', prefix.size()) - prefix.size()));
  return elements.size();
}

int32_t FakeHost::cancelled(const tftpkit_host* host, uint64_t request_id) noexcept {
  const FakeHost& self = of(host);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  return self.given_up_.count(request_id) != 0 ? 1 : 0;
}

// Takes what is offered as the host does; close() is the test's business (take_open()).
tftpkit_status FakeHost::complete(const tftpkit_host* host, uint64_t request_id, tftpkit_status status,
                                  const tftpkit_source* source, const tftpkit_sink*, const char* text,
                                  size_t len) noexcept {
  FakeHost& self = of(host);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  Completion answer{status, std::string(text == nullptr ? "" : text, len), {}};
  const bool stale = self.given_up_.count(request_id) != 0;
  if (!stale && status == TFTPKIT_OK && source != nullptr) {
    answer.content = content_of(*source);
    self.open_.push_back(source->transfer);
  }
  self.completed_.emplace(request_id, std::move(answer));
  return stale ? TFTPKIT_E_STALE : TFTPKIT_OK;
}

std::optional<Completion> FakeHost::wait_completed(std::uint64_t request_id) const {
  for (int i = 0; i < 2000; ++i) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto found = completed_.find(request_id); found != completed_.end()) return found->second;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::nullopt;
}

std::vector<void*> FakeHost::take_open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(open_, {});
}

void FakeHost::give_up(std::uint64_t request_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  given_up_.insert(request_id);
}

tftpkit_status FakeHost::peer_link_address(const tftpkit_host* host, uint64_t, uint8_t* mac) noexcept {
  FakeHost& self = of(host);
  ++self.mac_questions;
  if (!self.mac) return TFTPKIT_E_NOT_FOUND;
  std::copy(self.mac->begin(), self.mac->end(), mac);
  return TFTPKIT_OK;
}

}  // namespace test_support
