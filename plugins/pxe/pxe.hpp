// One instance of the plugin: from a request to its answer. All that it needs lies in memory, so it runs on
// the network threads, several at once.
#pragma once

#include "client.hpp"
#include "inventory.hpp"
#include "kit/watched.hpp"
#include "one_shots.hpp"
#include "repeats.hpp"
#include "settings.hpp"
#include "templates.hpp"

#include <tftpkit/plugin.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace tftpkit::pxe {

class Pxe : public Plugin {
 public:
  // Reads settings, inventory, templates, leases and state. Throws a Failure; the log then has all mistakes.
  explicit Pxe(Host host);

  void start();
  void stop();
  Answer open(const Request& request);
  void closed(std::uint64_t request_id, const Outcome& outcome);

 private:
  struct Loaded {
    std::shared_ptr<const Inventory> inventory;
    Templates templates;
  };
  // A one-shot boot that is used up when the transfer ends well.
  struct Spending {
    OneShot order;
    std::optional<kit::Ip> client;
    std::string name;
  };
  struct Question {
    const Request& request;
    const Asked& asked;
    const Sender& sender;
    const Loaded& loaded;
  };

  static kit::Watched<Loaded>::Ways ways(const Settings& settings);
  Sender sender_of(const Request& request) const;
  bool serves(const Asked& asked) const;
  Answer named(const Question& question);
  Answer chosen(const Question& question, const Client& client);
  Answer answer(const Question& question, const Client& client, const Profile& profile,
                std::string& text) const;
  Answer menu(const Question& question, const Client& client, const Profile& profile,
              std::string& text) const;
  Answer ipxe_boot(const Question& question) const;
  Answer by_rule(const Request& request, const Sender& sender, const Inventory& inventory,
                 std::string why) const;
  Syntax syntax_for(const Question& question) const;
  void log_choice(const Question& question, const Client& client, const Profile& profile) const;
  void spend(const Question& question, const OneShot& order, const std::string& text);

  Host host_;
  Settings settings_;
  kit::Watched<Loaded> loaded_;
  kit::LeaseFiles leases_;
  OneShots one_shots_;
  Repeats repeats_;
  std::mutex spending_mutex_;
  std::map<std::uint64_t, Spending> spending_;  // by request
};

}  // namespace tftpkit::pxe
