// Names that loaders ask for, and texts on their way into menus: what comes out is one argument, one line,
// one path or one label of the loader's syntax, and a template puts in nothing else. Input: a text, "%%" on a
// line, a template.
#include "asked.hpp"
#include "input.hpp"
#include "kit/template.hpp"
#include "syntax.hpp"
#include "wire/path.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>

namespace {

using namespace tftpkit;
using fuzz::claim;
using pxe::Syntax;

void check_grub_word(std::string_view word) {
  claim(!word.empty(), "a word of GRUB is not empty");
  if (word.front() != '\'') {
    claim(word.find_first_of(" '\"\\$`;|&<>{}()#") == std::string_view::npos,
          "a word without quotes is plain");
    return;
  }
  claim(word.size() >= 2 && word.back() == '\'', "a quote is closed");
  claim(word.substr(1, word.size() - 2).find('\'') == std::string_view::npos, "quoted text has no quote");
}

// The kernel's own quotes: all spaces of an argument stand between two of them.
void check_kernel_argument(std::string_view text) {
  bool quoted = false;
  for (const char c : text) {
    claim(quoted || c != ' ', "an argument is one");
    quoted = quoted != (c == '"');
  }
  claim(!quoted, "a quote is closed");
}

bool has_separator(std::string_view line) {
  const std::string framed = " " + std::string(line) + " ";
  for (const char* one : {" ; ", " || ", " && "})
    if (framed.find(one) != std::string::npos) return true;
  return false;
}

void check(Syntax syntax, std::string_view text) {
  const auto argument = pxe::argument(syntax, text);
  const auto line = pxe::line(syntax, text);
  const auto file = pxe::file(syntax, text);
  for (const auto* one : {&argument, &line, &file})
    claim(fuzz::is_plain_line(*one), "text for a loader is plain");
  claim(argument.find_first_of("\\$`") == std::string::npos, "an argument means itself");
  claim(!line.empty() && !file.empty(), "a line and a path are not empty");
  if (syntax == Syntax::grub) {
    check_grub_word(argument);
    check_grub_word(file);
  } else {
    check_kernel_argument(argument);
    claim(file.find_first_of(" ,;{}|<>\"'") == std::string::npos, "a path is one word");
  }
  if (syntax != Syntax::ipxe) return;
  claim(!has_separator(line) && !has_separator(argument), "no text ends a command of iPXE");
  claim(line.find_first_of("$\\") == std::string::npos && line[0] != '-',
        "no text is a setting or an option");
}

void check_name(std::string_view text) {
  const auto path = wire::clean_path(text);
  const auto* name = std::get_if<std::string>(&path);
  const auto asked = name == nullptr ? std::nullopt : pxe::asked_by(*name);
  if (!asked) return;
  claim(name->starts_with(asked->dir), "the directory is what stands before");
  if (asked->mac) claim(kit::mac_from(asked->link_address) == asked->mac, "a MAC is what the name says");
  if (asked->by == pxe::By::uuid)
    claim(pxe::uuid_from(pxe::uuid_text(*asked->uuid)) == asked->uuid, "so is a UUID");
  if (asked->by == pxe::By::ip)
    claim(asked->network.prefix_bits <= 32 && asked->network.holds(asked->network.first),
          "a network holds itself");
}

constexpr char mark = '\x02';  // begins each value

std::string in_brackets(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '<' ? '_' : c;
  return "<" + out + ">";
}

// A template that includes itself and others, filled with a text that looks like one.
void check_template(std::string_view source, std::string_view text) {
  const kit::TemplateRules rules{in_brackets,
                                 {"name", "list", "values."},
                                 {"ready"},
                                 [&](std::string_view name) -> std::optional<std::string> {
                                   if (name == "self") return std::string(source);
                                   if (name == "head") return "head {{name}}";
                                   return std::nullopt;
                                 }};
  config::Report report("template");
  const auto made = kit::Template::from(source, rules, report);
  if (!made) {
    for (const auto& problem : report.take())
      claim(fuzz::is_plain_line(config::text(problem)), "a problem is one plain line");
    return;
  }
  claim(report.empty(), "a template with a mistake is none");
  kit::Values values(kit::Values::type::object);
  values.set("name", mark + std::string(text));
  values.set("list", kit::Values(kit::Values::type::bool_true));
  const auto rendered = made->rendered(values);
  if (source.find(mark) != std::string_view::npos || text.find(mark) != std::string_view::npos) return;
  for (std::size_t at = rendered.find(mark); at != std::string::npos; at = rendered.find(mark, at + 1))
    claim(at > 0 && rendered[at - 1] == '<', "every value is escaped once");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  for (const auto syntax : {Syntax::syslinux, Syntax::extlinux, Syntax::grub, Syntax::ipxe})
    check(syntax, parts[0]);
  const auto label = pxe::label(parts[0]);
  claim(!label.empty() && label[0] != '-' && label.find_first_of(" '\"{}$;|&#\n") == std::string::npos,
        "a label is one word");
  check_name(parts[0]);
  check_template(parts[1], parts[0]);
  return 0;
}
