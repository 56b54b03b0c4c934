// Settings that cannot be used: refused in create(), with what, where and what would be right.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace file_test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string refusal(const Texts& more) {
  const Scratch scratch;
  return refusal_of_settings(serving(scratch, more));
}

}  // namespace

TEST_CASE("settings: a root is required, and its absence says so") {
  CHECK(refusal_of_settings({}) == "/root: it is required; give the directory whose files are to be served");
}

TEST_CASE("settings: a root that cannot be opened is named with the reason and the remedy") {
  const Scratch scratch;
  const std::string missing = (scratch.base() / "nowhere").string();
  const std::string text = refusal_of_settings({{"/root", missing}});
  CHECK(has(text, "/root: the directory \"" + missing + "\" cannot be opened: No such file or directory"));
  CHECK(has(text, "create it"));
  scratch.file("file", "x");
  CHECK(has(refusal_of_settings({{"/root", (scratch.root() / "file").string()}}), "Not a directory"));
}

TEST_CASE("settings: the defaults are enough beside the root") {
  CHECK(refusal({}).empty());
}

TEST_CASE("settings: unknown words are answered with the known ones") {
  CHECK(refusal({{"/symlinks", "yes"}}) ==
        "/symlinks: \"yes\" is not known; choose from: beneath, none, anywhere");
  CHECK(has(refusal({{"/require_world_readable", "true"}}), "choose from: when_root, always, never"));
  CHECK(has(refusal({{"/per_client/0", "ip"}, {"/per_client/1", "name"}}),
            "/per_client/1: \"name\" is not known"));
  CHECK(has(refusal({{"/rewrite/0/match", "x"}, {"/rewrite/0/then", "exit"}}),
            "/rewrite/0/then: \"exit\" is not known; choose from: continue, stop, restart, refuse, decline"));
}

TEST_CASE("settings: what has to be a switch or a number is checked") {
  CHECK(refusal({{"/hidden", "maybe"}}) == "/hidden: it has to be true or false");
  CHECK(has(refusal({{"/max_size", "big"}}), "/max_size: it has to be a number of bytes"));
  CHECK(has(refusal({{"/max_size", "-1"}}), "/max_size: a size cannot be negative"));
}

TEST_CASE("settings: a bad rule is named by its place, its key and what is wrong") {
  const auto rule = [](const Texts& parts) {
    Texts all = {{"/rewrite/0/match", "fine"}, {"/rewrite/0/then", "stop"}};
    for (const auto& [key, value] : parts)
      all["/rewrite/1/" + key] = value;
    return refusal(all);
  };
  CHECK(rule({{"match", "a(b"}, {"replace", "x"}}) ==
        "/rewrite/1/match: \"a(b\" is not a POSIX extended regular expression: Unmatched ( or \\(");
  CHECK(has(rule({{"match", ""}, {"replace", "x"}}), "/rewrite/1/match: it is empty"));
  CHECK(has(rule({{"match", "(a)"}, {"replace", "\\2"}}),
            "/rewrite/1/replace: \\2 refers to a group that \"match\" does not have; it has 1"));
  CHECK(has(rule({{"match", "a"}, {"replace", "\\q"}}), "/rewrite/1/replace: \\q means nothing"));
  CHECK(
      has(rule({{"match", "a"}, {"replace", "x\\"}}), "/rewrite/1/replace: it ends with a single backslash"));
  CHECK(has(rule({{"match", "a"}}), "/rewrite/1: the rule does nothing"));
  CHECK(has(rule({{"match", "a"}, {"replace", "b"}, {"invert", "true"}}),
            "/rewrite/1/replace: an inverted rule"));
  CHECK(has(rule({{"match", "a"}, {"then", "stop"}, {"repeat", "true"}}),
            "/rewrite/1/repeat: without \"replace\""));
  CHECK(has(rule({{"match", "a"}, {"then", "stop"}, {"message", "m"}}),
            "/rewrite/1/message: only a rule with"));
}
