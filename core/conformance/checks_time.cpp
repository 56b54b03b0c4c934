// Checks of threads and time: answers that come later, calls that wait, requests at once.
#include "conformance/checks.hpp"
#include "conformance/process_state.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace tftpkit::conformance {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using host::Kind;

constexpr auto inline_limit = 10ms;

const auto comes_later = [](Asked& asked) { return asked.pended(); };
const auto is_stream = [](Asked& asked) { return asked.answers_with(Kind::stream); };

// A thread that reads a transfer to its end, and how far it is.
class Reading {
 public:
  explicit Reading(Asked& asked) : thread_{[state = state_, &asked] { run(*state, asked); }} {}
  ~Reading() {
    if (thread_.joinable()) thread_.join();
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  // False: it still reads.
  bool ended_within(std::chrono::milliseconds time) {
    std::unique_lock lock{state_->mutex};
    return state_->changed.wait_for(lock, time, [this] { return state_->ended; });
  }
  // How long has the call that is under way been waiting?
  std::chrono::milliseconds waiting() {
    const std::lock_guard lock{state_->mutex};
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - state_->since);
  }
  // The thread goes on without us; what it reads must stay.
  void let_go() { thread_.detach(); }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    Clock::time_point since = Clock::now();
  };

  static bool read_on(Asked& asked) {
    std::array<std::byte, 512> buffer{};
    try {
      return asked.read(buffer) > 0;
    } catch (const Fails&) {  // other checks tell what is wrong with the bytes
      return false;
    }
  }
  static void run(State& state, Asked& asked) {
    do {
      const std::lock_guard lock{state.mutex};
      state.since = Clock::now();
    } while (read_on(asked));
    const std::lock_guard lock{state.mutex};
    state.ended = true;
    state.changed.notify_all();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::thread thread_;
};

}  // namespace

void cancel_unblocks(const Subject& subject) {
  const auto library = loaded(subject);
  if (library->plugin().cancel == nullptr) throw Skips{"the plugin has no cancel()"};
  auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "a STREAM", is_stream);
  auto asked = std::make_unique<Asked>(*stage, path);
  asked->open();
  Reading reading{*asked};
  while (!reading.ended_within(10ms) && reading.waiting() < 200ms) {
  }
  if (reading.ended_within(0ms))
    throw Skips{"no read() of \"" + path +
                "\" waited for 200 ms; name a path whose source is slow with --path"};
  asked->cancel();
  if (reading.ended_within(2s)) return;
  // The call that goes on still needs them.
  reading.let_go();
  static_cast<void>(asked.release());
  static_cast<void>(stage.release());
  throw Fails{"a read() that waited went on for 2 s after it", "cancel() for \"" + path + "\"",
              "wake the read() that is under way; it returns TFTPKIT_E_CANCELLED"};
}

void late_complete(const Subject& subject) {
  constexpr std::size_t warm_up = 5;
  constexpr std::size_t rounds = 40;
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "PENDING", comes_later);
  Holdings before;
  Holdings half_way;
  for (std::size_t round = 0; round < warm_up + rounds; ++round) {
    if (round == warm_up) before = calm_holdings();
    if (round == warm_up + rounds / 2) half_way = settled_holdings(before);
    Asked asked{*stage, path};
    if (asked.open_only() != TFTPKIT_PENDING) continue;
    if (!asked.give_up()) {
      asked.wait();
      continue;
    }
    if (!asked.wait_for_late_completion(patience))
      throw Fails{"no complete() within " + std::to_string(patience.count()) +
                      " s of a request that was given up",
                  "open_read() for \"" + path + "\"",
                  "complete() every request, also when nobody waits: the host keeps its memory until then"};
  }
  const std::string grown = growth(before, half_way, settled_holdings(before), rounds);
  if (!grown.empty())
    throw Fails{grown, "complete() that was answered with TFTPKIT_E_STALE for \"" + path + "\"",
                "what it offered stays the plugin's: free it"};
  stage->end();
}

void complete_before_return(const Subject& subject) {
  constexpr int rounds = 50;
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "PENDING", comes_later);
  for (int round = 0; round < rounds; ++round) {
    Asked asked{*stage, path};
    asked.open();
    if (round < 3) std::this_thread::sleep_for(20ms);  // for a second answer to show
    const unsigned answers = asked.completions();
    if (answers > 1)
      throw Fails{std::to_string(answers) + " answers to one request", "complete() for \"" + path + "\"",
                  "complete() each request once"};
  }
}

namespace {

// What requests one after the other get: the answers that are right for requests at once, too.
struct Reference {
  tftpkit_status status = TFTPKIT_OK;
  std::string bytes;
  bool same_each_time = true;
};

constexpr std::size_t compared = 65536;

Reference asked_once(Stage& stage, const std::string& path) {
  Asked asked{stage, path};
  Reference reference{asked.open(), {}, true};
  reference.bytes = asked.content(compared);
  asked.close();
  return reference;
}

std::optional<Fails> other_answer(Stage& stage, const std::string& path, const Reference& expected) {
  try {
    const Reference got = asked_once(stage, path);
    const std::string where = "\"" + path + "\", asked for by 8 threads at once";
    const std::string right = "no state that requests share without a lock, or TFTPKIT_EXEC_SERIAL";
    if (got.status != expected.status)
      return Fails{std::string{host::text(got.status)} + " instead of " +
                       std::string{host::text(expected.status)},
                   where, right};
    if (expected.same_each_time && got.bytes != expected.bytes)
      return Fails{"other bytes than when it is asked for alone", where, right};
    return std::nullopt;
  } catch (const Fails& fails) {
    return fails;
  }
}

}  // namespace

void parallel_opens(const Subject& subject) {
  const auto library = loaded(subject);
  if (library->description().execution == TFTPKIT_EXEC_SERIAL)
    throw Skips{"its execution is SERIAL: no two calls at once"};
  const auto stage = begun(subject, *library);
  for (const auto& path : paths_of(subject)) {
    Reference expected = asked_once(*stage, path);
    expected.same_each_time = expected.bytes == asked_once(*stage, path).bytes;
    std::array<std::optional<Fails>, 8> failures;
    std::vector<std::thread> threads;
    threads.reserve(failures.size());
    for (auto& failure : failures)
      threads.emplace_back([&] {
        for (int i = 0; i < 25 && !failure; ++i)
          failure = other_answer(*stage, path, expected);
      });
    for (auto& thread : threads)
      thread.join();
    for (const auto& failure : failures)
      if (failure) throw Fails{*failure};
  }
}

namespace {

template <typename Call>
Clock::duration took(Call call) {
  const auto begin = Clock::now();
  call();
  return Clock::now() - begin;
}

// The middle one: a machine that is busy makes a few calls slow, a plugin that blocks makes all of them.
void must_be_fast(std::vector<Clock::duration> times, const std::string& where) {
  if (times.empty()) return;
  std::ranges::sort(times);
  const auto middle = times[times.size() / 2];
  if (middle < inline_limit) return;
  throw Fails{std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(middle).count()) +
                  " ms on the network thread, where every client waits meanwhile",
              where, "at most 10 ms; for what may block TFTPKIT_EXEC_PARALLEL, or PENDING"};
}

}  // namespace

void inline_is_fast(const Subject& subject) {
  constexpr int rounds = 21;
  const auto library = loaded(subject);
  if (library->description().execution != TFTPKIT_EXEC_INLINE)
    throw Skips{"its execution is not INLINE: calls may take their time"};
  const auto stage = begun(subject, *library);
  for (const auto& path : paths_of(subject)) {
    std::vector<Clock::duration> opens;
    std::vector<Clock::duration> reads;
    std::vector<Clock::duration> closes;
    for (int round = 0; round < rounds; ++round) {
      Asked asked{*stage, path};
      tftpkit_status status = TFTPKIT_OK;
      opens.push_back(took([&] { status = asked.open_only(); }));
      if (status == TFTPKIT_PENDING) asked.wait();
      std::array<std::byte, 512> buffer{};
      if (asked.answers_with(Kind::stream)) reads.push_back(took([&] { asked.read(buffer); }));
      closes.push_back(took([&] { asked.close(); }));
    }
    must_be_fast(opens, "open_read() for \"" + path + "\"");
    must_be_fast(reads, "read() for \"" + path + "\"");
    must_be_fast(closes, "close() for \"" + path + "\"");
  }
}

}  // namespace tftpkit::conformance
