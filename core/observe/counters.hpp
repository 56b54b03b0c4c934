// What one worker counts. A worker adds to its own set without locks; whoever wants the whole sums the sets
// of all workers. It does not know how numbers are shown or fetched.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

namespace tftpkit::observe {

// A number that one thread or several add to and anybody may read; relaxed, because nothing else hangs on
// it.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { count_.fetch_add(n, std::memory_order_relaxed); }
  Counter& operator++() noexcept { return add(1), *this; }
  Counter& operator+=(std::uint64_t n) noexcept { return add(n), *this; }
  [[nodiscard]] std::uint64_t value() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

// The numbers themselves, as live counters or as a plain snapshot. Only ever growing.
template <class Number>
struct CounterSet {
  Number requests{};           // RRQ and WRQ that could be read
  Number requests_refused{};   // answered with an ERROR instead of a transfer
  Number requests_ignored{};   // answered with nothing: not TFTP, or from an impossible address
  Number requests_denied{};    // answered with nothing: from an address that may not ask
  Number repeats_swallowed{};  // the client's own repeats of a request that is being served
  Number transfers_started{};  // requests that became a transfer
  Number delivered{};          // all bytes acknowledged
  Number unconfirmed{};        // all bytes sent, the last acknowledgement never came
  Number probed{};             // the client only asked for the terms
  Number client_errors{};      // the client sent an ERROR or began anew
  Number timed_out{};          // the client fell silent
  Number plugin_failures{};    // the plugin failed in the middle
  Number bytes_sent{};         // payload bytes sent, resends included
  Number blocks_sent{};        // DATA packets sent, resends included
  Number resends{};            // DATA and OACK packets sent again
  Number strangers{};          // packets from a wrong TID, answered with ERROR 5
  Number gso_fallbacks{};      // bursts sent one by one because the kernel or device refused GSO
};

// One worker's live numbers, on cache lines of their own.
struct alignas(64) Counters : CounterSet<Counter> {};
using Totals = CounterSet<std::uint64_t>;

template <class Number>
struct CounterRow {
  std::string_view name;  // as in the source, e.g. "bytes_sent"
  Number CounterSet<Number>::*member;
};

// Every member with its name, in the order of the struct: `for (auto& row : counter_rows<uint64_t>)
// totals.*row.member`.
template <class Number>
inline constexpr std::array<CounterRow<Number>, 17> counter_rows{{
    {"requests", &CounterSet<Number>::requests},
    {"requests_refused", &CounterSet<Number>::requests_refused},
    {"requests_ignored", &CounterSet<Number>::requests_ignored},
    {"requests_denied", &CounterSet<Number>::requests_denied},
    {"repeats_swallowed", &CounterSet<Number>::repeats_swallowed},
    {"transfers_started", &CounterSet<Number>::transfers_started},
    {"delivered", &CounterSet<Number>::delivered},
    {"unconfirmed", &CounterSet<Number>::unconfirmed},
    {"probed", &CounterSet<Number>::probed},
    {"client_errors", &CounterSet<Number>::client_errors},
    {"timed_out", &CounterSet<Number>::timed_out},
    {"plugin_failures", &CounterSet<Number>::plugin_failures},
    {"bytes_sent", &CounterSet<Number>::bytes_sent},
    {"blocks_sent", &CounterSet<Number>::blocks_sent},
    {"resends", &CounterSet<Number>::resends},
    {"strangers", &CounterSet<Number>::strangers},
    {"gso_fallbacks", &CounterSet<Number>::gso_fallbacks},
}};

// The sum over all workers; each number is read once, so numbers of one moment may differ by what happened
// meanwhile.
[[nodiscard]] Totals sum(std::span<const Counters* const> workers) noexcept;

}  // namespace tftpkit::observe
