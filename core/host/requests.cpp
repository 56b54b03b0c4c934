#include "host/requests.hpp"

#include <algorithm>

namespace tftpkit::host {

namespace {

tftpkit_str view_of(const std::string& text) {
  return {text.c_str(), text.size()};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

HeldRequest::HeldRequest(OpenRequest request) : own_(std::move(request)) {
  options_.reserve(own_.options.size());
  for (auto& [name, value] : own_.options) {
    std::transform(name.begin(), name.end(), name.begin(), lower);
    options_.push_back({view_of(name), view_of(value)});
  }
  view_.struct_size = static_cast<std::uint32_t>(sizeof view_);
  view_.op = TFTPKIT_OP_READ;
  view_.id = own_.id;
  view_.announced_size = TFTPKIT_SIZE_UNKNOWN;
  view_.path = view_of(own_.path);
  view_.wire_path = view_of(own_.wire_path);
  view_.mode = own_.mode;
  view_.blksize = own_.blksize;
  view_.windowsize = own_.windowsize;
  view_.answer_within_ms =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(own_.answer_within.count(), 0, UINT32_MAX));
  view_.peer = own_.peer;
  view_.local = own_.local;
  view_.redirects = own_.redirects;
  view_.option_count = static_cast<std::uint32_t>(options_.size());
  view_.options = options_.data();
}

bool Requests::add(std::uint64_t id, Entry entry) {
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  return part.entries.emplace(id, std::move(entry)).second;
}

Requests::Entry Requests::find(std::uint64_t id) const {
  const Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(id);
  return found == part.entries.end() ? Entry{} : found->second;
}

void Requests::forget(std::uint64_t id) {
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  part.entries.erase(id);
  part.orphans.erase(id);
}

void Requests::orphan(std::uint64_t id) {
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  if (part.entries.contains(id)) part.orphans.insert(id);
}

bool Requests::bury(std::uint64_t id) {
  Shard& part = shard(id);
  const std::lock_guard lock(part.mutex);
  if (part.orphans.erase(id) == 0) return false;
  part.entries.erase(id);
  return true;
}

std::size_t Requests::forgotten() const {
  std::size_t count = 0;
  for (const Shard& part : shards_) {
    const std::lock_guard lock(part.mutex);
    count += part.orphans.size();
  }
  return count;
}

}  // namespace tftpkit::host
