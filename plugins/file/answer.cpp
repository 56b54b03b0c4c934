// The way of one request through the settings.
#include "answer.hpp"

#include "clean.hpp"
#include "fold.hpp"

#include <algorithm>

namespace tftpkit::file {

Answers::Answers(const tftpkit_host& host, bool without_openat2)
    : host_(host), settings_(read_settings(host)), tree_(settings_, host, without_openat2) {}

Verdict Answers::open(const tftpkit_request& request, std::string& trace, Haste haste) const {
  Client client(host_, request);
  std::string name(request.path.ptr, request.path.len);
  if (settings_.rewrite.empty()) return named(name, client, trace, haste);

  Rewritten result = rewritten(settings_.rewrite, name, client);
  switch (result.kind) {
  case Rewritten::Kind::name: break;
  case Rewritten::Kind::refused:
    trace += "refused by /rewrite/" + std::to_string(result.rule);
    return {TFTPKIT_E_ACCESS, result.message.empty() ? "refused by a rewrite rule" : result.message, {}, 0};
  case Rewritten::Kind::declined:
    trace += "declined by /rewrite/" + std::to_string(result.rule);
    return {TFTPKIT_DECLINED, "left to the next instance by a rewrite rule", {}, 0};
  case Rewritten::Kind::endless:
    return {TFTPKIT_E_ACCESS,
            "rewriting does not come to an end (at /rewrite/" + std::to_string(result.rule) + ")",
            {},
            0};
  }
  Cleaned path = cleaned(result.name);
  if (path.fault != nullptr)
    return {TFTPKIT_E_ACCESS, std::string("the rewritten name cannot be used: ") + path.fault, {}, 0};
  return named(path.path, client, trace, haste);
}

Verdict Answers::named(const std::string& path, Client& client, std::string& trace, Haste haste) const {
  if (path.empty()) return {TFTPKIT_E_ACCESS, "is a directory", {}, 0};
  if (!settings_.hidden && has_hidden_part(path)) {
    trace += path + " (hidden)";
    return {TFTPKIT_DECLINED, "no such file", {}, 0};
  }
  const std::vector<std::string> own = own_directories(client);
  std::vector<std::string> candidates = own;
  for (std::string& candidate : candidates)
    candidate.append("/").append(path);
  if ((settings_.per_client.empty() || settings_.per_client_fallback) && !belongs_to_another(path, own))
    candidates.push_back(path);

  Verdict verdict{TFTPKIT_DECLINED, "no such file", {}, 0};
  for (const std::string& candidate : candidates) {
    if (!trace.empty()) trace += ", then ";
    trace += candidate;
    verdict = tree_.open(candidate, haste);
    if (verdict.later || verdict.status != TFTPKIT_DECLINED) break;
  }
  return verdict;
}

std::vector<std::string> Answers::own_directories(Client& client) const {
  std::vector<std::string> names;
  for (const OwnDirectory by : settings_.per_client) {
    if (by == OwnDirectory::by_address && !client.address().empty()) names.push_back(client.address());
    if (by == OwnDirectory::by_mac && client.mac()) names.push_back(*client.mac());
  }
  return names;
}

// With a common root behind the clients' own directories, "10.0.0.6/config" would be a way into the
// neighbour's.
bool Answers::belongs_to_another(const std::string& path, const std::vector<std::string>& own) const {
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  const bool of_a_client =
      std::any_of(settings_.per_client.begin(), settings_.per_client.end(), [&](OwnDirectory by) {
        return by == OwnDirectory::by_address ? is_address_name(first) : is_mac_name(first);
      });
  return of_a_client && std::none_of(own.begin(), own.end(),
                                     [&](const std::string& name) { return same_folded(name, first); });
}

}  // namespace tftpkit::file
