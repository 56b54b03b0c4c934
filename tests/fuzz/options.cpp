// The options of a request against our limits, and an OACK of anybody against what was asked.
// Input: our limits in 7 bytes, the length of a request in 2, the request without its opcode, an OACK
// without its opcode.
#include "input.hpp"
#include "transfer/negotiation.hpp"
#include "wire/packet.hpp"
#include "wire/request.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace tftpkit;
using fuzz::claim;

std::vector<std::byte> packet(std::uint8_t opcode, std::span<const std::byte> body) {
  std::vector<std::byte> bytes(2 + body.size());
  bytes[1] = std::byte{opcode};
  std::ranges::copy(body, bytes.begin() + 2);
  return bytes;
}

const wire::Option* named(const std::vector<wire::Option>& options, std::string_view name) {
  const auto found =
      std::ranges::find_if(options, [&](const auto& one) { return wire::same_name(one.name, name); });
  return found == options.end() ? nullptr : &*found;
}

// Reads a number by itself: what the engine makes of it has to agree.
std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  bool too_large = false;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    too_large |= __builtin_mul_overflow(value, std::uint64_t{10}, &value);
    too_large |= __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value);
  }
  if (text.empty()) return std::nullopt;
  return too_large ? std::numeric_limits<std::uint64_t>::max() : value;
}

std::uint64_t asked(const wire::Request& request, std::string_view name, std::uint64_t otherwise) {
  const auto* option = named(request.options, name);
  return option == nullptr ? otherwise : number_in(option->value).value_or(otherwise);
}

// Whoever negotiated them, no side gets more than it can bear.
void check(const transfer::Terms& terms, const wire::Request& request) {
  claim(terms.blksize >= transfer::min_blksize && terms.blksize <= transfer::max_blksize, "blksize is legal");
  claim(terms.blksize <= std::max<std::uint64_t>(asked(request, "blksize", 512), 512),
        "no block is larger than asked");
  claim(terms.windowsize >= 1, "a window has a block");
  claim(terms.windowsize <= std::max<std::uint64_t>(asked(request, "windowsize", 1), 1),
        "no window is larger than asked");
  claim(terms.rollover <= 1, "rollover is 0 or 1");
  claim(!terms.timeout || terms.timeout->count() >= 10'000, "no interval is a flood");
}

void check_ours(const wire::Request& request, const transfer::Limits& limits) {
  const auto agreement = transfer::negotiate(request, limits);
  check(agreement.terms, request);
  claim(agreement.terms.windowsize <= std::max<std::uint16_t>(limits.windowsize_max, 1),
        "no window is larger than allowed");
  claim(agreement.terms.rollover == 0 || agreement.terms.windowsize < 65535,
        "a window has fewer blocks than there are numbers");
  claim(agreement.announced_size.value_or(0) == asked(request, "tsize", 0),
        "a size that is announced is understood");
  const auto oack = transfer::oack_options(agreement, 12345);
  claim(oack.size() <= request.options.size(), "only what was asked is answered");
  for (const auto& answer : oack)
    claim(std::ranges::any_of(request.options, [&](const auto& one) { return one.name == answer.name; }),
          "names are answered as they were asked");
  claim(named(transfer::oack_options(agreement, std::nullopt), "tsize") == nullptr,
        "no size is answered when none is known");
  const auto accepted = transfer::accept_oack(request, oack);
  const auto* terms = std::get_if<transfer::Accepted>(&accepted);
  claim(terms != nullptr, "our client accepts what our server answers");
  auto expected = agreement.terms;
  expected.wants_tsize = named(oack, "tsize") != nullptr;
  if (named(oack, "rollover") == nullptr) expected.rollover = terms->terms.rollover;  // not for it to know
  claim(terms->terms == expected, "both sides have the same terms");
}

void check_theirs(const wire::Request& request, const std::vector<wire::Option>& oack) {
  const auto accepted = transfer::accept_oack(request, oack);
  if (const auto* terms = std::get_if<transfer::Accepted>(&accepted)) {
    check(terms->terms, request);
    for (const auto& option : oack)
      claim(named(request.options, option.name) != nullptr, "no option is accepted that was not asked");
  } else {
    claim(std::get<wire::Reject>(accepted).code == wire::ErrorCode::option_refused, "refused with code 8");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  transfer::Limits limits;
  limits.blksize_max = input.word();
  limits.blksize_path = input.word();
  limits.windowsize_max = input.word();
  limits.rollover = input.byte();
  const auto length = input.word();
  const auto parsed = wire::parse_request(packet(1, std::as_bytes(input.take(length))));
  const auto* request = std::get_if<wire::Request>(&parsed);
  if (request == nullptr) return 0;
  check_ours(*request, limits);
  check_theirs(*request, std::get<wire::Oack>(wire::parse_packet(packet(6, input.rest()))).options);
  return 0;
}
