#include "exec/question.hpp"

#include "config/json.hpp"
#include "kit/ip.hpp"

#include <tftpkit/plugin.hpp>

#include <algorithm>
#include <span>
#include <string_view>

namespace tftpkit::exec {
namespace {

// The name of an option as part of a variable's name: "x-Vendor" is X_VENDOR. "" for one that cannot be.
std::string variable_part(std::string_view name) {
  std::string part;
  for (const char c : name) {
    if (c >= 'a' && c <= 'z')
      part += static_cast<char>(c - 'a' + 'A');
    else if ((c >= '0' && c <= '9') || c == '_')
      part += c;
    else if (c == '-')
      part += '_';
    else
      return {};
  }
  return part;
}

std::string_view mode_of(const tftpkit_request& request) {
  return request.mode == TFTPKIT_MODE_NETASCII ? "netascii" : "octet";
}

class Variables {
 public:
  void add(std::string_view name, std::string_view value) {
    std::string line = "TFTP_" + std::string(name) + "=";
    const auto same = [&](const std::string& one) { return one.starts_with(line); };
    if (std::any_of(all.begin(), all.end(), same)) return;
    all.push_back(line.append(value));
  }
  void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }

  std::vector<std::string> all;
};

}  // namespace

std::vector<std::string> environment_of(const tftpkit_request& request, const std::optional<kit::Mac>& mac) {
  Variables variables;
  variables.add("PATH", view_of(request.path));
  variables.add("WIRE_PATH", view_of(request.wire_path));
  variables.add("MODE", mode_of(request));
  variables.add("BLKSIZE", request.blksize);
  variables.add("WINDOWSIZE", request.windowsize);
  variables.add("REQUEST_ID", request.id);
  if (const auto peer = kit::ip_of(request.peer)) {
    variables.add("PEER", kit::ip_text(*peer));
    variables.add("PEER_PORT", request.peer.port);
  }
  if (const auto local = kit::ip_of(request.local)) variables.add("LOCAL", kit::ip_text(*local));
  if (mac) variables.add("MAC", kit::mac_text(*mac));
  for (const tftpkit_option& option : std::span(request.options, request.option_count)) {
    if (view_of(option.name) == "tsize") variables.add("TSIZE", view_of(option.value));
    const std::string part = variable_part(view_of(option.name));
    if (!part.empty()) variables.add("OPTION_" + part, view_of(option.value));
  }
  return variables.all;
}

// Bytes that are no UTF-8 become U+FFFD: JSON has no others.
std::string question_line(const tftpkit_request& request, const std::optional<kit::Mac>& mac) {
  config::Json line;
  line["id"] = request.id;
  line["path"] = view_of(request.path);
  line["wire_path"] = view_of(request.wire_path);
  line["mode"] = mode_of(request);
  line["blksize"] = request.blksize;
  line["windowsize"] = request.windowsize;
  if (const auto peer = kit::ip_of(request.peer)) {
    line["peer"] = kit::ip_text(*peer);
    line["peer_port"] = request.peer.port;
  }
  if (const auto local = kit::ip_of(request.local)) line["local"] = kit::ip_text(*local);
  if (mac) line["mac"] = kit::mac_text(*mac);
  config::Json& options = line["options"] = config::Json::object();
  for (const tftpkit_option& option : std::span(request.options, request.option_count))
    if (const std::string name(view_of(option.name)); !options.contains(name))
      options[name] = view_of(option.value);
  return config::dumped(line) + "\n";
}

}  // namespace tftpkit::exec
