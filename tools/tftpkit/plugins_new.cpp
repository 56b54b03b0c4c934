// tftpkit plugins new: a plugin to begin with, in a directory of its own: source, build file, test, README.
#include "plugins.hpp"
#include "templates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>

namespace tftpkit::cli {

namespace {

namespace fs = std::filesystem;

struct Language {
  const char* name;
  const char* needs;
};

constexpr Language languages[] = {{"c", "cc"},
                                  {"cpp", "g++"},
                                  {"rust", "rustc; no crates"},
                                  {"go", "go and gcc"},
                                  {"python", "python3-cffi, python3-dev and cc"}};

struct NewArguments {
  std::string name;
  std::string language;
};

void check_name(const std::string& name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  constexpr std::size_t longest = 64;
  if (name.empty() || name.size() > longest || name[0] < 'a' || name[0] > 'z' ||
      !std::ranges::all_of(name, allowed))
    throw Failure("\"" + name + "\" cannot be a plugin's name: 1 to 64 of a-z, 0-9 and '-', a letter first");
}

// my-plugin -> my_plugin
std::string identifier(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

// my-plugin -> MyPlugin
std::string type_name(const std::string& name) {
  std::string type;
  bool begins = true;
  for (const char c : name) {
    if (c != '-') type += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = c == '-';
  }
  return type;
}

std::string filled_in(std::string_view content, const std::string& name) {
  std::string text{content};
  for (const auto& [mark, value] : {std::pair{std::string_view{"@NAME@"}, name},
                                    {std::string_view{"@IDENT@"}, identifier(name)},
                                    {std::string_view{"@CLASS@"}, type_name(name)}})
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  return text;
}

void write(const fs::path& file, const std::string& content) {
  std::ofstream out(file, std::ios::binary);
  out << content;
  out.close();
  if (!out) throw Failure(file.string() + ": cannot be written: " + std::strerror(errno));
}

// What makes an author's shell find a tftpkit that is not installed: the binary and the headers of its build
// tree.
std::string from_build_tree() {
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path headers = binary.parent_path() / "../../plugin-api/include";
  if (!fs::exists(headers / "tftpkit/plugin.h", error)) return {};
  return fmt::format("  export TFTPKIT='{}' TFTPKIT_CFLAGS='-I{}'   # until it is installed\n",
                     binary.string(), fs::canonical(headers, error).string());
}

int make(const NewArguments& arguments) {
  check_name(arguments.name);
  const fs::path directory = arguments.name;
  std::error_code error;
  if (!fs::create_directory(directory, error))
    throw Failure(directory.string() + ": " +
                  (error ? "cannot be made: " + error.message() : "is there already"));
  for (const auto& [path, content] : templates()) {
    const auto slash = path.find('/');
    const std::string_view folder = path.substr(0, slash);
    if (folder != arguments.language && folder != "all") continue;
    std::string file{path.substr(slash + 1)};
    if (file == "gitignore.txt") file = ".gitignore";
    fs::create_directories((directory / file).parent_path());
    write(directory / file, filled_in(content, arguments.name));
  }
  std::printf("%s: a plugin in %s\n\n%s  cd %s\n  make test     # build it and try it\n"
              "  make check    # does it keep the contract?\n\nREADME.md there says how to go on.\n",
              directory.c_str(), arguments.language.c_str(), from_build_tree().c_str(), directory.c_str());
  return exit_ok;
}

std::string needs() {
  std::string text = "Languages, and what they need to be built:\n";
  for (const auto& language : languages) {
    std::string name = language.name;
    name.resize(8, ' ');
    text += "  " + name + language.needs + "\n";
  }
  return text + "\nExample:\n  tftpkit plugins new my-plugin --lang rust";
}

}  // namespace

void add_plugins_new(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("new", "Begin a plugin: source, build file, test, README");
  auto arguments = std::make_shared<NewArguments>();
  std::vector<std::string> names;
  for (const auto& language : languages)
    names.emplace_back(language.name);
  command->add_option("NAME", arguments->name, "Its name, and that of its new directory")->required();
  command->add_option("--lang", arguments->language, "What it is written in")
      ->required()
      ->check(CLI::IsMember(names));
  command->footer(needs());
  command->callback([arguments, &action] { action = [arguments] { return make(*arguments); }; });
}

}  // namespace tftpkit::cli
