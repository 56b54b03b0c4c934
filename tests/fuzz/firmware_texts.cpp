// The small languages of plugin firmware: versions, paths with places, lines of CSV, moments, lines of the
// record, values in templates. Input: two texts with "%%" on a line between.
#include "firmware/inventory.hpp"
#include "firmware/placeholders.hpp"
#include "firmware/read_time.hpp"
#include "firmware/record.hpp"
#include "firmware/templates.hpp"
#include "firmware/version.hpp"
#include "input.hpp"

#include <compare>
#include <optional>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;
namespace fw = firmware;

void check_versions(std::string_view left, std::string_view right) {
  const auto order = fw::compare_versions(left, right);
  claim(fw::compare_versions(left, left) == 0, "a version equals itself");
  claim(fw::compare_versions(right, left) == (order < 0   ? std::weak_ordering::greater
                                              : order > 0 ? std::weak_ordering::less
                                                          : std::weak_ordering::equivalent),
        "turned round, a comparison is turned round");
  if (right.starts_with('=')) return;  // "<" and "=..." are "<=" and "..."
  const auto below = fw::VersionTest::from("<" + std::string(right));
  const auto not_below = fw::VersionTest::from(">=" + std::string(right));
  claim(below.has_value() == not_below.has_value(), "a test has a bound, or is none");
  if (below) claim(below->holds(left) != not_below->holds(left), "a version is below a bound or not");
}

void check_pattern(std::string_view pattern, std::string_view value) {
  const auto made = fw::Pattern::from(pattern);
  const auto* found = std::get_if<fw::Pattern>(&made);
  if (found == nullptr) return;
  claim(found->text() == pattern, "a pattern keeps its text");
  std::string missing;
  const auto nothing = found->filled([](std::string_view) { return std::nullopt; }, &missing);
  claim(nothing.has_value() == found->names().empty(), "a value that is not known is missed");
  claim(found->is_plain() == found->names().empty(), "a pattern without names is plain");
  const auto filled = found->filled([&](std::string_view) { return std::optional<std::string>(value); });
  if (!value.empty()) claim(filled.has_value(), "with all its values a pattern is filled");
}

void check_escapes(const std::string& text) {
  claim(fw::escaped_xml(text).find_first_of("<>\"'") == std::string::npos, "a value stays out of the markup");
  claim(fuzz::is_plain_line(fw::escaped_line(text)), "a line stays one");
  claim(fw::escaped_word(text).find_first_of(" \t\n\"'\\$;&|<>(){}[]*?~#") == std::string::npos,
        "a word stays one");
}

void check_csv(std::string_view line) {
  const auto fields = fw::csv_fields(line);
  if (!fields) return;
  claim(!fields->empty(), "a line has a field");
  std::string again;
  for (const auto& field : *fields) {
    again += again.empty() ? "\"" : ",\"";
    for (const char c : field)
      again += c == '"' ? std::string("\"\"") : std::string(1, c);
    again += '"';
  }
  claim(fw::csv_fields(again) == fields, "fields in quotes are the same fields");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  check_versions(parts[0], parts[1]);
  check_pattern(parts[0], parts[1]);
  check_escapes(std::string(parts[0]));
  check_csv(parts[0]);
  if (const auto moment = fw::moment_from(parts[0]))
    claim(fw::moment_text(*moment) == parts[0], "a moment is written as it was read");
  if (const auto given = fw::given_from(parts[0])) {
    const auto line = fw::line_of(*given);
    const auto again = fw::given_from(line);
    claim(again && fw::line_of(*again) == line, "the record can be read");
  }
  return 0;
}
