// What an instance remembers and what its threads do: the cache of decisions, the record, the check of
// images.
#include "digest/sha256.hpp"
#include "firmware/decision_cache.hpp"
#include "firmware/recorder.hpp"
#include "firmware/verifier.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fw = tftpkit::firmware;
using namespace std::chrono_literals;
using test_support::Scratch;

namespace {

std::size_t lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
}

template <typename Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 2000 && !condition(); ++i)
    std::this_thread::sleep_for(5ms);
  return condition();
}

std::string hash_text(const std::string& content) {
  tftpkit::digest::Sha256 hash;
  hash.add(content);
  return tftpkit::digest::text_of(hash.finish());
}

}  // namespace

TEST_CASE("a decision is remembered for its time, and not beyond its state") {
  fw::DecisionCache cache(5min);
  const auto state = std::make_shared<const fw::State>();
  const auto other = std::make_shared<const fw::State>();
  const auto now = fw::DecisionCache::Clock::now();
  cache.put("a", std::make_shared<fw::Cached>(fw::Cached{state, {}}), now);
  CHECK(cache.find("a", state.get(), now + 4min) != nullptr);
  CHECK(cache.find("b", state.get(), now) == nullptr);
  CHECK(cache.find("a", other.get(), now) == nullptr);
  CHECK(cache.find("a", state.get(), now + 5min) == nullptr);
}

TEST_CASE("a cache without time remembers nothing, and a full one drops the oldest") {
  const auto state = std::make_shared<const fw::State>();
  const auto cached = std::make_shared<fw::Cached>(fw::Cached{state, {}});
  const auto now = fw::DecisionCache::Clock::now();
  fw::DecisionCache none(0ms);
  none.put("a", cached, now);
  CHECK(none.find("a", state.get(), now) == nullptr);
  fw::DecisionCache full(5min);
  full.put("first", cached, now);
  for (std::size_t i = 0; i < 2 * fw::DecisionCache::most; ++i)
    full.put(std::to_string(i), cached, now);
  CHECK(full.find("first", state.get(), now) == nullptr);
  CHECK(full.find(std::to_string(2 * fw::DecisionCache::most - 1), state.get(), now) != nullptr);
}

TEST_CASE("every line is in the record when the recorder has stopped") {
  const Scratch scratch;
  fw::Recorder recorder(scratch.path("given.jsonl"), [](const std::string& text) { FAIL(text); });
  recorder.start();
  fw::Given given;
  given.outcome = "delivered";
  for (int i = 0; i < 1000; ++i)
    recorder.add(given);
  recorder.stop();
  CHECK(lines_of(scratch.path("given.jsonl")) == 1000);
}

TEST_CASE("a record that was moved away begins anew, and one that cannot be written warns once") {
  const Scratch scratch;
  std::atomic<int> warnings{0};
  fw::Recorder recorder(scratch.path("log/given.jsonl"), [&](const std::string&) { ++warnings; });
  CHECK_THROWS(recorder.start());
  std::filesystem::create_directory(scratch.path("log"));
  recorder.start();
  recorder.add({});
  CHECK(comes_true([&] { return lines_of(scratch.path("log/given.jsonl")) == 1; }));
  std::filesystem::rename(scratch.path("log/given.jsonl"), scratch.path("log/old"));
  recorder.add({});
  CHECK(comes_true([&] { return lines_of(scratch.path("log/given.jsonl")) == 1; }));
  std::filesystem::rename(scratch.path("log"), scratch.path("elsewhere"));
  recorder.add({});
  CHECK(comes_true([&] { return warnings == 1; }));
  recorder.add({});
  recorder.stop();
  CHECK(warnings == 1);
}

TEST_CASE("an image is good only with the hash and size of the catalogue, and only until its file changes") {
  using Verdict = fw::Verifier::Verdict;
  const Scratch scratch;
  scratch.file("good", "good");
  scratch.file("wrong", "wrong");
  scratch.file("long", "long");
  std::mutex mutex;
  std::vector<std::pair<std::string, Verdict>> reports;
  fw::Verifier verifier(scratch.path(), [&](const auto& wanted, Verdict verdict, const std::string&) {
    const std::lock_guard lock(mutex);
    reports.emplace_back(wanted.file, verdict);
  });
  verifier.want({{"good", hash_text("good"), 4, "rule a"},
                 {"wrong", hash_text("other"), {}, "rule b"},
                 {"long", hash_text("long"), 3, "rule c"},
                 {"none", hash_text(""), {}, "rule d"}});
  CHECK_MESSAGE(verifier.verdict("good", hash_text("good")) == Verdict::checking, "nothing has looked yet");
  verifier.start();
  CHECK(comes_true([&] { return verifier.verdict("good", hash_text("good")) == Verdict::good; }));
  CHECK(comes_true([&] { return verifier.verdict("wrong", hash_text("other")) == Verdict::wrong; }));
  CHECK(comes_true([&] { return verifier.verdict("long", hash_text("long")) == Verdict::wrong; }));
  CHECK(verifier.verdict("none", hash_text("")) == Verdict::missing);
  CHECK_MESSAGE(verifier.verdict("good", hash_text("another")) == Verdict::checking,
                "a hash that nobody has asked for");
  scratch.replace("good", "GOOD");
  CHECK(verifier.verdict("good", hash_text("good")) == Verdict::checking);
  CHECK(comes_true([&] { return verifier.verdict("good", hash_text("good")) == Verdict::wrong; }));
  scratch.replace("good", "good");
  CHECK(comes_true([&] { return verifier.verdict("good", hash_text("good")) == Verdict::good; }));
  verifier.stop();
  CHECK(reports.size() >= 5);
}
