#include "firmware/templates.hpp"

#include "config/nearest.hpp"
#include "config/text_file.hpp"
#include "kit/hex.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace tftpkit::firmware {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_template = 1U << 20U;
constexpr std::string_view suffix = ".tmpl";
constexpr std::string_view note = "{{! syntax:";

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::optional<Syntax> noted_syntax(std::string_view text) {
  if (!text.starts_with(note)) return std::nullopt;
  const std::string_view word = text.substr(note.size(), text.find("}}") - note.size());
  if (word.find("xml") != std::string_view::npos) return Syntax::xml;
  if (word.find("word") != std::string_view::npos) return Syntax::word;
  return Syntax::line;
}

auto escape_for(Syntax syntax) -> std::string (*)(const std::string&) {
  switch (syntax) {
  case Syntax::xml: return escaped_xml;
  case Syntax::line: return escaped_line;
  case Syntax::word: return escaped_word;
  }
  return escaped_word;
}

std::vector<fs::path> sorted_entries(const fs::path& directory, std::error_code& error) {
  std::vector<fs::path> entries;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    entries.push_back(entry->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

std::string escaped_xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    case '\'': out += "&apos;"; break;
    default:
      if (!is_control(c)) out += c;
    }
  }
  return out;
}

std::string escaped_line(const std::string& text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return !is_control(c); });
  return out;
}

std::string escaped_word(const std::string& text) {
  constexpr std::string_view punctuation = "._:/@%+,=-";
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           punctuation.find(c) != std::string_view::npos;
  });
  return out;
}

Syntax syntax_of(std::string_view name, std::string_view text) {
  if (const auto noted = noted_syntax(text)) return *noted;
  const std::string lower = kit::lower_case(name);
  for (const char* end : {".xml.tmpl", ".htm.tmpl", ".html.tmpl"})
    if (lower.ends_with(end)) return Syntax::xml;
  return lower.ends_with("cmdline.txt.tmpl") ? Syntax::word : Syntax::line;
}

Templates Templates::from_directory(const fs::path& directory, const std::vector<std::string>& names,
                                    config::Problems& problems, std::vector<fs::path>& looked_at) {
  Templates templates;
  std::error_code error;
  looked_at.push_back(directory);
  for (const fs::path& path : sorted_entries(directory, error)) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) looked_at.push_back(path);
    if (!path.filename().string().ends_with(suffix) || !fs::is_regular_file(path, ignored)) continue;
    config::Report report(path.string());
    const auto text = config::text_of_file(path, largest_template, report);
    const std::string name = path.lexically_relative(directory).generic_string();
    auto made =
        text ? kit::Template::from(*text, {escape_for(syntax_of(name, *text)), names}, report) : std::nullopt;
    if (made) templates.templates_.emplace(name, std::move(*made));
    for (config::Problem& problem : report.take())
      problems.push_back(std::move(problem));
  }
  if (error)
    problems.push_back({directory.string(), "",
                        "the directory of templates cannot be read: " + error.message(),
                        "correct \"templates\" in the settings of the instance"});
  return templates;
}

std::string Templates::rendered(const std::string& name, const Values& values) const {
  kit::Values data{kit::Values::type::object};
  for (const auto& [key, text] : values)
    data.set(key, text);
  return templates_.at(name).rendered(data);
}

}  // namespace tftpkit::firmware
