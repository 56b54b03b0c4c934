// What is said at the control socket, from both ends.
#include "serve/commands.hpp"

#include <doctest/doctest.h>

using namespace tftpkit;
using serve::Command;
using serve::CommandLine;

TEST_CASE("a command comes in pieces of any size and ends with its line") {
  CommandLine line;
  CHECK(line.take("rel") == CommandLine::State::open);
  CHECK(line.take("oad\nplugins\n") == CommandLine::State::whole);
  CHECK(line.text() == "reload");
  CHECK(line.take("more\n") == CommandLine::State::whole);
  CHECK(line.text() == "reload");
}

TEST_CASE("a line without end is given up, whatever follows, and one of the longest length is not") {
  CommandLine endless;
  CHECK(endless.take(std::string(CommandLine::longest, 'x')) == CommandLine::State::open);
  CHECK(endless.take("x") == CommandLine::State::too_long);
  CHECK(endless.take("\n") == CommandLine::State::too_long);
  CommandLine longest;
  CHECK(longest.take(std::string(CommandLine::longest, 'x') + "\n") == CommandLine::State::whole);
}

TEST_CASE("every command is known by its word and nothing else is a command") {
  for (const auto command : {Command::reload, Command::plugins})
    CHECK(serve::command_from(serve::word(command)) == command);
  for (const char* none : {"", "Reload", "reload ", " reload", "reloa"})
    CHECK_FALSE(serve::command_from(none));
}

TEST_CASE("what is no command is answered by what was said, escaped, and by what there is") {
  const auto answer = serve::answer_from(serve::text(serve::answer_of({serve::no_command("\x1b[2J")})));
  REQUIRE(answer);
  CHECK_FALSE(answer->ok);
  REQUIRE(answer->rows.size() == 1);
  CHECK(std::get<std::string>(answer->rows[0].at(0).second) ==
        "there is no command \"\\x1b[2J\"; reload and plugins are");
}

TEST_CASE("an answer that is read is the one that was written") {
  const serve::CommandAnswer answer{true, {{{"name", "file"}, {"transfers", std::uint64_t{3}}}, {}}};
  const auto text = serve::text(answer);
  CHECK(text == "{\"ok\":true}\n{\"name\":\"file\",\"transfers\":3}\n{}\n");
  const auto read = serve::answer_from(text);
  REQUIRE(read);
  CHECK(read->ok);
  CHECK(read->rows.size() == 2);
  CHECK(serve::text(*read) == text);
}

TEST_CASE("what does not begin with a verdict, or is torn, is no answer") {
  for (const char* none : {"", "\n", "{}\n", "{\"ok\":1}\n", "{\"ok\":true}\n{\"name\":\"fi", "reloaded\n"})
    CHECK_FALSE(serve::answer_from(none));
}
