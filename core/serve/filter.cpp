#include "serve/filter.hpp"

#include <algorithm>
#include <stdexcept>

namespace tftpkit::serve {

namespace {

loop::Network network(const std::string& text) {
  std::string error;
  const auto parsed = loop::Network::parse(text, error);
  if (!parsed) throw std::invalid_argument(error);
  return *parsed;
}

template <typename Things, typename Text>
std::string list_of(const Things& things, Text text) {
  std::string list;
  for (const auto& thing : things)
    list += (list.empty() ? "" : ", ") + text(thing);
  return list;
}

}  // namespace

std::vector<loop::Network> networks(const std::vector<std::string>& texts) {
  std::vector<loop::Network> all;
  for (const auto& text : texts)
    all.push_back(network(text));
  return all;
}

Filter::Filter(const std::vector<std::string>& patterns, const std::vector<std::string>& clients)
    : clients_{networks(clients)} {
  for (const auto& pattern : patterns)
    patterns_.emplace_back(pattern);
}

Filter::Verdict Filter::judge(std::string_view path, const loop::Address& client) const {
  const auto matches = [&](const config::Glob& glob) { return glob.matches(path); };
  const auto contains = [&](const loop::Network& network) { return network.contains(client); };
  if (!patterns_.empty() && std::ranges::none_of(patterns_, matches)) return Verdict::other_path;
  if (!clients_.empty() && std::ranges::none_of(clients_, contains)) return Verdict::other_client;
  return Verdict::fits;
}

std::string Filter::words(Verdict verdict) const {
  const std::string patterns = list_of(patterns_, [](const auto& glob) { return glob.pattern(); });
  const std::string clients = list_of(clients_, [](const auto& network) { return network.to_string(); });
  switch (verdict) {
  case Verdict::other_path: return "the path does not match " + patterns;
  case Verdict::other_client: return "the client is not in " + clients;
  case Verdict::fits: break;
  }
  return (patterns.empty() ? "any path" : "the path matches " + patterns) +
         (clients.empty() ? "" : ", the client is in " + clients);
}

}  // namespace tftpkit::serve
