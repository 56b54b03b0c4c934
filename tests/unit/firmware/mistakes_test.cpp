// What an operator can get wrong in a rules file: each mistake is told with file, place and remedy.
#include "fleet.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace firmware_test {
namespace {

// A rules file whose first rule has these members.
std::string with_rule(const std::string& members) {
  return R"({"rules": [{"id": "one", )" + members + R"(}, {"id": "last", "then": {"decline": true}}]})";
}
std::string with_when(const std::string& conditions) {
  return with_rule("\"when\": {" + conditions + R"(}, "then": {"decline": true})");
}
std::string with_then(const std::string& action) {
  return with_rule(R"("when": {"name": "x"}, "then": {)" + action + "}");
}
// A good list of rules behind these members.
std::string with_top(const std::string& members) {
  return "{" + members + R"(, "rules": [{"id": "last", "then": {"decline": true}}]})";
}

const std::string good_hash(64, 'a');

std::string with_image(const std::string& changed) {
  return with_top(R"("catalogue": [{"model": "m", "version": "1", "file": "a.bin", "sha256": ")" + good_hash +
                  R"("}, {)" + changed + "}]");
}

struct Mistake {
  std::string rules;
  std::vector<std::string> told;  // each somewhere in the complaints
};

void check(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.rules);
    const std::string complaint = complaints(mistake.rules);
    CAPTURE(complaint);
    CHECK(complaint.find("rules.json: ") == 0);
    for (const std::string& part : mistake.told)
      CHECK_MESSAGE(complaint.find(part) != std::string::npos, part);
    // Where only a few words are right, naming them is the remedy.
    const bool remedy = complaint.find("; ") != std::string::npos ||
                        complaint.find("expected true or false") != std::string::npos ||
                        complaint.find("is none of the words") != std::string::npos;
    CHECK_MESSAGE(remedy, "there is no remedy");
  }
}

}  // namespace

TEST_CASE("a file that is no JSON object of the right shape is told where it breaks") {
  check({{"", {"there is no JSON in it"}},
         {"{\"rules\": [\n  {\"id\": }\n]}", {"line 2, column 10"}},
         {"[]", {"expected an object"}},
         {"{}", {"\"rules\" is missing; write for example"}},
         {R"({"rules": [], "rules": []})", {"/rules: the key is there twice"}},
         {with_top(R"("extractor": [])"),
          {"/extractor: unknown key \"extractor\"; did you mean \"extractors\"?"}},
         {with_top(R"("extractors": {})"), {"/extractors: expected an array"}}});
}

TEST_CASE("the list of rules has an end, no rule behind it, and no two rules of one name") {
  check(
      {{R"({"rules": []})",
        {"/rules: there is no last rule that takes what no other rule wants",
         "end the list with a rule without \"when\""}},
       {R"({"rules": [{"id": "a", "when": {"name": "x"}, "then": {"decline": true}}]})",
        {"/rules: there is no last rule"}},
       {R"({"rules": [{"id": "a", "then": {"file": "x", "missing": "next"}}]})",
        {"/rules: there is no last rule"}},
       {R"({"rules": [{"id": "all", "then": {"decline": true}}, {"id": "b", "when": {"name": "x"}, "then": {"decline": true}}]})",
        {"/rules/1: no request gets here, because the rule \"all\" in front of it takes all"}},
       {R"({"rules": [{"id": "a", "when": {"name": "x"}, "then": {"decline": true}}, {"id": "a", "then": {"decline": true}}]})",
        {"/rules/1/id: there is another rule \"a\""}},
       {R"({"rules": [{"then": {"decline": true}}]})", {"/rules/0: \"id\" is missing"}},
       {R"({"rules": [{"id": "a"}]})", {"/rules/0: \"then\" is missing"}},
       {with_rule(R"("wen": {}, "then": {"decline": true})"),
        {"/rules/0/wen: unknown key \"wen\"; did you mean \"when\"?"}},
       {with_rule(R"("when": {"name": "x"}, "unless": {}, "then": {"decline": true})"),
        {"/rules/0/unless: it has no condition"}},
       {with_rule(R"("when": {"name": "x"}, "companions": "md5", "then": {"decline": true})"),
        {"/rules/0/companions: \"md5\" is no end of a file name; write for example \".md5\""}}});
}

TEST_CASE("an expression that is wrong, dangerous or in another notation is told with what to write") {
  check({{with_when(R"("name": "[a-")"), {"/rules/0/when/name: \"[a-\" is not a pattern"}},
         {with_when(R"("regex": "(a")"),
          {"/rules/0/when/regex: \"(a\" is not a POSIX extended regular expression: Unmatched ("}},
         {with_when(R"("regex": "^(?:a)$")"),
          {"\"(?\" is not known in POSIX expressions; write a plain group"}},
         {with_when(R"("regex": "^\\d+$")"), {"\"\\d\" is not known in POSIX expressions; write [0-9]"}},
         {with_when(R"("regex": "^(a*)\\1$")"), {"refers to a group, which may take time without bounds"}},
         {with_when(R"("regex": "((a{1,200}){1,200}){1,200}")"), {"the repetitions in braces multiply"}},
         {with_when("\"regex\": \"" + std::string(1001, 'a') + "\""),
          {"the expression is too long; write at most 1000 bytes"}},
         {with_when(R"("regex": "^(a)$", "captures": ["x", "y"])"),
          {"/rules/0/when/captures: 2 names for 1 groups"}},
         {with_when(R"("captures": ["x"])"),
          {"/rules/0/when/captures: there is no expression whose groups these could be"}},
         {with_when(R"("extractor": "serail")"),
          {"/rules/0/when/extractor: there is no extractor \"serail\"; add it to /extractors"}},
         {with_top(R"("extractors": [{"id": "a", "regex": "x"}, {"id": "a", "regex": "y"}])"),
          {"/extractors/1/id: the extractor \"a\" is there twice"}}});
}

TEST_CASE("a condition whose value is none of its kind is told with one that is") {
  check(
      {{with_when(R"("mac": "64:16:7g")"),
        {"/rules/0/when/mac: \"64:16:7g\" is neither a MAC address nor the beginning of one; write for "
         "example 64:16:7f"}},
       {with_when(R"("address": "10.0.0.1/8")"), {"/rules/0/when/address: "}},
       {with_when(R"("address": ["10.0.0.0/8", "10.0.0.9-10.0.0.1"])"),
        {"/rules/0/when/address/1: \"10.0.0.9-10.0.0.1\" is no range of addresses; write the lower one "
         "first"}},
       {with_when(R"("version": "15.2")"),
        {"/rules/0/when/version: \"15.2\" compares nothing; write for example"}},
       {with_when(R"("known": "yes")"), {"/rules/0/when/known: expected true or false"}},
       {with_when(R"("rollout": {"percent": 101, "salt": "x"})"),
        {"/rules/0/when/rollout/percent: 101 is no percentage; write a number from 0 to 100"}},
       {with_when(R"("rollout": {"percent": 10.123, "salt": "x"})"), {"10.123 is no percentage"}},
       {with_when(R"("rollout": {"percent": 10})"), {"/rules/0/when/rollout: \"salt\" is missing"}},
       {with_when(R"("time": {"from": "25:00"})"),
        {"/rules/0/when/time/from: \"25:00\" is no time of day; write for example \"22:00\""}},
       {with_when(R"("time": {"days": ["monday"]})"),
        {"/rules/0/when/time/days/0: \"monday\" is no day; the days are"}},
       {with_when(R"("time": {"not_before": "1.12.2026"})"),
        {"/not_before: \"1.12.2026\" is no moment; write UTC in full"}},
       {with_when(R"("time": {"not_before": "2026-12-02T00:00:00Z", "not_after": "2026-12-01T00:00:00Z"})"),
        {"/not_after: it lies before \"not_before\""}},
       {with_when(R"("time": {"zone": "cet"})"), {"/rules/0/when/time/zone: \"cet\" is none of the words"}}});
}

TEST_CASE("an answer that cannot be given is told with what is possible") {
  check(
      {{with_then(R"("missing": "next")"), {"/rules/0/then: the rule gives nothing"}},
       {with_then(R"("decline": true, "file": "x")"),
        {"/rules/0/then: the rule gives more than one kind of answer"}},
       {with_then(R"("file": "/srv/x")"),
        {"/rules/0/then/file: \"/srv/x\" is not a path of the kind that a client could ask for"}},
       {with_then(R"("file": "../x")"), {"/rules/0/then/file: \"../x\" is not a path"}},
       {with_then(R"("file": [])"), {"/rules/0/then/file: the list is empty"}},
       {with_then(R"("file": "a/{mac")"), {"a brace is not closed or not opened"}},
       {with_then(R"("file": "a/{mac:uper}")"), {"{mac:uper}: there is no such filter; the filters are"}},
       {with_then(R"("file": "a/{hostnam}")"),
        {"\"{hostnam}\" stands for nothing here; did you mean \"hostname\"?"}},
       {with_then(R"("file": "a/{image}")"),
        {"\"{image}\" stands for nothing here; add the \"channel\" that says which"}},
       {with_then(R"("file": "a", "channel": "beta")"),
        {"/rules/0/then/channel: there is no channel \"beta\"; add it to /channels"}},
       {with_then(R"("refuse": {"code": 5, "message": "x"})"),
        {"/rules/0/then/refuse/code: 5 is no error for who wants to read; the codes are"}},
       {with_then(R"("refuse": {"code": 1})"), {"/rules/0/then/refuse: \"message\" is missing"}},
       {with_then(R"("missing": "skip", "file": "x")"),
        {"/rules/0/then/missing: \"skip\" is none of the words"}},
       {with_then(R"("image": {"model": "m", "version": "9"})"),
        {"/rules/0/then/image: the catalogue has no \"m\" \"9\"; add it to /catalogue"}},
       {with_then(R"("image": {"model": "m"})"), {"/rules/0/then/image: nothing says which version it is"}}});
  CHECK(complaints(with_then(R"("file": ["a", "b"])"), {{}, false})
            .find("/rules/0/then/file: nothing tells which of the candidates exists") != std::string::npos);
}

TEST_CASE("a catalogue, a channel or an upgrade that leads nowhere is told") {
  check({{with_image(R"("model": "m", "version": "2", "file": "b.bin", "sha256": "abc")"),
          {"/catalogue/1/sha256: \"abc\" is no SHA-256 hash; write the 64 digits"}},
         {with_image(R"("model": "m", "version": "1", "file": "b.bin", "sha256": ")" + good_hash + "\""),
          {"/catalogue/1: \"m\" \"1\" is in the catalogue already (", "/catalogue/0)"}},
         {with_image(R"("model": "m", "version": "2", "file": "a.bin", "sha256": ")" + std::string(64, 'b') +
                     "\""),
          {"/catalogue/1/sha256: \"a.bin\" has another hash in "}},
         {with_image(R"("model": "m", "version": "2", "file": "a/../b", "sha256": ")" + good_hash + "\""),
          {"/catalogue/1/file: \"a/../b\" is not a path"}},
         {with_image(R"("model": "m", "file": "b", "sha256": ")" + good_hash + "\""),
          {"/catalogue/1: \"version\" is missing"}},
         {with_image(R"("model": "m", "version": "2", "file": "b", "size": "12 MB", "sha256": ")" +
                     good_hash + "\""),
          {"/catalogue/1/size: "}},
         {with_top(R"("upgrades": [{"model": "m", "below": "14", "via": "12.2"}])"),
          {"/upgrades/0/via: \"12.2\" is itself below \"14\""}},
         {with_top(R"("upgrades": [{"model": "m", "below": "12.2", "via": "12.2"}])"),
          {"/upgrades/0/via: the catalogue has no version \"12.2\" of a model \"m\""}},
         {with_top(R"("channels": {"c": {"canary": "x"}})"), {"/channels/c: \"stable\" is missing"}},
         {with_top(R"("channels": {"c": {"stable": "x", "percent": 10, "salt": "s"}})"),
          {"/channels/c: a share of the devices shall get a canary, and there is none"}},
         {with_top(R"("options": {"Current": "version"})"),
          {"/options/Current: names of options are compared in lower case; write \"current\""}},
         {with_top(R"("uploads": [{"id": "u", "directory": "up", "max_size": "1MiB"}])"),
          {"/uploads/0: nothing says which names are taken"}},
         {with_top(R"("uploads": [{"id": "u", "name": "*", "directory": "../up", "max_size": "1MiB"}])"),
          {"/uploads/0/directory: \"../up\" is not a path"}}});
}

TEST_CASE("a mistake in an included file names that file, and includes do not nest") {
  const test_support::Scratch folder;
  folder.file(
      "phones.json",
      R"({"rules": [{"id": "p", "when": {"nam": "x"}, "then": {"decline": true}}, {"include": "more.json"}]})");
  folder.file(
      "rules.json",
      R"({"rules": [{"include": "phones.json"}, {"include": "none.json"}, {"id": "last", "then": {"decline": true}}]})");
  std::vector<std::filesystem::path> files;
  const auto read = fw::read_rules(folder.path("rules.json"), {}, &files);
  REQUIRE_FALSE(read);
  const std::string text = tftpkit::config::text(read.problems());
  CAPTURE(text);
  CHECK(text.find("phones.json: /rules/0/when/nam: unknown key \"nam\"; did you mean \"name\"?") !=
        std::string::npos);
  CHECK(text.find("phones.json: /rules/1: a file that is included cannot include others") !=
        std::string::npos);
  CHECK(text.find("none.json: ") != std::string::npos);
  CHECK(files.size() == 3);
}

TEST_CASE("all mistakes of a file are told at once") {
  const std::string text =
      complaints(R"({"rules": [{"id": "a", "when": {"mac": "x", "version": "1"}, "then": {"file": "/a"}}]})");
  CHECK(text.find("/rules/0/when/mac") != std::string::npos);
  CHECK(text.find("/rules/0/when/version") != std::string::npos);
  CHECK(text.find("/rules/0/then/file") != std::string::npos);
  CHECK(text.find("/rules: there is no last rule") != std::string::npos);
}

}  // namespace firmware_test
