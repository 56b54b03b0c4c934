// core/config/README.md: its example is right, and its table knows every key of it.
#include "config/load.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <string>

using namespace tftpkit::config;

namespace {

std::string readme() {
  std::ifstream in(CONFIG_README);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string example() {
  const std::string text = readme();
  const std::string fence = "```jsonc\n";
  const auto begin = text.find(fence);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin + fence.size(), text.find("\n```", begin) - begin - fence.size());
}

// Every key below `value`, lists passed over as the table does; settings belong to the plugin.
void check_keys(const nlohmann::json& value, const std::string& prefix, const std::string& table) {
  if (value.is_array()) {
    for (const auto& element : value)
      check_keys(element, prefix, table);
  }
  if (!value.is_object() || prefix == "/instances/settings") return;
  for (const auto& [key, member] : value.items()) {
    const std::string name = prefix + "/" + key;
    CAPTURE(name);
    const bool section = name == "/protocol" || name == "/retry" || name == "/limits" || name == "/log";
    std::string row = "| `";
    row.append(name).append("` |");
    CHECK((section || table.find(row) != std::string::npos));
    check_keys(member, name, table);
  }
}

}  // namespace

TEST_CASE("the example of the README loads, and what is a default in it is the default") {
  const auto loaded = load_text(example(), "README.md", "/etc/tftpkit");
  REQUIRE_MESSAGE(loaded, text(loaded.problems()));
  const Config defaults;
  CHECK(loaded->listen == defaults.listen);
  CHECK(loaded->workers == defaults.workers);
  CHECK(loaded->protocol.blksize_max == defaults.protocol.blksize_max);
  CHECK(loaded->protocol.respect_path_mtu == defaults.protocol.respect_path_mtu);
  CHECK(loaded->protocol.windowsize_max == defaults.protocol.windowsize_max);
  CHECK(loaded->protocol.rollover == defaults.protocol.rollover);
  CHECK(loaded->retry.initial == defaults.retry.initial);
  CHECK(loaded->retry.min == defaults.retry.min);
  CHECK(loaded->retry.max == defaults.retry.max);
  CHECK(loaded->retry.tries == defaults.retry.tries);
  CHECK(loaded->retry.silence == defaults.retry.silence);
  CHECK(loaded->limits.transfers == defaults.limits.transfers);
  CHECK(loaded->limits.transfers_per_client == defaults.limits.transfers_per_client);
  CHECK(loaded->limits.buffer_memory_bytes == defaults.limits.buffer_memory_bytes);
  CHECK(loaded->limits.requests_per_second_per_client == defaults.limits.requests_per_second_per_client);
  CHECK(loaded->limits.request_burst_per_client == defaults.limits.request_burst_per_client);
  CHECK(loaded->answer_timeout == defaults.answer_timeout);
  CHECK(loaded->read_timeout == defaults.read_timeout);
  CHECK(loaded->executor_threads == defaults.executor_threads);
  CHECK(loaded->executor_threads_per_instance == defaults.executor_threads_per_instance);
  CHECK(loaded->drain == defaults.drain);
  CHECK(loaded->control == defaults.control);
  CHECK(loaded->explain_to_clients == defaults.explain_to_clients);
  CHECK(loaded->log.level == defaults.log.level);
  CHECK(loaded->log.format == defaults.log.format);
  CHECK(loaded->log.file == defaults.log.file);
}

TEST_CASE("the table of the README knows every key of the example") {
  check_keys(nlohmann::json::parse(example(), nullptr, true, true), "", readme());
}
