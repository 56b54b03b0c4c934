// Negotiation of options. Two passes for a request: first the terms, because rollover bounds the window
// wherever it stands in the list, then the answers in the order asked.
#include "transfer/negotiation.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace tftpkit::transfer {
namespace {

using std::chrono::microseconds;
using wire::same_name;

enum class Known { blksize, windowsize, timeout, utimeout, tsize, rollover };

std::optional<Known> known(std::string_view name) noexcept {
  if (same_name(name, "blksize")) return Known::blksize;
  if (same_name(name, "windowsize")) return Known::windowsize;
  if (same_name(name, "timeout")) return Known::timeout;
  if (same_name(name, "utimeout")) return Known::utimeout;
  if (same_name(name, "tsize")) return Known::tsize;
  if (same_name(name, "rollover")) return Known::rollover;
  return std::nullopt;
}

std::uint16_t at_most(std::uint64_t asked, std::uint16_t limit) noexcept {
  return static_cast<std::uint16_t>(std::min<std::uint64_t>(asked, limit));
}

// An interval of 0 or beyond 255 s is malformed (RFC 2349); below 10 ms utimeout would be a flood (tftp-hpa's
// bound).
std::optional<microseconds> interval_of(Known option, std::uint64_t value) noexcept {
  const bool seconds = option == Known::timeout;
  const std::uint64_t least = seconds ? 1 : 10'000;
  const std::uint64_t most = seconds ? 255 : 255'000'000;
  if (value < least || value > most) return std::nullopt;
  return microseconds(static_cast<std::int64_t>(value * (seconds ? 1'000'000U : 1U)));
}

std::uint16_t largest_blksize(const Limits& limits) noexcept {
  return std::clamp(std::min(limits.blksize_max, limits.blksize_path), min_blksize, max_blksize);
}

std::uint16_t largest_window(const Limits& limits, unsigned rollover) noexcept {
  const std::uint16_t distinct = rollover == 0 ? 65535 : 65534;  // fewer than there are numbers
  return std::clamp<std::uint16_t>(limits.windowsize_max, 1, distinct);
}

// Which options of a request are granted, with the value that is.
class Grants {
 public:
  Grants(const wire::Request& request, const Limits& limits) {
    agreement_.terms.mode = request.mode;
    agreement_.terms.rollover = limits.rollover == 0 ? 0 : 1;
    for (const auto& option : request.options)
      if (known(option.name) == Known::rollover) grant(option, limits);
    for (const auto& option : request.options)
      answer(option, limits);
  }

  Agreement take() { return std::move(agreement_); }

 private:
  void answer(const wire::Option& option, const Limits& limits) {
    const auto granted = grant(option, limits);
    if (!granted) return;
    if (known(option.name) == Known::tsize) agreement_.tsize_at = agreement_.answers.size();
    agreement_.answers.push_back({option.name, std::to_string(*granted)});
  }

  std::optional<std::uint64_t> grant(const wire::Option& option, const Limits& limits) {
    const auto which = known(option.name);
    const auto value = decimal(option.value);
    if (!which || !value) return std::nullopt;
    auto& terms = agreement_.terms;
    switch (*which) {
    case Known::blksize:
      if (*value < min_blksize) return std::nullopt;
      return terms.blksize = at_most(*value, largest_blksize(limits));
    case Known::windowsize:
      if (*value == 0) return std::nullopt;
      return terms.windowsize = at_most(*value, largest_window(limits, terms.rollover));
    case Known::timeout:
    case Known::utimeout: return grant_interval(*which, *value);
    case Known::tsize:
      terms.wants_tsize = true;
      agreement_.announced_size = *value;
      return *value;
    case Known::rollover:
      if (*value > 1) return std::nullopt;
      return terms.rollover = static_cast<std::uint8_t>(*value);
    }
    return std::nullopt;
  }

  // Asked for both ways, the first one counts and is the only one answered.
  std::optional<std::uint64_t> grant_interval(Known which, std::uint64_t value) {
    auto& timeout = agreement_.terms.timeout;
    if (timeout) return std::nullopt;
    timeout = interval_of(which, value);
    return timeout ? std::optional(value) : std::nullopt;
  }

  Agreement agreement_;
};

wire::Reject refused(const std::string& what) {
  return {wire::ErrorCode::option_refused, what};
}

// What the client asked for under this name; nullopt when it did not.
std::optional<std::uint64_t> asked_value(const wire::Request& asked, std::string_view name) {
  const auto found =
      std::ranges::find_if(asked.options, [&](const auto& option) { return same_name(option.name, name); });
  if (found == asked.options.end()) return std::nullopt;
  return decimal(found->value).value_or(0);
}

bool within(Known which, std::uint64_t value, std::uint64_t asked) noexcept {
  switch (which) {
  case Known::blksize: return value >= min_blksize && value <= std::min<std::uint64_t>(asked, max_blksize);
  case Known::windowsize: return value >= 1 && value <= std::min<std::uint64_t>(asked, 65535);
  case Known::timeout:
  case Known::utimeout: return value == asked && interval_of(which, value).has_value();
  case Known::tsize: return true;
  case Known::rollover: return value <= 1 && value == asked;
  }
  return false;
}

void apply(Known which, std::uint64_t value, Accepted& accepted) noexcept {
  auto& terms = accepted.terms;
  switch (which) {
  case Known::blksize: terms.blksize = static_cast<std::uint16_t>(value); break;
  case Known::windowsize: terms.windowsize = static_cast<std::uint16_t>(value); break;
  case Known::timeout:
  case Known::utimeout: terms.timeout = interval_of(which, value); break;
  case Known::tsize:
    terms.wants_tsize = true;
    accepted.tsize = value;
    break;
  case Known::rollover: terms.rollover = static_cast<std::uint8_t>(value); break;
  }
}

}  // namespace

std::optional<std::uint64_t> decimal(std::string_view text) noexcept {
  constexpr auto top = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (top - digit) / 10 ? top : value * 10 + digit;
  }
  return value;
}

Agreement negotiate(const wire::Request& request, const Limits& limits) {
  return Grants(request, limits).take();
}

std::vector<wire::Option> oack_options(const Agreement& agreement, std::optional<std::uint64_t> size) {
  auto options = agreement.answers;
  if (!agreement.tsize_at) return options;
  const auto at = *agreement.tsize_at;
  if (size)
    options[at].value = std::to_string(*size);
  else
    options.erase(options.begin() + static_cast<std::ptrdiff_t>(at));
  return options;
}

std::variant<Accepted, wire::Reject> accept_oack(const wire::Request& asked,
                                                 std::span<const wire::Option> oack) {
  Accepted accepted;
  accepted.terms.mode = asked.mode;
  for (const auto& option : oack) {
    const auto wanted = asked_value(asked, option.name);
    if (!wanted)
      return refused("the server answered option \"" + option.name + "\", which was not asked for");
    const auto which = known(option.name);
    const auto value = decimal(option.value);
    if (!which || !value || !within(*which, *value, *wanted))
      return refused("the server answered " + option.name + "=" + option.value + " to " + option.name + "=" +
                     std::to_string(*wanted));
    apply(*which, *value, accepted);
  }
  return accepted;
}

}  // namespace tftpkit::transfer
