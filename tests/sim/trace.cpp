#include "trace.hpp"

#include "machine.hpp"
#include "packets.hpp"

#include <cstdio>
#include <string>

namespace tftpkit::sim {

bool Trace::on_ = false;
std::uint64_t Trace::hash_ = 0;

void Trace::say(std::string_view who, std::string_view what) {
  if (!on_ || Machine::current() == nullptr) return;
  const auto since = Machine::current()->timeline.now().time_since_epoch() - std::chrono::hours(1);
  std::printf("%12.6f  %-6.*s  %.*s\n", std::chrono::duration<double>(since).count(),
              static_cast<int>(who.size()), who.data(), static_cast<int>(what.size()), what.data());
}

void Trace::packet(std::string_view what, const Packet& packet) {
  mix(static_cast<std::uint64_t>(Machine::current()->timeline.now().time_since_epoch().count()));
  mix(packet.from.port() + std::uint64_t{packet.to.port()} * 65536 + packet.bytes.size() * 0x100000000U);
  for (std::size_t at = 0; at < packet.bytes.size() && at < 8; ++at)
    mix(static_cast<std::uint64_t>(packet.bytes[at]));
  if (!on_) return;
  say(what, packet.from.to_string() + " > " + packet.to.to_string() + "  " + described(packet.bytes));
}

}  // namespace tftpkit::sim
