#include "firmware/read_time.hpp"

#include "config/nearest.hpp"
#include "config/object_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace tftpkit::firmware {
namespace {

using config::in_quotes;
using config::ObjectReader;
using std::chrono::minutes;
using std::chrono::system_clock;

const std::array<std::string, 7> day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// The clock counts nanoseconds in 64 bits, which end in 2262.
constexpr std::chrono::year first_year{1970}, last_year{2200};

std::optional<unsigned> number_in(std::string_view text) {
  if (text.empty() || text.size() > 4 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  unsigned number = 0;
  for (const char c : text)
    number = number * 10 + static_cast<unsigned>(c - '0');
  return number;
}

std::optional<minutes> clock_from(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = number_in(text.substr(0, 2));
  const auto minute = number_in(text.substr(3));
  if (!hour || !minute || *hour > 24 || *minute > 59 || (*hour == 24 && *minute > 0)) return std::nullopt;
  return minutes(*hour * 60 + *minute);
}

void read_clock(ObjectReader& reader, const std::string& key, minutes& value) {
  std::string text;
  reader.text(key, text);
  if (reader.member(key) == nullptr || text.empty()) return;
  if (const auto clock = clock_from(text))
    value = *clock;
  else
    reader.report().add(reader.pointer_of(key),
                        {in_quotes(text) + " is no time of day", "write for example \"22:00\""});
}

void read_moment(ObjectReader& reader, const std::string& key,
                 std::optional<system_clock::time_point>& value) {
  std::string text;
  reader.text(key, text);
  if (reader.member(key) == nullptr || text.empty()) return;
  value = moment_from(text);
  if (!value)
    reader.report().add(reader.pointer_of(key), {in_quotes(text) + " is no moment",
                                                 "write UTC in full, for example \"2026-12-01T22:00:00Z\""});
}

}  // namespace

Window read_window(const config::Json& object, const std::string& pointer, config::Report& report) {
  ObjectReader reader(object, pointer, report);
  Window window;
  if (reader.member("days") != nullptr) window.days.reset();
  reader.texts("days", [&](const std::string& text, const std::string& place) {
    const auto* at = std::find(day_names.begin(), day_names.end(), text);
    if (at != day_names.end())
      window.days.set(static_cast<std::size_t>(at - day_names.begin()));
    else
      report.add(place,
                 {in_quotes(text) + " is no day", "the days are " + config::quoted_list(day_names, "and")});
  });
  read_clock(reader, "from", window.from);
  read_clock(reader, "to", window.to);
  static const std::vector<std::pair<std::string, bool>> zones = {{"local", false}, {"utc", true}};
  reader.word("zone", window.utc, std::span(zones));
  read_moment(reader, "not_before", window.not_before);
  read_moment(reader, "not_after", window.not_after);
  if (window.not_before && window.not_after && *window.not_after < *window.not_before)
    report.add(reader.pointer_of("not_after"),
               {"it lies before \"not_before\", so the time never comes", "swap the two"});
  reader.finish();
  return window;
}

std::optional<system_clock::time_point> moment_from(std::string_view text) {
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text[19] != 'Z')
    return std::nullopt;
  const auto year = number_in(text.substr(0, 4));
  const auto month = number_in(text.substr(5, 2));
  const auto day = number_in(text.substr(8, 2));
  const auto clock = clock_from(text.substr(11, 5));
  const auto second = number_in(text.substr(17, 2));
  if (!year || !month || !day || !clock || !second || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok() || date.year() < first_year || date.year() > last_year) return std::nullopt;
  return std::chrono::sys_days(date) + *clock + std::chrono::seconds(*second);
}

std::string moment_text(system_clock::time_point time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace tftpkit::firmware
