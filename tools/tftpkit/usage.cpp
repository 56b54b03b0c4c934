// What is wrong with a command line, in words that name the right one.
#include "command.hpp"
#include "config/nearest.hpp"

#include <cstdio>

namespace tftpkit::cli {

namespace {

// The innermost command that the line names, as far as it was understood.
const CLI::App& named(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : named(*parsed.front());
}

std::string whole_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : whole_name(*parent) + " " + command.get_name();
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(each->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* each : command.get_options())
    for (const std::string& name : each->get_lnames())
      names.push_back("--" + name);
  return names;
}

std::string with_hint(const std::string& what, const std::string& word,
                      const std::vector<std::string>& names) {
  const std::string hint = config::name_hint(word, names, "there are");
  return what + " " + config::in_quotes(word) + (hint.empty() ? "" : "; " + hint);
}

std::string complaint(const CLI::App& command, const CLI::ParseError& error) {
  const auto left = command.remaining(true);
  const auto commands = commands_of(command);
  if (!left.empty() && left.front().starts_with("-"))
    return with_hint("there is no option", left.front(), options_of(command));
  if (!left.empty() && !commands.empty()) return with_hint("there is no command", left.front(), commands);
  if (!left.empty()) return config::in_quotes(left.front()) + " is one argument too many";
  if (!commands.empty()) return "a command is missing: " + config::quoted_list(commands, "or");
  return error.what();
}

}  // namespace

int wrong_usage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = named(app);
  const std::string name = whole_name(command);
  std::fprintf(stderr, "%s: %s\n%s --help tells more.\n", name.c_str(), complaint(command, error).c_str(),
               name.c_str());
  return exit_usage;
}

}  // namespace tftpkit::cli
