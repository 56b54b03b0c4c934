#include "world.hpp"

#include "our_client.hpp"
#include "trace.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Address server_v4 = Address::v4({10, 0, 0, 1}, 69);
const Address server_v6 = Address::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 69);

// A world of ninety clients sends some hundred thousand packets.
constexpr std::uint64_t most_packets = 3'000'000;
constexpr Duration watch_interval = milliseconds(500);
constexpr double hangs = 0.4;

Duration any_time(Random& random, Duration most) {
  return random.between(Duration{}, most);
}

}  // namespace

World::World(std::uint64_t seed)
    : scenario_{seed}, machine_{scenario_.random.fork(10)}, began_{machine_.timeline.now()},
      ledger_{machine_, findings_, scenario_.random.fork(11)}, network_{machine_, scenario_.random.fork(12),
                                                                        began_ + scenario_.calm_after} {
  Trace::begin();
  Rules rules;
  rules.tries = scenario_.config.retry.tries;
  rules.shortest_interval = scenario_.config.retry.min;
  rules.quiet_after = longest_life();
  rules.rollover = scenario_.config.protocol.rollover;
  rules.respects_mtu = scenario_.config.protocol.respect_path_mtu;
  const KernelFaults& kernel = scenario_.kernel;
  rules.sends_at_once = kernel.send_room == 0 && kernel.no_buffers == 0 && kernel.unreachable == 0;
  rules.always_ready = [this](const Address& peer) { return is_in_memory(peer); };
  rules.slowness = 2 * kernel.latency + milliseconds(3);
  referee_.emplace(machine_.timeline, network_, findings_, rules);
  for (const File& file : scenario_.files)
    ledger_.add(file);
  prepare_kernel();
  make_server();
  make_visitors();
}

World::~World() {
  machine_.timeline.clear();  // before what its events would look at
}

void World::prepare_kernel() {
  Kernel& kernel = machine_.kernel;
  kernel.faults = scenario_.kernel;
  kernel.own = {server_v4.with_port(0), server_v6.with_port(0)};
  kernel.on_batch = [this] { referee_->on_batch(); };
  kernel.on_read = [this](const Packet& packet) { referee_->on_read(packet); };
  kernel.on_overflow = [this](const Packet& packet) { network_.count_fault(packet.from); };
  kernel.on_sent = [this](Packet packet) {
    referee_->on_sent(packet);
    judge_limits(packet);
    if (referee_->totals().sent == most_packets) give_up();
    network_.deliver(std::move(packet));
  };
  kernel.mtu_to = [this](const Address& peer) { return network_.known_mtu(peer); };
  machine_.job_time =
      [random = scenario_.random.fork(13)](const std::string& lane) mutable -> std::optional<Duration> {
    if (lane == "stuck" && random.chance(hangs)) return std::nullopt;
    if (lane == "slow") return any_time(random, milliseconds(300));
    return any_time(random, lane == "disk" ? milliseconds(10) : milliseconds(2));
  };
  machine_.timeline.at(network_.calm(), [&kernel] {
    kernel.faults.no_buffers = kernel.faults.unreachable = 0;
    kernel.faults.receive_room = 10'000;
  });
}

void World::make_server() {
  for (unsigned shelf = 0; shelf < shelves; ++shelf) {
    static constexpr const char* names[] = {"redirecting",  "at-once", "one-by-one",
                                            "side-by-side", "slow",    "stuck"};
    static constexpr unsigned caps[] = {0, 0, 1, 4, 4, 3};
    auto served = std::make_shared<serve::Served>();
    served->instance = host::Instance::create(ledger_.code(static_cast<Shelf>(shelf)), names[shelf], {},
                                              {log_, {}, "sim", {}});
    if (caps[shelf] > 0) served->lane = executor_.lane(names[shelf], caps[shelf]);
    served_.push_back(std::move(served));
  }
  admission_.emplace(serve::admission_limits(scenario_.config.limits));
  std::vector<loop::Fd> sockets;
  sockets.emplace_back(machine_.kernel.listen(Address::any(loop::Family::v4, 69)));
  sockets.emplace_back(machine_.kernel.listen(Address::any(loop::Family::v6, 69)));
  const serve::Shared shared{log_, *admission_, executor_.lane("disk", 4), next_id_};
  worker_.emplace(shared, std::move(sockets), make_setup(scenario_.config), true);
  if (scenario_.next_config)
    machine_.timeline.after(scenario_.reloads_at,
                            [this] { worker_->use(make_setup(*scenario_.next_config)); });
  if (scenario_.stops_at)
    machine_.timeline.after(*scenario_.stops_at, [this] {
      worker_->drain([] {});
      worker_->end_sessions();
    });
}

std::shared_ptr<const serve::Setup> World::make_setup(const config::Config& config) const {
  serve::Ingredients parts;
  for (const auto& served : served_)
    parts.instances.push_back(
        serve::RunningInstance{.served = served, .plugin_identity = {}, .settings_json = {}, .config = {}});
  return std::make_shared<const serve::Setup>(config, std::move(parts));
}

void World::make_visitors() {
  std::vector<std::string> paths;
  for (const File& file : scenario_.files)
    paths.push_back(file.path);
  static const File nothing = [] {
    File file;
    file.path = "boot/nothing-here";
    file.fault = Fault::absent;
    return file;
  }();
  for (const Visitor& visitor : scenario_.visitors) {
    const File* file = ledger_.find(visitor.path);
    const Caller::Place place{machine_, network_, findings_, visitor.ip.is_v6() ? server_v6 : server_v4,
                              [this] { on_client_done(); }};
    const Random random = scenario_.random.fork(100 + clients_.size());
    const File& wanted = file == nullptr ? nothing : *file;
    std::unique_ptr<Caller> client;
    if (visitor.habits.our_own)
      client = std::make_unique<OurClient>(place, wanted, visitor.habits, visitor.ip, random);
    else
      client = std::make_unique<Client>(place, wanted, visitor.habits, visitor.ip, random);
    network_.attach(visitor.ip, client.get(), visitor.weather);
    machine_.timeline.after(visitor.begins, [begins = client.get()] { begins->begin(); });
    clients_.push_back(std::move(client));
  }
  strangers_.emplace(machine_, network_, *referee_, server_v4, paths, scenario_.random.fork(14));
  if (scenario_.stranger_pause > Duration{}) strangers_->begin(scenario_.stranger_pause);
}

// From the last packet of a client on: what may still be waited for, one after the other.
Duration World::longest_life() const {
  const config::Config& config = scenario_.config;
  const Duration silence = std::max<Duration>(config.retry.silence, seconds(3 * 10));
  return silence + config.retry.max + config.answer_timeout + config.read_timeout + seconds(5);
}

void World::on_client_done() {
  if (++done_ < clients_.size()) return;
  strangers_->stop();
  all_done_ = machine_.timeline.now();
  machine_.timeline.after(watch_interval, [this] { watch(); });
}

// Nobody sends any more: every session has to come to its end by itself.
void World::watch() {
  const bool busy = admission_->transfers() > 0;
  const bool too_long = machine_.timeline.now() > *all_done_ + longest_life();
  if (busy && too_long)
    find("no transfer outlives its last timer", std::to_string(admission_->transfers()) + " are left");
  if (!busy || too_long) return finish();
  machine_.timeline.after(watch_interval, [this] { watch(); });
}

// As the server ends: no new requests, sessions told, calls under way awaited, then the loop.
void World::finish() {
  if (!std::exchange(finishing_, true)) {
    machine_.job_time = [](const std::string&) { return Duration{}; };
    machine_.release_hanging();
    worker_->drain([] {});
    worker_->end_sessions();
  }
  if (executor_.running() == 0 && executor_.queued() == 0 && admission_->transfers() == 0)
    return worker_->stop();
  machine_.timeline.after(milliseconds(1), [this] { finish(); });
}

// Packets that bring packets, without end.
void World::give_up() {
  find("the world comes to its end", std::to_string(most_packets) + " packets were sent");
  finishing_ = true;
  worker_->stop();
}

Report World::run() {
  Trace::say("world", scenario_.details());
  worker_->run();
  if (!finishing_)
    find("the world comes to its end", "nothing happens any more, and clients are still waiting");
  judge();
  Report report;
  report.summary = scenario_.summary();
  report.packets = referee_->totals().sent + referee_->totals().read;
  report.resends = referee_->totals().resends;
  report.transfers = ledger_.lent().size();
  for (const auto& client : clients_) {
    for (const Attempt& attempt : client->attempts()) {
      report.complete += attempt.end == Attempt::End::complete ? 1 : 0;
      report.told += attempt.end == Attempt::End::told ? 1 : 0;
      report.gave_up += attempt.end == Attempt::End::gave_up ? 1 : 0;
      report.left += attempt.end == Attempt::End::left ? 1 : 0;
    }
  }
  report.trace = Trace::hash();
  report.findings = findings_.all();
  return report;
}

void World::judge() {
  if (admission_->transfers() != 0 || admission_->buffer_bytes() != 0)
    find("memory is back to zero",
         std::to_string(admission_->buffer_bytes()) + " bytes of buffers are still booked");
  worker_.reset();
  if (machine_.kernel.open_sockets() != 0)
    find("no descriptor stays open", std::to_string(machine_.kernel.open_sockets()) + " sockets");
  for (std::size_t at = 0; at < served_.size(); ++at)
    if (served_[at]->transfers != 0)
      find("every transfer lets go of its instance", served_[at]->instance->name());
  ledger_.check_closed();
  judge_ends();
  judge_rates();
  referee_->check_end();
  for (std::size_t at = 0; at < clients_.size(); ++at)
    judge_client(*clients_[at], scenario_.visitors[at].weather);
  served_.clear();
}

void World::judge_client(const Caller& client, const Weather& weather) {
  const Attempt& last = client.attempts().back();
  const Habits& habits = client.habits();
  if (!network_.tainted(last.self)) judge_verdicts(client);
  if (habits.quirk == Quirk::uploads && last.end == Attempt::End::told && last.code != 2 &&
      !network_.tainted(last.self) && scenario_.generous)
    find("who uploads is told that he may not", client.name() + ": " + last.text);
  const bool sane = habits.quirk == Quirk::none || habits.quirk == Quirk::restarts;
  const bool black_hole = weather.drops_fragments &&
                          (weather.known_mtu > weather.mtu || !scenario_.config.protocol.respect_path_mtu);
  const bool crowd = clients_.size() > 20;  // all of them wait for one thread of a plugin
  const bool fine = last.began >= network_.calm() && scenario_.generous && !scenario_.stops_at && !black_hole;
  const bool patient = habits.asks_again == Duration{} || habits.asks_again * habits.patience >= seconds(5);
  if (sane && patient && fine && !crowd && client.file().healthy() && last.end != Attempt::End::complete)
    find("in fine weather a transfer completes", client.name() + " ended otherwise: " + last.text);
}

// What the server tells the plugin fits what the client knows.
void World::judge_verdicts(const Caller& client) {
  std::map<Address, int> complete, delivered, may_be;
  for (const Attempt& attempt : client.attempts())
    if (attempt.end == Attempt::End::complete) ++complete[attempt.self];
  for (const auto& lent : ledger_.lent()) {
    if (!lent->offered || lent->file->way == Way::redirect) continue;
    if (!lent->peer.same_ip(client.attempts().front().self)) continue;
    if (lent->end == TFTPKIT_END_DELIVERED) ++delivered[lent->peer];
    const bool unsure = lent->end == TFTPKIT_END_UNCONFIRMED || lent->end == TFTPKIT_END_SHUTDOWN;
    if (lent->end == TFTPKIT_END_DELIVERED || unsure) ++may_be[lent->peer];
  }
  for (const auto& [peer, count] : delivered)
    if (count > complete[peer])
      find("what the server calls delivered is with the client", client.name() + " from " + peer.to_string());
  // A file of one block whose only ACK is lost leaves the server without any proof that somebody was there.
  if (netascii_size(client.file().bytes) < 512) return;
  for (const auto& [peer, count] : complete)
    if (count > may_be[peer])
      find("what is complete at the client is no failure for the server",
           client.name() + " from " + peer.to_string());
}

bool World::is_in_memory(const Address& peer) const {
  const Lent* only = nullptr;
  for (const auto& lent : ledger_.lent())
    if (lent->peer == peer && std::exchange(only, lent.get()) != nullptr) return false;
  return only != nullptr && only->file->way == Way::buffer;
}

void World::judge_limits(const Packet& sent) {
  if (!admission_) return;
  const auto& limits = scenario_.config.limits;
  if (admission_->transfers() > limits.transfers)
    find("no more transfers are open than may be", std::to_string(admission_->transfers()));
  if (admission_->buffer_bytes() > limits.buffer_memory_bytes)
    find("no more buffer memory is booked than may be", std::to_string(admission_->buffer_bytes()));
  if (opcode(sent.bytes) != Opcode::error || admission_->transfers() > 0) return;
  const std::string text = read_error(sent.bytes).value_or("");
  if (text.starts_with("too many transfers") || text.starts_with("the server has as many transfers"))
    find("a limit on open transfers refuses nobody while none is open", sent.to.to_string());
}

// What was asked of plugins in the name of one address, each of which took a token of its bucket.
void World::judge_rates() {
  const auto& limits = scenario_.config.limits;
  std::map<Address, std::map<std::uint64_t, TimePoint>> requests;  // by their number
  for (const auto& lent : ledger_.lent())
    requests[lent->peer.with_port(0)].emplace(lent->request, lent->opened);
  for (const auto& [ip, all] : requests) {
    const Duration span = all.rbegin()->second - all.begin()->second + seconds(10);  // answers may come late
    const double most = limits.request_burst_per_client +
                        limits.requests_per_second_per_client * std::chrono::duration<double>(span).count();
    if (static_cast<double>(all.size()) > most + 1)
      find("requests of one address keep to its rate", ip.ip_string() + ": " + std::to_string(all.size()));
  }
}

void World::judge_ends() {
  std::map<Address, std::vector<const Lent*>> answers;
  for (const auto& lent : ledger_.lent())
    if (lent->offered && lent->closes > 0 && !network_.tainted(lent->peer))
      answers[lent->peer].push_back(lent.get());
  for (const auto& [peer, of_peer] : answers) {
    judge_one_answer(of_peer);
    judge_successors(of_peer);
  }
}

// Who was served from one answer, by way of a redirect or not: both hear how it ended, and never that the
// host had its reasons, since all that could be is over when the first packet leaves.
void World::judge_one_answer(const std::vector<const Lent*>& of_peer) {
  const Lent* answer = nullptr;
  const Lent* redirect = nullptr;
  for (const Lent* lent : of_peer) {
    const Lent*& place = lent->file->way == Way::redirect ? redirect : answer;
    if (std::exchange(place, lent) != nullptr) return;
  }
  if (answer == nullptr || !referee_->served(answer->peer)) return;
  const std::string who = answer->file->path + " for " + answer->peer.to_string();
  if (answer->end == TFTPKIT_END_HOST) find("a plugin hears how its transfer ended", who + ": as END_HOST");
  if (answer->end == TFTPKIT_END_TIMEOUT && referee_->left_in_the_dark(answer->peer))
    find("who falls silent is told that its transfer is over", who);
  if (redirect != nullptr && redirect->request == answer->request && redirect->end != answer->end)
    find("a redirect hears the same end as its target",
         who + ": " + std::to_string(redirect->end) + " and " + std::to_string(answer->end));
}

// A machine that began anew has shown that it means the newer transfer: the one before is over then. Calls of
// these shelves happen in the order in which they were made.
void World::judge_successors(const std::vector<const Lent*>& of_peer) {
  for (std::size_t at = 1; at < of_peer.size(); ++at) {
    const Lent& before = *of_peer[at - 1];
    const Lent& after = *of_peer[at];
    const bool in_order =
        before.file == after.file && (after.file->shelf == at_once || after.file->shelf == one_by_one);
    if (!in_order || after.end != TFTPKIT_END_DELIVERED || before.end == TFTPKIT_END_HOST) continue;
    if (before.closed > after.closed)
      find("who begins anew and goes on has one transfer",
           before.file->path + " for " + before.peer.to_string() + ": the first ended after the second");
  }
}

}  // namespace tftpkit::sim
