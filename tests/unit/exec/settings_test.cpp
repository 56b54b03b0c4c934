// What create() refuses, word for word, and what it makes of the rest.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using exec_test::refusal_of_settings;
using exec_test::Texts;

TEST_CASE("Each mistake in the settings is told with what would be right") {
  const test_support::Scratch scratch;
  scratch.file("plain", "#!/bin/sh\n");
  const std::string plain = scratch.path("plain").string();
  const auto refusal = [](Texts settings) { return refusal_of_settings(std::move(settings)); };
  CHECK(refusal({}) == "/command is empty: give a program and its arguments");
  CHECK(refusal({{"/command/0", ""}}) == "/command/0 is empty: give a program");
  CHECK(refusal({{"/command/0", "nonesuch-program"}}) ==
        "/command/0: there is no program nonesuch-program in PATH=/usr/local/bin:/usr/bin:/bin");
  CHECK(refusal({{"/command/0", "sh"}, {"/env/0", "PATH=relative:/nonesuch"}}) ==
        "/command/0: there is no program sh in PATH=relative:/nonesuch");
  CHECK(refusal({{"/command/0", "./tool"}}) ==
        "/command/0: ./tool is a relative path: give an absolute one, or a name that is found in PATH");
  CHECK(refusal({{"/command/0", "/nonesuch"}}) ==
        "/command/0: /nonesuch cannot be run: No such file or directory");
  CHECK(refusal({{"/command/0", plain}}) ==
        "/command/0: " + plain + " cannot be run: it is not executable; chmod +x makes it so");
  CHECK(refusal({{"/command/0", "/usr"}}) == "/command/0: /usr cannot be run: it is no regular file");
  CHECK(refusal({{"/command/0", "true"}, {"/directory", plain}}) ==
        "/directory: " + plain + " is no directory");
  CHECK(refusal({{"/command/0", "true"}, {"/spool", "/nonesuch"}}) ==
        "/spool: /nonesuch: No such file or directory");
  CHECK(refusal({{"/command/0", "true"}, {"/time_limit", "0"}}) ==
        "/time_limit: give more than 0, for example \"8s\"");
  CHECK(refusal({{"/command/0", "true"}}).empty());
}
