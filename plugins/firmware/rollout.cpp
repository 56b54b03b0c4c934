#include "firmware/rollout.hpp"

#include "digest/sha256.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tftpkit::firmware {

std::uint32_t bucket_of(std::string_view salt, std::string_view key) noexcept {
  digest::Sha256 hash;
  hash.add(salt);
  hash.add(":");
  hash.add(key);
  const auto sum = hash.finish();
  const std::uint32_t number = static_cast<std::uint32_t>(sum[0]) << 24U |
                               static_cast<std::uint32_t>(sum[1]) << 16U |
                               static_cast<std::uint32_t>(sum[2]) << 8U | static_cast<std::uint32_t>(sum[3]);
  return number % bucket_count;
}

std::string Share::key_text(const Identity& identity) const {
  std::string serial(identity.value("serial"));
  if (key == Key::serial && !serial.empty()) return serial;
  if (identity.mac) return kit::mac_text(*identity.mac);
  if (!serial.empty()) return serial;
  return identity.text();
}

bool Share::holds(const Identity& identity) const {
  if (percent >= 100) return true;
  const std::string text = key_text(identity);
  return !text.empty() && bucket_of(salt, text) < static_cast<std::uint32_t>(std::lround(percent * 100));
}

Release release_for(const Channel& channel, const Identity& identity) {
  if (identity.device != nullptr && !identity.device->pin.empty())
    return {identity.device->pin, "pin", "pinned"};
  const Ring ring = identity.device == nullptr ? Ring::none : identity.device->ring;
  if (ring == Ring::hold || channel.canary.empty())
    return {channel.stable, "stable", ring == Ring::hold ? "ring hold" : "no canary"};
  if (ring == Ring::canary) return {channel.canary, "canary", "ring canary"};
  const std::string key = channel.share.key_text(identity);
  const bool inside = channel.share.holds(identity);
  const std::string why = key.empty()
                              ? fmt::format("{:g} %, unknown device", channel.share.percent)
                              : fmt::format("bucket {} of {}, {:g} %", bucket_of(channel.share.salt, key),
                                            bucket_count, channel.share.percent);
  return inside ? Release{channel.canary, "canary", why} : Release{channel.stable, "stable", why};
}

}  // namespace tftpkit::firmware
