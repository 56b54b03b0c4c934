#include "pxe.hpp"

#include "arch.hpp"
#include "inventory_file.hpp"
#include "kit/neighbour.hpp"
#include "menu.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace tftpkit::pxe {
namespace {

std::string server_of(const Request& request) {
  const auto ip = kit::ip_of(request.local());
  return ip ? kit::ip_text(*ip) : std::string();
}

bool is_url(const std::string& path) {
  return path.find("://") != std::string::npos;
}

// The path of a redirect: clean, as the host wants it.
std::string relative(std::string path) {
  path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
  return path;
}

// The directories that belong to a name by convention do not count as the place of it.
std::string_view place_of(const Asked& asked) {
  std::string_view dir = asked.dir;
  for (const std::string_view last : {"mac", "uuid", "hostname", "ipxe", "uki"}) {
    if (dir == last) return {};
    if (dir.ends_with("/" + std::string(last))) dir.remove_suffix(last.size() + 1);
  }
  return dir;
}

}  // namespace

Pxe::Pxe(Host host)
    : host_(host), settings_(read_settings(host)), loaded_(host, ways(settings_)),
      leases_(host, settings_.leases), one_shots_(host, settings_.state), repeats_(settings_.repeat_within) {
  loaded_.load_first();
}

kit::Watched<Pxe::Loaded>::Ways Pxe::ways(const Settings& settings) {
  kit::Watched<Loaded>::Ways ways;
  ways.what = "the inventory";
  ways.paths = {settings.inventory};
  if (settings.templates) ways.paths.push_back(*settings.templates);
  ways.load = [settings]() -> config::Checked<std::shared_ptr<const Loaded>> {
    auto inventory = load_inventory(settings.inventory, settings.state.has_value());
    auto templates = Templates::load(settings.templates);
    config::Problems problems = inventory.problems();
    problems.insert(problems.end(), templates.problems().begin(), templates.problems().end());
    if (!problems.empty()) return problems;
    return std::make_shared<const Loaded>(Loaded{std::move(*inventory), std::move(*templates)});
  };
  ways.summary = [](const Loaded& loaded) {
    return std::to_string(loaded.inventory->machines.size()) + " machines, " +
           std::to_string(loaded.inventory->groups.size()) + " groups, " +
           std::to_string(loaded.inventory->profiles.size()) + " profiles";
  };
  return ways;
}

void Pxe::start() {
  one_shots_.start();
  leases_.start();
  loaded_.start();
}

void Pxe::stop() {
  loaded_.stop();
  leases_.stop();
  one_shots_.stop();
}

Sender Pxe::sender_of(const Request& request) const {
  Sender sender;
  sender.ip = kit::ip_of(request.peer());
  if (settings_.neighbours)
    sender.neighbour = [this, id = request.id()] { return kit::neighbour_of(*host_.table(), id); };
  sender.leases = leases_.now();
  sender.now = std::time(nullptr);
  return sender;
}

bool Pxe::serves(const Asked& asked) const {
  return asked.form == Form::serial_dir || settings_.serves(asked.dir) || settings_.serves(place_of(asked));
}

Answer Pxe::open(const Request& request) {
  const Sender sender = sender_of(request);
  if (sender.ip) repeats_.seen(*sender.ip, request.path());
  const auto loaded = loaded_.now();
  const auto asked = asked_by(request.path());
  if (!asked) return by_rule(request, sender, *loaded->inventory, "not the name of a boot configuration");
  if (!serves(*asked))
    return by_rule(request, sender, *loaded->inventory,
                   "\"" + asked->dir + "\" is none of the configured directories");
  return named({request, *asked, sender, *loaded});
}

Answer Pxe::named(const Question& question) {
  Asked asked = question.asked;
  if (asked.form == Form::ipxe && asked.by == By::nobody) {
    const std::string word = kit::lower_case(asked.word);
    if (word == "boot" || word == "autoexec") return ipxe_boot(question);
    if (word != "default" && word != "menu") asked.by = By::hostname;
  }
  std::string why;
  const auto client = client_of(asked, question.sender, *question.loaded.inventory, why);
  if (!client) return by_rule(question.request, question.sender, *question.loaded.inventory, std::move(why));
  return chosen({question.request, asked, question.sender, question.loaded}, *client);
}

Answer Pxe::chosen(const Question& question, const Client& client) {
  const Profile* profile = client.profile();
  const Machine* machine = client.machine;
  std::string text;
  if (machine == nullptr || !machine->once || question.asked.form == Form::serial_dir) {
    if (profile == nullptr) return declined("the inventory has no profile for this client, and no default");
    return answer(question, client, *profile, text);
  }
  const Once& once = *machine->once;
  const OneShot order{machine->name, once.profile->name, once.id};
  if (!one_shots_.used(order)) {
    Answer made = answer(question, client, *once.profile, text);
    spend(question, order, text);
    return made;
  }
  if (question.sender.ip) {
    const auto again = repeats_.again(*question.sender.ip, std::string(question.request.path()));
    if (again && !again->empty()) return tftpkit::text(*again);
  }
  if (profile == nullptr) return declined("the one-shot boot was used, and there is no profile after it");
  return answer(question, client, *profile, text);
}

// Remembers what close() has to know. A request without a network shows what would be, and uses up nothing.
void Pxe::spend(const Question& question, const OneShot& order, const std::string& text) {
  if (!question.sender.ip) return;
  const std::string name(question.request.path());
  repeats_.answered(*question.sender.ip, name, std::make_shared<const std::string>(text));
  const std::lock_guard lock(spending_mutex_);
  spending_[question.request.id()] = {order, question.sender.ip, name};
}

void Pxe::closed(std::uint64_t request_id, const Outcome& outcome) {
  std::unique_lock lock(spending_mutex_);
  const auto found = spending_.find(request_id);
  if (found == spending_.end()) return;
  const Spending spent = std::move(found->second);
  spending_.erase(found);
  lock.unlock();
  if (outcome.end != TFTPKIT_END_DELIVERED) return;
  one_shots_.use(spent.order);
  if (spent.client) repeats_.delivered(*spent.client, spent.name);
  host_.log(Level::info, "the one-shot boot \"" + spent.order.profile + "\" of \"" + spent.order.machine +
                             "\" was delivered and is used up");
}

Answer Pxe::answer(const Question& question, const Client& client, const Profile& profile,
                   std::string& text) const {
  log_choice(question, client, profile);
  const auto filled = [&](const Pattern& pattern) {
    return relative(pattern.filled(client_values(client, profile, server_of(question.request))));
  };
  const auto redirected = [&](std::string path, const char* what) {
    if (path.empty() || is_url(path))
      return declined("the profile \"" + profile.name + "\" has no " + what + " at this server");
    return redirect(std::move(path));
  };
  switch (question.asked.form) {
  case Form::uki:
    return redirected(profile.kind == Profile::Kind::chain ? filled(profile.chain) : "", "\"chain\"");
  case Form::uboot_image: return redirected(filled(profile.image), "\"image\"");
  case Form::serial_dir: {
    const std::string files = filled(profile.files);
    return redirected(files.empty() ? files : files + "/" + question.asked.rest, "\"files\"");
  }
  default: break;
  }
  if (profile.kind == Profile::Kind::files)
    return declined("the profile \"" + profile.name + "\" has nothing that a menu could start");
  return menu(question, client, profile, text);
}

Answer Pxe::menu(const Question& question, const Client& client, const Profile& profile,
                 std::string& text) const {
  const Syntax syntax = syntax_for(question);
  text = question.loaded.templates.menu(syntax).rendered(
      menu_values(syntax, client, profile, server_of(question.request)));
  // Some loaders take an empty file for success, and stop.
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return error(Status::not_found,
                 "the template made an empty file of the profile \"" + profile.name + "\"");
  return tftpkit::text(text);
}

Answer Pxe::ipxe_boot(const Question& question) const {
  static const Profile nothing;
  const Client client = client_of(question.sender, *question.loaded.inventory);
  std::string text = question.loaded.templates.ipxe_boot().rendered(
      client_values(client, nothing, server_of(question.request)));
  if (text.empty()) return error(Status::not_found, "the template ipxe-boot made an empty file");
  return tftpkit::text(std::move(text));
}

Syntax Pxe::syntax_for(const Question& question) const {
  switch (question.asked.form) {
  case Form::grub: return Syntax::grub;
  case Form::ipxe: return Syntax::ipxe;
  case Form::extlinux: return Syntax::extlinux;
  default: break;
  }
  if (settings_.syntax != Choice::automatic)
    return settings_.syntax == Choice::syslinux ? Syntax::syslinux : Syntax::extlinux;
  // Only U-Boot puts its architecture behind "default".
  const bool small = is_small_loader(question.request) || !question.asked.word.empty();
  return small ? Syntax::extlinux : Syntax::syslinux;
}

Answer Pxe::by_rule(const Request& request, const Sender& sender, const Inventory& inventory,
                    std::string why) const {
  std::string arch;
  bool known = false;
  for (const LoaderRule& rule : inventory.loaders) {
    const auto fits = [&](const config::Glob& glob) { return glob.matches(request.path()); };
    if (std::none_of(rule.ask.begin(), rule.ask.end(), fits)) continue;
    const auto holds = [&](const kit::Network& network) { return sender.ip && network.holds(*sender.ip); };
    if (!rule.clients.empty() && std::none_of(rule.clients.begin(), rule.clients.end(), holds)) continue;
    if (!std::exchange(known, true)) {
      arch = client_of(sender, inventory).arch();
      if (arch.empty()) arch = arch_of_options(request);
    }
    const auto is_arch = [&](const std::string& wanted) { return arch_fits(wanted, arch); };
    if (rule.arch.empty() || std::any_of(rule.arch.begin(), rule.arch.end(), is_arch))
      return redirect(relative(rule.to));
  }
  return declined(std::move(why));
}

void Pxe::log_choice(const Question& question, const Client& client, const Profile& profile) const {
  if (!host_.log_enabled(Level::debug)) return;
  std::string who = client.machine != nullptr ? "machine \"" + client.machine->name + "\"" : "no machine";
  for (const Group* group : client.groups)
    who += ", group \"" + group->name + "\"";
  host_.log(Level::debug, "request " + std::to_string(question.request.id()) + ": \"" +
                              std::string(question.request.path()) + "\" is for " + who + ": profile \"" +
                              profile.name + "\"");
}

}  // namespace tftpkit::pxe
