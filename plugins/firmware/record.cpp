#include "firmware/record.hpp"

#include "config/json.hpp"
#include "config/json_text.hpp"
#include "firmware/read_time.hpp"

#include <tftpkit/plugin.h>

#include <array>
#include <utility>

namespace tftpkit::firmware {
namespace {

// The texts of a line, in its order.
constexpr std::array<std::pair<const char*, std::string Given::*>, 11> texts = {
    {{"device", &Given::device},
     {"source", &Given::source},
     {"peer", &Given::peer},
     {"name", &Given::name},
     {"rule", &Given::rule},
     {"channel", &Given::channel},
     {"profile", &Given::profile},
     {"image", &Given::image},
     {"model", &Given::model},
     {"version", &Given::version},
     {"outcome", &Given::outcome}}};

}  // namespace

std::string line_of(const Given& given) {
  config::JsonRow row = {{"time", moment_text(given.time)}};
  for (const auto& [name, member] : texts)
    if (!(given.*member).empty()) row.emplace_back(name, given.*member);
  row.emplace_back("known", given.known);
  row.emplace_back("bytes", given.bytes);
  return config::json_object(row);
}

std::optional<Given> given_from(std::string_view line) {
  const auto json = config::Json::parse(line.begin(), line.end(), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto text = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  Given given;
  const auto time = moment_from(text("time"));
  if (!time) return std::nullopt;
  given.time = *time;
  for (const auto& [name, member] : texts)
    given.*member = text(name);
  if (given.outcome.empty()) return std::nullopt;
  const auto known = json.find("known");
  given.known = known != json.end() && known->is_boolean() && known->get<bool>();
  const auto bytes = json.find("bytes");
  if (bytes != json.end() && bytes->is_number_unsigned()) given.bytes = bytes->get<std::uint64_t>();
  return given;
}

std::string_view outcome_text(std::uint32_t end) noexcept {
  switch (end) {
  case TFTPKIT_END_DELIVERED: return "delivered";
  case TFTPKIT_END_UNCONFIRMED: return "unconfirmed";
  case TFTPKIT_END_PROBED: return "probed";
  case TFTPKIT_END_PLUGIN: return "plugin";
  case TFTPKIT_END_CLIENT: return "client";
  case TFTPKIT_END_TIMEOUT: return "timeout";
  case TFTPKIT_END_SHUTDOWN: return "shutdown";
  default: return "host";
  }
}

}  // namespace tftpkit::firmware
