#include "host/describe.hpp"

#include "host/isolated.hpp"
#include "host/library.hpp"

#include <array>
#include <charconv>
#include <map>
#include <unistd.h>

namespace tftpkit::host {

namespace {

constexpr std::string_view end_mark = "end";

constexpr std::array all_states = {State::ok,      State::disabled,  State::quarantined, State::incompatible,
                                   State::invalid, State::duplicate, State::unsafe_file, State::cannot_load,
                                   State::crashed, State::timed_out, State::not_a_plugin};

void put(std::string& out, std::string_view key, std::string_view value) {
  // A NUL inside would tear the record; names and texts come from C strings and have none.
  out.append(key).push_back('\0');
  out.append(value.substr(0, value.find('\0'))).push_back('\0');
}

void put(std::string& out, std::string_view key, std::uint32_t value) {
  put(out, key, std::to_string(value));
}

using Pairs = std::map<std::string_view, std::string_view>;

std::optional<std::string_view> next(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return value;
}

std::optional<Pairs> pairs_of(std::string_view bytes) {
  Pairs pairs;
  for (;;) {
    const auto key = next(bytes);
    if (!key) return std::nullopt;
    if (*key == end_mark) return pairs;
    const auto value = next(bytes);
    if (!value) return std::nullopt;
    pairs[*key] = *value;
  }
}

std::uint32_t number_of(const Pairs& pairs, std::string_view key) {
  std::uint32_t value = 0;
  if (const auto found = pairs.find(key); found != pairs.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::string text_of(const Pairs& pairs, std::string_view key) {
  const auto found = pairs.find(key);
  return found == pairs.end() ? std::string() : std::string(found->second);
}

Description description_of(const Pairs& pairs) {
  Description seen;
  seen.name = text_of(pairs, "name");
  seen.version = text_of(pairs, "version");
  seen.summary = text_of(pairs, "summary");
  seen.license = text_of(pairs, "license");
  seen.homepage = text_of(pairs, "homepage");
  seen.settings_schema = text_of(pairs, "settings_schema");
  seen.warning = text_of(pairs, "warning");
  seen.abi_major = number_of(pairs, "abi_major");
  seen.abi_minor = number_of(pairs, "abi_minor");
  seen.abi_minor_needed = number_of(pairs, "abi_minor_needed");
  seen.execution = number_of(pairs, "execution");
  seen.flags = number_of(pairs, "flags");
  seen.reads = number_of(pairs, "reads") != 0;
  seen.writes = number_of(pairs, "writes") != 0;
  return seen;
}

Finding looked_at(const std::filesystem::path& file) {
  Finding finding{file, State::ok};
  try {
    const auto library = Library::load(file);
    finding.description = library->description();
    finding.identity = library->identity();
  } catch (const Error& error) {
    finding.state = error.state();
    finding.reason = error.what();
  }
  return finding;
}

}  // namespace

std::string encoded(const Finding& finding) {
  std::string out;
  put(out, "state", text(finding.state));
  put(out, "reason", finding.reason);
  put(out, "identity", finding.identity);
  if (finding.description) {
    const Description& seen = *finding.description;
    put(out, "name", seen.name);
    put(out, "version", seen.version);
    put(out, "summary", seen.summary);
    put(out, "license", seen.license);
    put(out, "homepage", seen.homepage);
    put(out, "settings_schema", seen.settings_schema);
    put(out, "warning", seen.warning);
    put(out, "abi_major", seen.abi_major);
    put(out, "abi_minor", seen.abi_minor);
    put(out, "abi_minor_needed", seen.abi_minor_needed);
    put(out, "execution", seen.execution);
    put(out, "flags", seen.flags);
    put(out, "reads", std::uint32_t{seen.reads});
    put(out, "writes", std::uint32_t{seen.writes});
  }
  out.append(end_mark).push_back('\0');
  return out;
}

std::optional<Finding> decoded(std::string_view bytes, const std::filesystem::path& file) {
  const auto pairs = pairs_of(bytes);
  if (!pairs) return std::nullopt;
  Finding finding{file, State::invalid, text_of(*pairs, "reason")};
  finding.identity = text_of(*pairs, "identity");
  const std::string state = text_of(*pairs, "state");
  bool known = false;
  for (const State one : all_states)
    if (text(one) == state) {
      finding.state = one;
      known = true;
    }
  if (!known) return std::nullopt;
  if (pairs->contains("name")) finding.description = description_of(*pairs);
  return finding;
}

void describe_child(const std::filesystem::path& file) {
  const IsolatedReport report;
  report.write(encoded(looked_at(file)));
  // No destructors: what the plugin registered may hang or crash, and all is said.
  ::_exit(0);
}

}  // namespace tftpkit::host
