#include "arguments_text.hpp"

#include "config/nearest.hpp"
#include "observe/escape.hpp"
#include "syntax.hpp"

#include <algorithm>

namespace tftpkit::pxe {
namespace {

// PXELINUX and the kernels of old cut what is longer than 2047; the loader adds some of its own.
constexpr std::size_t longest_arguments = 1900;

// The first character outside of {{..}} that `carried` does not know.
std::string not_carried(std::string_view text, bool (*carried)(char) noexcept) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("{{")) {
      const std::size_t end = text.find("}}", i);
      if (end == std::string_view::npos) return {};  // the pattern says so
      i = end + 1;
    } else if (!carried(text[i])) {
      const std::size_t length = std::max<std::size_t>(observe::utf8_length(text.substr(i)), 1);
      return std::string(text.substr(i, length));
    }
  }
  return {};
}

Pattern argument_from(const std::string& text, const std::string& pointer, config::Report& report) {
  if (text.empty()) report.add(pointer, {"the argument is empty", "remove it"});
  const std::string wrong = not_carried(text, is_argument_character);
  if (!wrong.empty()) {
    report.add(pointer,
               {"an argument with " + config::in_quotes(wrong) + " does not survive every boot loader",
                "remove the character, or write a template of your own that knows its loader"});
  }
  return {text, pointer, report};
}

// At spaces outside of the kernel's double quotes, which go.
std::vector<std::string> split(const std::string& text, const std::string& pointer, config::Report& report) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, begun = false, tag = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    tag = tag ? text.compare(i, 2, "}}") != 0 : text.compare(i, 2, "{{") == 0;
    if (text[i] == '"' && !tag) {
      quoted = !quoted;
      begun = true;
    } else if (text[i] == ' ' && !quoted && !tag) {
      if (begun) words.push_back(std::move(word));
      word.clear();
      begun = false;
    } else {
      word += text[i];
      begun = true;
    }
  }
  if (begun) words.push_back(std::move(word));
  if (quoted)
    report.add(pointer, {"a double quote is not closed", "add the second one, or remove the first"});
  return words;
}

}  // namespace

std::vector<Pattern> read_arguments(config::ObjectReader& reader, const std::string& key) {
  std::vector<Pattern> arguments;
  std::size_t length = 0;
  const config::Json* value = reader.member(key);
  if (value == nullptr) return arguments;
  const auto add = [&](const std::string& text, const std::string& pointer) {
    length += text.size() + 1;
    arguments.push_back(argument_from(text, pointer, reader.report()));
  };
  if (value->is_string()) {
    const std::string pointer = reader.pointer_of(key);
    for (const std::string& word : split(value->get_ref<const std::string&>(), pointer, reader.report()))
      add(word, pointer);
  } else {
    reader.texts(key, add);
  }
  if (length > longest_arguments) {
    reader.report().add(reader.pointer_of(key),
                        {"the arguments are " + std::to_string(length) + " characters long",
                         "keep them below " + std::to_string(longest_arguments) +
                             ": boot loaders cut a longer command line"});
  }
  return arguments;
}

Pattern path_from(const std::string& text, const std::string& pointer, config::Report& report) {
  const std::string wrong = not_carried(text, is_path_character);
  if (text.empty()) {
    report.add(pointer, {"the path is empty", "write a path from the server's root, or leave the key out"});
  } else if (!wrong.empty()) {
    report.add(pointer,
               {"a path with " + config::in_quotes(wrong) + " cannot be written for every boot loader",
                "rename the file"});
  } else if (("/" + text + "/").find("/../") != std::string::npos) {
    report.add(pointer, {"a path with \"..\" is refused by the server", "write the path from the root"});
  }
  return {text, pointer, report};
}

Pattern read_path(config::ObjectReader& reader, const std::string& key) {
  std::string text;
  const config::Json* value = reader.member(key);
  reader.text(key, text);
  if (value == nullptr || !value->is_string()) return {};
  return path_from(text, reader.pointer_of(key), reader.report());
}

}  // namespace tftpkit::pxe
