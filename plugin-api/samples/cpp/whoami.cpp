// whoami: tells a client who it is. whoami.json is an object with its address, its MAC, the mode and all
// options of its request: what arrives at the server when a boot loader asks, told on the loader's own
// screen.
//
// scenario/... is what every sample answers in the same way; ../README.md has the list.
#include <tftpkit/plugin.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace tftpkit;

unsigned char pattern(std::uint64_t at) {
  return static_cast<unsigned char>(at * 7 % 251);
}

struct Pattern {
  std::uint64_t size;
  std::uint64_t at = 0;
  std::size_t read(std::span<std::byte> into) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, into.size()));
    for (std::byte& one : into.first(count))
      one = std::byte{pattern(at++)};
    return count;
  }
};

// The number behind `prefix`, when that is all there is.
std::optional<std::uint64_t> number_behind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::string address_text(const Address& address) {
  std::string text;
  for (int i = 0; i < 4; ++i)
    text += (i == 0 ? "" : ".") + std::to_string(address.bytes[i]);
  return text;
}

// In quotes; bytes that JSON or a terminal could mistake become \u00XX.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    char escape[8] = {c, '\0'};
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) - 0x20U >= 0x5fU)
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape;
  }
  return out + "\"";
}

class Whoami : public Plugin {
 public:
  explicit Whoami(Host host) : greeting_(host.setting("/greeting").value_or("")) {
    if (greeting_.empty()) throw Failure(Status::option, "/greeting is empty: give a line");
    greeting_ += '\n';
  }

  Answer open(const Request& request) {
    constexpr std::string_view scenarios = "scenario/";
    if (request.path().starts_with(scenarios))
      return scenario(request, request.path().substr(scenarios.size()));
    return request.path() == "whoami.json" ? text(description(request)) : declined();
  }

 private:
  Answer scenario(const Request& request, std::string_view name) {
    if (const auto size = number_behind("bytes/", name); size && *size <= 1U << 20U) {
      std::string bytes(static_cast<std::size_t>(*size), '\0');
      for (std::size_t at = 0; at < bytes.size(); ++at)
        bytes[at] = static_cast<char>(pattern(at));
      return text(std::move(bytes));
    }
    if (const auto size = number_behind("stream/", name)) return stream(Pattern{*size}, *size);
    if (name == "greeting") return view(greeting_);
    if (name == "peer" && request.peer().family == 4) return text(address_text(request.peer()) + "\n");
    if (name == "redirect") return redirect("elsewhere");
    if (name == "refuse") return error(Status::access, "not for you");
    if (name == "fail") return text(std::string(std::vector<std::string>().at(7)));
    return declined();
  }

  std::string description(const Request& request) const {
    std::string out = "{";
    if (request.peer().family == 4) out += "\"address\": " + quoted(address_text(request.peer())) + ", ";
    if (const auto mac = host().link_address(request.id())) {
      char words[18];
      std::snprintf(words, sizeof words, "%02x:%02x:%02x:%02x:%02x:%02x", (*mac)[0], (*mac)[1], (*mac)[2],
                    (*mac)[3], (*mac)[4], (*mac)[5]);
      out += "\"mac\": " + quoted(words) + ", ";
    }
    out +=
        std::string("\"mode\": ") + (request.netascii() ? "\"netascii\"" : "\"octet\"") + ", \"options\": {";
    const char* separator = "";
    for (const tftpkit_option& option : request.options()) {
      out += separator + quoted(view_of(option.name)) + ": " + quoted(view_of(option.value));
      separator = ", ";
    }
    return out + "}}\n";
  }

  std::string greeting_;
};

constexpr const char* schema = R"({"type": "object", "additionalProperties": false, "properties": {
  "greeting": {"type": "string", "default": "Hello", "description": "what scenario/greeting says"}}})";

}  // namespace

TFTPKIT_PLUGIN_CLASS(Whoami, {.name = "sample-cpp",
                              .version = "1.0",
                              .summary = "Tells a client who it is",
                              .license = "MIT",
                              .execution = tftpkit::Execution::parallel,
                              .settings_schema = schema})
