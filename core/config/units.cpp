#include "config/units.hpp"

#include "config/nearest.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace tftpkit::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> sizes{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 4> durations{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::uint64_t longest_ms = 10ULL * 365 * 24 * 3'600'000;

constexpr std::string_view size_example = "write a size such as \"64KiB\", \"512MiB\" or \"1GiB\"";
constexpr std::string_view duration_example = "write a duration such as \"250ms\", \"3s\", \"5m\" or \"1h\"";

struct Amount {
  std::uint64_t number = 0;
  std::string_view unit;
};

std::optional<Amount> amount_from(std::string_view text) {
  Amount amount;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount.number);
  if (error != std::errc()) return std::nullopt;
  amount.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return amount;
}

template <std::size_t count>
std::optional<std::uint64_t> factor_of(const std::array<Unit, count>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

template <std::size_t count>
std::string shortest(const std::array<Unit, count>& units, std::uint64_t number) {
  for (const Unit& unit : units) {
    if (number > 0 && number % unit.factor == 0)
      return std::to_string(number / unit.factor) + std::string(unit.name);
  }
  return "0" + std::string(units.back().name);
}

// "64k", "64KB", "64kib": what binary unit was it likely to be?
std::string size_hint(const Amount& amount) {
  if (!amount.unit.empty()) {
    constexpr std::string_view small = "kmgt", large = "KMGT";
    const char first = amount.unit[0];
    const auto at = small.find(first) != std::string_view::npos ? small.find(first) : large.find(first);
    if (at != std::string_view::npos) {
      return "did you mean \"" + std::to_string(amount.number) + large[at] + "iB\"?";
    }
  }
  return std::string(size_example);
}

}  // namespace

std::variant<std::uint64_t, Complaint> size_from(std::string_view text) {
  const auto amount = amount_from(text);
  if (!amount) return Complaint{in_quotes(text) + " is not a size", std::string(size_example)};
  const auto factor = amount->unit.empty() ? std::optional<std::uint64_t>(1) : factor_of(sizes, amount->unit);
  if (!factor) return Complaint{in_quotes(text) + " is not a size", size_hint(*amount)};
  if (amount->number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / *factor) {
    return Complaint{in_quotes(text) + " is more than this machine can count", std::string(size_example)};
  }
  return amount->number * *factor;
}

std::variant<std::chrono::milliseconds, Complaint> duration_from(std::string_view text) {
  const auto amount = amount_from(text);
  if (!amount) return Complaint{in_quotes(text) + " is not a duration", std::string(duration_example)};
  if (amount->unit.empty() && amount->number == 0) return std::chrono::milliseconds(0);
  if (amount->unit.empty()) {
    const std::string number = std::to_string(amount->number);
    return Complaint{in_quotes(text) + " has no unit",
                     "did you mean \"" + number + "s\" or \"" + number + "ms\"?"};
  }
  const auto factor = factor_of(durations, amount->unit);
  if (!factor) return Complaint{in_quotes(text) + " is not a duration", std::string(duration_example)};
  if (amount->number > longest_ms / *factor) {
    return Complaint{in_quotes(text) + " is longer than ten years", std::string(duration_example)};
  }
  return std::chrono::milliseconds(amount->number * *factor);
}

std::string size_text(std::uint64_t bytes) {
  return shortest(sizes, bytes);
}

std::string duration_text(std::chrono::milliseconds duration) {
  return shortest(durations, static_cast<std::uint64_t>(duration.count()));
}

}  // namespace tftpkit::config
