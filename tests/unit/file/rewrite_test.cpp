// Rewrite rules, seen from outside: which file comes for which name.
#include "clean.hpp"
#include "fixture.hpp"

#include <doctest/doctest.h>

using namespace file_test;

namespace {

// Settings of one rule, given as "key", "value" pairs, put at this place.
Texts rule(int place, const Texts& parts, Texts all = {}) {
  for (const auto& [key, value] : parts)
    all["/rewrite/" + std::to_string(place) + "/" + key] = value;
  return all;
}

struct Files : Scratch {
  Files() {
    file("images/a.img", "image a");
    file("x", "x");
    file("upper/ABC", "upper");
    file("lower/abc", "lower");
    file("hosts/10.0.0.5", "by address");
    file("hex/0A000005", "by hex");
    file("macs/52-54-00-ab-cd-01", "by mac");
    file("a/b/c", "abc");
    file("10.0.0.6/secret", "of another");
    file(".hidden", "hidden");
  }
};

}  // namespace

TEST_CASE("rewrite: the part that matched is replaced, the rest stays") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^img-(.)$"}, {"replace", "images/\\1.img"}})));
  CHECK(plugin.open("img-a").content == "image a");
  CHECK(plugin.open("x").content == "x");
  Plugin middle(serving(tree, rule(0, {{"match", "mages"}, {"replace", "mages/a"}})));
  CHECK(middle.open("images.img").content == "image a");
}

TEST_CASE("rewrite: \\0, \\i, \\x, \\m and the switches of case") {
  const Files tree;
  const auto one = [&](const char* match, const char* replace) {
    Plugin plugin(serving(tree, rule(0, {{"match", match}, {"replace", replace}})));
    plugin.host.mac = {0x52, 0x54, 0x00, 0xab, 0xcd, 0x01};
    return plugin.open("aBc").content;
  };
  CHECK(one("^.*$", "upper/\\U\\0") == "upper");
  CHECK(one("^.*$", "lower/\\L\\0") == "lower");
  CHECK(one("^(.)(.*)$", "upper/\\U\\1\\EBC") == "upper");
  CHECK(one(".*", "hosts/\\i") == "by address");
  CHECK(one(".*", "hex/\\x") == "by hex");
  CHECK(one(".*", "macs/\\m") == "by mac");
  CHECK(one("^(zzz)?aBc$", "x\\1") == "x");  // a group that took no part is empty
}

TEST_CASE("rewrite: a rule that needs the MAC is passed over when nobody knows it") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^x$"}, {"replace", "macs/\\m"}, {"then", "stop"}})));
  CHECK(plugin.open("x").content == "x");
}

TEST_CASE("rewrite: letters in any case when asked") {
  const Files tree;
  CHECK(Plugin(serving(tree, rule(0, {{"match", "^IMG$"}, {"replace", "x"}}))).open("img").status ==
        TFTPKIT_DECLINED);
  CHECK(Plugin(serving(tree, rule(0, {{"match", "^IMG$"}, {"replace", "x"}, {"ignore_case", "true"}})))
            .open("img")
            .content == "x");
}

TEST_CASE("rewrite: repeat goes on until nothing matches, without it once") {
  const Files tree;
  const Texts parts = {{"match", "_"}, {"replace", "/"}};
  CHECK(Plugin(serving(tree, rule(0, parts))).open("a_b_c").status == TFTPKIT_DECLINED);
  Texts repeated = parts;
  repeated["repeat"] = "true";
  CHECK(Plugin(serving(tree, rule(0, repeated))).open("a_b_c").content == "abc");
}

TEST_CASE("rewrite: stop ends, continue goes on, restart begins again") {
  const Files tree;
  const auto with = [&](const char* then) {
    Texts rules = rule(0, {{"match", "^1$"}, {"replace", "x"}, {"then", then}});
    rules = rule(1, {{"match", "^x$"}, {"replace", "images/a.img"}}, rules);
    return Plugin(serving(tree, rules)).open("1").content;
  };
  CHECK(with("stop") == "x");
  CHECK(with("continue") == "image a");
  Texts restart = rule(0, {{"match", "^2$"}, {"replace", "images/a.img"}});
  restart = rule(1, {{"match", "^1$"}, {"replace", "2"}, {"then", "restart"}}, restart);
  CHECK(Plugin(serving(tree, restart)).open("1").content == "image a");
}

TEST_CASE("rewrite: refuse answers an access violation with the rule's message") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^x"}, {"then", "refuse"}, {"message", "use y instead"}})));
  CHECK(plugin.open("x").status == TFTPKIT_E_ACCESS);
  CHECK(plugin.open("x").text == "use y instead");
  CHECK(plugin.open("images/a.img").status == TFTPKIT_OK);
  Plugin silent(serving(tree, rule(0, {{"match", "^x"}, {"then", "refuse"}})));
  CHECK(silent.open("x").text == "refused by a rewrite rule");
}

TEST_CASE("rewrite: decline leaves the request to the next instance") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^x$"}, {"then", "decline"}})));
  CHECK(plugin.open("x").status == TFTPKIT_DECLINED);
}

TEST_CASE("rewrite: an inverted rule is for the names that do not match") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^images/"}, {"invert", "true"}, {"then", "refuse"}})));
  CHECK(plugin.open("images/a.img").status == TFTPKIT_OK);
  CHECK(plugin.open("x").status == TFTPKIT_E_ACCESS);
}

TEST_CASE("rewrite: rules without an end are refused and reported") {
  const Files tree;
  for (const Texts& parts : {Texts{{"match", "x"}, {"replace", "x"}, {"then", "restart"}},
                             Texts{{"match", "x"}, {"replace", "x"}, {"repeat", "true"}},
                             Texts{{"match", "x"}, {"replace", "xxxxxxxxxxxxxxxx"}, {"repeat", "true"}},
                             Texts{{"match", "^"}, {"replace", "y"}, {"repeat", "true"}, {"then", "stop"}}}) {
    Plugin plugin(serving(tree, rule(0, parts)));
    CHECK(plugin.open("x").status == TFTPKIT_E_ACCESS);
    CHECK(plugin.open("x").text == "rewriting does not come to an end (at /rewrite/0)");
  }
}

TEST_CASE("rewrite: the result is cleaned and can never leave the root") {
  const Files tree;
  const auto to = [&](const char* replace) {
    return Plugin(serving(tree, rule(0, {{"match", "^go$"}, {"replace", replace}}))).open("go");
  };
  CHECK(to("/a//b/./c").content == "abc");
  CHECK(to("a\\\\b\\\\c").content == "abc");
  for (const char* way : {"../outside", "a/../../outside", "..", "a/..", "..\\\\..\\\\x"}) {
    CAPTURE(way);
    CHECK(to(way).status == TFTPKIT_E_ACCESS);
    CHECK(to(way).text == "the rewritten name cannot be used: it holds a \"..\" part");
  }
  CHECK(to("/").text == "is a directory");
  CHECK(to("x\x01").status == TFTPKIT_E_ACCESS);
  CHECK(to("/etc/passwd").status == TFTPKIT_DECLINED);  // that is etc/passwd below the root
  CHECK(to(".hidden").status == TFTPKIT_DECLINED);
}

TEST_CASE("rewrite: a client cannot be sent into the directory of another one") {
  const Files tree;
  Texts settings = rule(0, {{"match", "^via/"}, {"replace", ""}});
  settings["/per_client/0"] = "ip";
  CHECK(Plugin(serving(tree, settings)).open("via/10.0.0.6/secret").status == TFTPKIT_DECLINED);
}

TEST_CASE("rewrite: the text of a client cannot smuggle references into the replacement") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^(.*)$"}, {"replace", "\\1"}})));
  CHECK(plugin.open("hosts\\i").status == TFTPKIT_DECLINED);
}

TEST_CASE("rewrite: the map file in the README does here what it does in tftp-hpa") {
  Files tree;
  tree.file("a@b@c", "replaced");
  tree.file("images/a.img.pvt", "never");
  tree.file("hosts/10.0.0.5.d/cfg", "own");
  tree.file("hosts/boot", "x");
  Texts rules = rule(0, {{"match", "^[a-z]:"}, {"replace", ""}, {"ignore_case", "true"}});
  rules = rule(1, {{"match", "#"}, {"replace", "@"}, {"repeat", "true"}}, rules);
  rules = rule(2, {{"match", "\\.pvt$"}, {"then", "refuse"}, {"message", "private"}}, rules);
  rules = rule(3, {{"match", "^images/"}, {"then", "stop"}}, rules);
  rules = rule(
      4,
      {{"match", "^cfg/(.*)$"}, {"replace", "hosts/\\i.d/\\1"}, {"repeat", "true"}, {"ignore_case", "true"}},
      rules);
  Plugin plugin(serving(tree, rules));
  CHECK(plugin.open("C:images/a.img").content == "image a");
  CHECK(plugin.open("a#b#c").content == "replaced");
  CHECK(plugin.open("images/a.img.pvt").text == "private");
  CHECK(plugin.open("CFG/cfg").content == "own");
}

TEST_CASE("rewrite: a long name and a greedy expression do not hurt") {
  const Files tree;
  Plugin plugin(serving(tree, rule(0, {{"match", "^(a|b|ab)*(.*)(c+)?$"}, {"replace", "x"}})));
  std::string name;
  for (int i = 0; i < 240; ++i)
    name += "ab";
  CHECK(plugin.open(name).content == "x");
}

TEST_CASE("cleaning: shapes") {
  using tftpkit::file::cleaned;
  CHECK(cleaned("a/b").path == "a/b");
  CHECK(cleaned("//a///b/").path == "a/b");
  CHECK(cleaned("\\Boot\\BCD").path == "Boot/BCD");
  CHECK(cleaned("./a/.").path == "a");
  CHECK(cleaned("...").path == "...");
  CHECK(cleaned("").path.empty());
  CHECK(cleaned("a\nb").fault != nullptr);
  CHECK(cleaned("a\x7f").fault != nullptr);
  CHECK(cleaned(std::string("a\0b", 3)).fault != nullptr);
  CHECK(cleaned(std::string(4096, 'a')).fault != nullptr);
  CHECK(cleaned(std::string(4095, 'a')).fault == nullptr);
}
