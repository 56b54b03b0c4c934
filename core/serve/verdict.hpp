// Verdict: what the end of a transfer is called: towards the plugin, in the counters and in the log.
#pragma once

#include "observe/counters.hpp"
#include "observe/log.hpp"
#include "transfer/outcome.hpp"

#include <tftpkit/plugin.h>

#include <cstdint>
#include <string_view>

namespace tftpkit::serve {

struct Verdict {
  std::uint32_t plugin_end;  // TFTPKIT_END_*
  std::string_view words;    // in the log line
  observe::Level level;      // a client that leaves is no news for the operator, a plugin that fails is
  observe::Counter observe::CounterSet<observe::Counter>::*counter;
};

using LiveCounters = observe::CounterSet<observe::Counter>;

inline constexpr Verdict refused{TFTPKIT_END_HOST, "refused", observe::Level::info,
                                 &LiveCounters::requests_refused};
inline constexpr Verdict plugin_failed{TFTPKIT_END_PLUGIN, "plugin failed", observe::Level::warning,
                                       &LiveCounters::plugin_failures};
inline constexpr Verdict host_failed{TFTPKIT_END_HOST, "server failed", observe::Level::error,
                                     &LiveCounters::requests_refused};
inline constexpr Verdict began_anew{TFTPKIT_END_CLIENT, "client began anew", observe::Level::info,
                                    &LiveCounters::client_errors};
inline constexpr Verdict shut_down{TFTPKIT_END_SHUTDOWN, "shut down", observe::Level::info,
                                   &LiveCounters::requests_refused};

[[nodiscard]] Verdict verdict_of(transfer::Outcome outcome) noexcept;

}  // namespace tftpkit::serve
