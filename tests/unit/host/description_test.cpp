// What a descriptor must have, field by field; no file and no library involved.
#include "host/description.hpp"

#include <doctest/doctest.h>

#include <string>

using tftpkit::host::described;
using tftpkit::host::Error;
using tftpkit::host::State;

namespace {

tftpkit_status answer(void*, const tftpkit_request*, tftpkit_source*) noexcept {
  return TFTPKIT_DECLINED;
}
tftpkit_status accept(void*, const tftpkit_request*, tftpkit_sink*) noexcept {
  return TFTPKIT_DECLINED;
}

tftpkit_plugin right() {
  tftpkit_plugin plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.abi_version = TFTPKIT_ABI_VERSION;
  plugin.name = "right";
  plugin.version = "1.0";
  plugin.open_read = answer;
  return plugin;
}

struct Refusal {
  State state = State::ok;
  std::string what;
};

Refusal refusal_of(const tftpkit_plugin* plugin) {
  try {
    described(plugin, {});
    return {};
  } catch (const Error& error) {
    return {error.state(), error.what()};
  }
}

Refusal refusal_of(const tftpkit_plugin& plugin) {
  return refusal_of(&plugin);
}

bool says(const Refusal& refusal, State state, const std::string& part) {
  return refusal.state == state && refusal.what.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A descriptor in order is copied out; what is absent is empty") {
  tftpkit_plugin plugin = right();
  plugin.execution = TFTPKIT_EXEC_PARALLEL;
  plugin.flags = TFTPKIT_PLUGIN_SINGLETON;
  plugin.summary = "one line";
  const auto seen = described(&plugin, "right");
  CHECK(seen.name == "right");
  CHECK(seen.version == "1.0");
  CHECK(seen.summary == "one line");
  CHECK(seen.license.empty());
  CHECK(seen.settings_schema.empty());
  CHECK(seen.abi_major == 1);
  CHECK(seen.abi_minor == 0);
  CHECK(seen.flags == TFTPKIT_PLUGIN_SINGLETON);
  CHECK(seen.reads);
  CHECK_FALSE(seen.writes);
  CHECK(seen.warning.empty());
  CHECK(tftpkit::host::execution_text(seen.execution) == "parallel");
}

TEST_CASE("A NULL descriptor, a short one and an impossibly long one are invalid") {
  CHECK(says(refusal_of(nullptr), State::invalid, "returned NULL"));
  tftpkit_plugin plugin = right();
  for (const std::uint32_t size : {0U, 8U, 167U}) {
    plugin.struct_size = size;
    CHECK(says(refusal_of(plugin), State::invalid,
               "struct_size is " + std::to_string(size) + ", ABI 1.0 has 168"));
  }
  plugin.struct_size = 0x7fffffff;
  CHECK(says(refusal_of(plugin), State::invalid, "no version of the ABI can have"));
}

TEST_CASE("A longer descriptor of a newer minor is fine, and nothing beyond the known part is read") {
  struct {
    tftpkit_plugin now;
    const void* later;
  } newer = {right(), nullptr};
  newer.now.struct_size = sizeof newer;
  newer.now.abi_version = (1U << 16) | 9U;
  CHECK(described(&newer.now, {}).abi_minor == 9);
}

TEST_CASE("Another major or a newer minor that is needed is incompatible, and the text tells both sides") {
  tftpkit_plugin plugin = right();
  plugin.abi_version = 2U << 16;
  CHECK(says(refusal_of(plugin), State::incompatible, "speaks ABI 2.0, this host speaks 1.0"));
  plugin = right();
  plugin.abi_minor_needed = 3;
  CHECK(
      says(refusal_of(plugin), State::incompatible, "needs a host with ABI 1.3 or later, this one has 1.0"));
}

TEST_CASE("A name is 1 to 64 of a-z, 0-9 and '-', a letter first") {
  tftpkit_plugin plugin = right();
  const std::string longest(64, 'x');
  for (const char* name : {"a", "file", "menu-2", longest.c_str()}) {
    plugin.name = name;
    CHECK(refusal_of(plugin).state == State::ok);
  }
  const std::string too_long(65, 'x');
  for (const char* name :
       {"", "2menu", "-menu", "Menu", "menu_2", "a b", "a/b", "m\xc3\xa4nu", too_long.c_str()}) {
    CAPTURE(name);
    plugin.name = name;
    CHECK(says(refusal_of(plugin), State::invalid, "is not right"));
  }
  plugin.name = nullptr;
  CHECK(says(refusal_of(plugin), State::invalid, "has no name"));
}

TEST_CASE("A version must be there, and lines for listings must be one plain line") {
  tftpkit_plugin plugin = right();
  plugin.version = nullptr;
  CHECK(says(refusal_of(plugin), State::invalid, "has no version"));
  plugin.version = "1\n2";
  CHECK(says(refusal_of(plugin), State::invalid, "version contains control characters"));
  plugin = right();
  plugin.summary = "\033[2J";
  CHECK(says(refusal_of(plugin), State::invalid, "summary contains control characters"));
  const std::string endless(100'000, 'x');
  plugin.summary = endless.c_str();
  CHECK(says(refusal_of(plugin), State::invalid, "summary is longer than 1024 bytes"));
}

TEST_CASE("A plugin must answer reads or writes, and who takes writes must take their bytes") {
  tftpkit_plugin plugin = right();
  plugin.open_read = nullptr;
  CHECK(says(refusal_of(plugin), State::invalid, "neither open_read nor open_write"));
  plugin.open_write = accept;
  CHECK(says(refusal_of(plugin), State::invalid, "open_write but no write"));
}

TEST_CASE("Another file name and an unknown execution are warnings") {
  tftpkit_plugin plugin = right();
  CHECK(described(&plugin, "left").warning.find("its file \"left.so\"") != std::string::npos);
  plugin.execution = 50;
  const auto seen = described(&plugin, "right");
  CHECK(seen.execution == TFTPKIT_EXEC_SERIAL);
  CHECK(seen.warning.find("unknown execution 50") != std::string::npos);
}

TEST_CASE("Every state has the text that listings show") {
  CHECK(text(State::ok) == "ok");
  CHECK(text(State::unsafe_file) == "unsafe-file");
  CHECK(text(State::cannot_load) == "cannot-load");
  CHECK(text(State::timed_out) == "timed-out");
  CHECK(text(State::not_a_plugin) == "not-a-plugin");
}
