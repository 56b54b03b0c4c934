#include "scenario.hpp"

#include <algorithm>

namespace tftpkit::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Direction stormy(Random& random) {
  Direction way;
  if (random.chance(0.6)) way.loss = random.pick({0.005, 0.02, 0.05, 0.2});
  if (random.chance(0.3)) {
    way.burst = random.pick({0.002, 0.01, 0.03});
    way.burst_length = static_cast<unsigned>(random.between(2, 40));
  }
  if (random.chance(0.4)) way.copies = random.pick({0.01, 0.1, 0.5});
  if (random.chance(0.4)) way.late = random.pick({0.01, 0.1, 0.4});
  if (random.chance(0.2)) way.broken = random.pick({0.01, 0.1});
  if (random.chance(0.15)) {
    way.silent_from = random.between(Duration{}, seconds(6));
    way.silent_for = random.pick({milliseconds(300), milliseconds(4000), milliseconds(25000)});
  }
  return way;
}

Weather any_weather(Random random) {
  Weather weather;
  weather.delay = random.pick(
      {microseconds(30), microseconds(100), microseconds(400), microseconds(3000), microseconds(40000)});
  if (random.chance(0.3))
    weather.jitter = random.pick({microseconds(50), microseconds(2000), microseconds(30000)});
  if (random.chance(0.2)) {
    weather.per_packet = random.pick({microseconds(10), microseconds(100), microseconds(1200)});
    weather.queue = random.pick({20U, 100U, 1000U});
  }
  weather.lateness = random.pick({milliseconds(1), milliseconds(5), milliseconds(60)});
  switch (random.below(4)) {
  case 0: break;
  case 1: weather.up.copies = weather.down.copies = random.pick({0.05, 0.3, 1.0}); break;
  default:
    weather.up = stormy(random);
    weather.down = random.chance(0.3) ? weather.up : stormy(random);
    break;
  }
  weather.broken_pass = random.chance(0.4);
  if (random.chance(0.2)) {
    weather.mtu = random.pick({576U, 1280U, 1400U, 9000U});
    weather.known_mtu = random.chance(0.7) ? weather.mtu : 1500;
    weather.drops_fragments = random.chance(0.3);
  }
  return weather;
}

void choose_options(Random& random, Habits& habits, std::uint32_t silence_seconds) {
  if (random.chance(0.6)) habits.blksize = random.pick({8U, 64U, 512U, 1024U, 1428U, 1468U, 8192U, 65464U});
  if (random.chance(0.5)) habits.windowsize = random.pick({1U, 2U, 4U, 8U, 16U, 64U, 300U});
  if (random.chance(0.2))
    habits.timeout = static_cast<unsigned>(random.between(1, std::max(1U, silence_seconds / 8)));
  if (random.chance(0.1)) habits.rollover = static_cast<unsigned>(random.below(2));
  habits.tsize = random.chance(0.5);
  habits.odd_options = random.chance(0.1);
}

void choose_timers(Random& random, Habits& habits) {
  habits.asks_again = random.pick({milliseconds(0), milliseconds(55), milliseconds(100), milliseconds(1000),
                                   milliseconds(4000), milliseconds(5000)});
  habits.patience = random.pick({3U, 8U, 20U, 200U});
  habits.gives_up_after = random.pick({seconds(12), seconds(40), seconds(90)});
  if (random.chance(0.15)) {
    habits.writes_for = random.pick({milliseconds(3), milliseconds(60), milliseconds(1500)});
    habits.writes_every = random.pick({4U, 16U, 64U});
  }
}

Habits any_habits(Random random, std::uint32_t silence_seconds) {
  Habits habits;
  if (random.chance(0.75)) choose_options(random, habits, silence_seconds);
  choose_timers(random, habits);
  habits.netascii = random.chance(0.15);
  habits.broadcasts = random.chance(0.05);
  habits.acks_every_packet = random.chance(0.3);
  habits.stays = random.chance(0.6);
  habits.tells = random.chance(0.7);
  if (random.chance(0.15)) habits.requests = static_cast<unsigned>(random.between(2, 5));
  habits.asks_transfer_port = random.chance(0.08);
  if (random.chance(0.3))
    habits.quirk = random.pick({Quirk::probes, Quirk::acks_for_ever, Quirk::restarts, Quirk::restarts,
                                Quirk::vanishes, Quirk::breaks_off, Quirk::uploads});
  habits.attempts = random.chance(0.7) ? 4 : 1;
  return habits;
}

// `tftpkit get`: options as they come, the rest is the receiver's own.
void make_our_own(Habits& habits) {
  const Habits chosen = habits;
  habits = {};
  habits.our_own = true;
  habits.blksize = chosen.blksize;
  habits.windowsize = chosen.windowsize;
  habits.timeout = chosen.timeout;
  habits.rollover = chosen.rollover;
  habits.tsize = chosen.tsize;
  habits.tells = chosen.tells;
  habits.attempts = chosen.attempts;
}

Address visitor_address(std::size_t number, bool v6) {
  const auto low = static_cast<std::uint8_t>(number & 0xffU);
  const auto high = static_cast<std::uint8_t>(number >> 8U);
  if (!v6) return Address::v4({10, 0, static_cast<std::uint8_t>(1 + high), low}, 0);
  std::array<std::uint8_t, 16> ip{0xfd};
  ip[13] = 1;
  ip[14] = high;
  ip[15] = low;
  return Address::v6(ip, 0);
}

Subject subject_of(std::uint64_t seed) {
  if (seed % 100 == 37) return Subject::wrap;
  return seed % 50 == 12 ? Subject::stall : Subject::any;
}

}  // namespace

Scenario::Scenario(std::uint64_t seed) : random{seed}, subject{subject_of(seed)} {
  Random choice = random.fork(1);
  calm_after = choice.pick({seconds(0), seconds(5), seconds(20)});
  if (choice.chance(0.5))
    stranger_pause = choice.pick({milliseconds(20), milliseconds(150), milliseconds(1000)});
  if (choice.chance(0.08)) stops_at = choice.between(Duration{}, seconds(10));
  choose_config(random.fork(2));
  choose_kernel(random.fork(3));
  choose_files(random.fork(4));
  choose_visitors(random.fork(5));
  if (subject == Subject::wrap) make_it_wrap(random.fork(6));
  if (subject == Subject::stall) make_it_stall(random.fork(6));
}

void Scenario::without_limits() {
  config.limits = {};
  config.protocol.windowsize_max = 64;
  next_config.reset();
  stops_at.reset();
  generous = true;
}

void Scenario::make_it_wrap(Random choice) {
  without_limits();
  File& file = files.front();
  file = any_file(choice.fork(1), file.path, 0, 0);
  file.bytes = content(choice.fork(2), 8 * std::size_t{65'535} + choice.below(2'000));
  file.shelf = choice.pick({at_once, one_by_one, side_by_side});
  file.piece = 0;
  files.back().bytes = file.bytes;  // the other name
  visitors.resize(1);
  Visitor& visitor = visitors.front();
  visitor.path = file.path;
  visitor.weather = {};
  if (choice.chance(0.7))
    for (Direction* way : {&visitor.weather.up, &visitor.weather.down})
      way->loss = way->copies = way->late = choice.pick({0.0, 0.0002, 0.002});
  Habits& habits = visitor.habits;
  habits = {};
  habits.our_own = choice.chance(0.3);
  habits.blksize = 8;
  habits.windowsize = choice.pick({16U, 64U});
  habits.acks_every_packet = choice.chance(0.3);
  habits.wraps_to = config.protocol.rollover;
  if (habits.our_own || choice.chance(0.5)) habits.rollover = static_cast<unsigned>(choice.below(2));
}

void Scenario::make_it_stall(Random choice) {
  without_limits();
  File& file = files.front();
  file = any_file(choice.fork(1), file.path, 20'000, 0);
  file.bytes = content(choice.fork(2), 16'384);
  file.fault = Fault::stalls;
  file.way = Way::pipe;
  file.shelf = at_once;
  files.back().bytes = file.bytes;  // the other name
  files.back().fault = file.fault;
  for (Visitor& visitor : visitors) {
    if (choice.chance(0.3)) continue;
    visitor.path = file.path;
    visitor.weather = {};
    visitor.habits = {};
    visitor.habits.blksize = choice.pick({512U, 1024U});
    visitor.habits.windowsize = choice.pick({1U, 7U, 64U});
    visitor.habits.quirk = choice.pick({Quirk::vanishes, Quirk::acks_for_ever, Quirk::none});
    visitor.habits.tells = false;
  }
}

void Scenario::choose_config(Random choice) {
  config.protocol.windowsize_max =
      choice.pick({std::uint16_t{64}, std::uint16_t{64}, std::uint16_t{5}, std::uint16_t{200}});
  config.protocol.blksize_max =
      choice.pick({std::uint16_t{65464}, std::uint16_t{65464}, std::uint16_t{1024}});
  config.protocol.respect_path_mtu = choice.chance(0.8);
  config.protocol.rollover = static_cast<std::uint16_t>(choice.below(2));
  config.retry.silence = choice.pick({milliseconds(60000), milliseconds(60000), milliseconds(15000)});
  config.answer_timeout = choice.pick({milliseconds(10000), milliseconds(2000)});
  config.read_timeout = choice.pick({milliseconds(30000), milliseconds(4000)});
  config.explain_to_clients = choice.chance(0.7);
  if (choice.chance(0.3)) {
    next_config = config;
    next_config->protocol.windowsize_max = 3;
    next_config->protocol.blksize_max = 600;
    reloads_at = choice.between(Duration{}, seconds(5));
  }
  if (choice.chance(0.1)) {
    generous = false;
    config.limits.transfers = static_cast<unsigned>(choice.between(1, 4));
    config.limits.transfers_per_client = choice.pick({1U, 2U, 1'024U});
    config.limits.buffer_memory_bytes = choice.pick({20'000U, 200'000U});
    config.limits.request_burst_per_client = 3;
    config.limits.requests_per_second_per_client = 1;
  }
}

void Scenario::choose_kernel(Random choice) {
  kernel.gso = choice.chance(0.8);
  kernel.latency = choice.pick({microseconds(0), microseconds(0), microseconds(60), microseconds(4000)});
  if (choice.chance(0.2)) kernel.no_buffers = choice.pick({0.01, 0.2});
  if (choice.chance(0.1)) kernel.unreachable = choice.pick({0.01, 0.2});
  if (choice.chance(0.2)) {
    kernel.send_room = choice.pick({std::size_t{1}, std::size_t{5}, std::size_t{40}});
    kernel.per_packet = choice.pick({microseconds(2), microseconds(200)});
  }
  if (choice.chance(0.15)) kernel.receive_room = choice.pick({std::size_t{2}, std::size_t{10}});
  kernel.not_cached = choice.pick({0.0, 0.1, 1.0});
}

void Scenario::choose_files(Random choice) {
  const std::size_t largest = choice.pick({3'000U, 20'000U, 60'000U});
  const double faulty = choice.pick({0.0, 0.15, 0.5});
  for (std::uint64_t number = 0; number < 6; ++number)
    files.push_back(any_file(choice.fork(number), "boot/file" + std::to_string(number), largest, faulty));
  File led = files.front();  // the same content by way of another name
  led.path = "boot/other-name";
  led.way = Way::redirect;
  led.shelf = redirecting;
  led.redirect = files.front().path;
  led.pending = false;
  files.push_back(led);
}

void Scenario::choose_visitors(Random choice) {
  std::size_t count = choice.between(1, 6);
  if (choice.chance(0.04)) count = choice.between(30, 90);
  const auto silence = static_cast<std::uint32_t>(config.retry.silence.count() / 1000);
  for (std::size_t number = 1; number <= count; ++number) {
    Visitor visitor;
    visitor.ip = visitor_address(number, choice.chance(0.25));
    visitor.weather = any_weather(choice.fork(number * 2));
    visitor.habits = any_habits(choice.fork(number * 2 + 1), silence);
    if (choice.fork(number + 9000).chance(0.12)) make_our_own(visitor.habits);
    if (visitor.ip.is_v6()) visitor.habits.broadcasts = false;
    visitor.path = choice.chance(0.03) ? "boot/nothing-here" : files[choice.below(files.size())].path;
    visitor.begins =
        choice.between(Duration{}, count > 20 ? Duration{milliseconds(50)} : Duration{seconds(2)});
    visitors.push_back(visitor);
  }
}

std::string Scenario::summary() const {
  static constexpr const char* words[] = {"", "a file that wraps, ", "a source that stalls, "};
  return words[static_cast<std::size_t>(subject)] + std::to_string(visitors.size()) +
         " clients, calm after " + std::to_string(std::chrono::duration_cast<seconds>(calm_after).count()) +
         " s" + (stranger_pause > Duration{} ? ", strangers" : "") + (stops_at ? ", server stops" : "") +
         (next_config ? ", reload" : "") + (generous ? "" : ", tight limits");
}

std::string Scenario::details() const {
  std::string text = summary() + "\n";
  for (const File& file : files)
    text += "  " + file.path + ": " + std::to_string(file.bytes.size()) + " bytes, way " +
            std::to_string(static_cast<int>(file.way)) + ", fault " +
            std::to_string(static_cast<int>(file.fault)) + ", shelf " + std::to_string(file.shelf) +
            (file.size_known ? "" : ", size unknown") + (file.pending ? ", pending" : "") + ", piece " +
            std::to_string(file.piece) + "\n";
  text += "  silence " + std::to_string(config.retry.silence.count()) + ", answer " +
          std::to_string(config.answer_timeout.count()) + ", read " +
          std::to_string(config.read_timeout.count()) + " ms, window " +
          std::to_string(config.protocol.windowsize_max) + "; kernel: latency " +
          std::to_string(kernel.latency.count()) + " ns, send room " + std::to_string(kernel.send_room) +
          ", receive room " + std::to_string(kernel.receive_room) + ", ENOBUFS " +
          std::to_string(kernel.no_buffers) + ", ENETUNREACH " + std::to_string(kernel.unreachable) + "\n";
  return text;
}

}  // namespace tftpkit::sim
