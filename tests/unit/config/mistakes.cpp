// config/load: each mistake that we know of, and exactly what is said about it.
#include "config/load.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace tftpkit::config;

namespace {

struct Mistake {
  const char* json;
  const char* said;  // without the file's name
};

std::string said_of(std::string_view json) {
  return text(load_text(json, "", "/etc/tftpkit").problems());
}

constexpr const char* one = R"("instances": [{"name": "files", "plugin": "file"}])";

std::string with_instance(const std::string& rest) {
  return "{" + std::string(one) + ", " + rest + "}";
}

const Mistake mistakes[] = {
    // syntax
    {"", "there is no JSON in it; {} is the shortest that is right"},
    {"  \n ", "there is no JSON in it; {} is the shortest that is right"},
    {"[]", "expected an object, not an array; write { ... }"},
    {"7", "expected an object, not 7; write { ... }"},
    {R"({"workers": 1, "workers": 2})", "/workers: the key is there twice; remove one of the two"},
    {R"({"log": {"level": "info", "level": "debug"}})",
     "/log/level: the key is there twice; remove one of the two"},
    {R"({"routes": [{"to": "a"}, {"to": "a", "to": "b"}]})",
     "/routes/1/to: the key is there twice; remove one of the two"},
    // names
    {R"({"worker": 1})", "/worker: unknown key \"worker\"; did you mean \"workers\"?"},
    {R"({"Listen": "*"})", "/Listen: unknown key \"Listen\"; did you mean \"listen\"?"},
    {R"({"colour\u001b": 1})", "/colour\\x1b: unknown key \"colour\\x1b\""},
    {R"({"protocol": {"windowsizemax": 1}})",
     "/protocol/windowsizemax: unknown key \"windowsizemax\"; did you mean \"windowsize_max\"?"},
    {R"({"log": {"colour": 1}})",
     "/log/colour: unknown key \"colour\"; the keys here are \"level\", \"format\" and \"file\""},
    {R"({"a/b~c": 1})", "/a~1b~0c: unknown key \"a/b~c\""},
    // types
    {R"({"workers": "4"})", "/workers: expected a whole number, not \"4\"; write a number from 0 to 256"},
    {R"({"workers": 1.5})", "/workers: expected a whole number, not 1.5; write a number from 0 to 256"},
    {R"({"workers": null})", "/workers: expected a whole number, not null; write a number from 0 to 256"},
    {R"({"user": 0})", "/user: expected a string, not 0; put it in quotes"},
    {R"({"explain_to_clients": "yes"})", "/explain_to_clients: expected true or false, not \"yes\""},
    {R"({"protocol": []})", "/protocol: expected an object, not an array; write { ... }"},
    {R"({"instances": {}})", "/instances: expected an array, not an object; write [ ... ]"},
    {R"({"instances": ["file"]})", "/instances/0: expected an object, not \"file\"; write { ... }"},
    {R"({"listen": 69})", "/listen: expected a string or an array of strings, not 69"},
    {R"({"listen": ["*", 69]})", "/listen/1: expected a string, not 69; put it in quotes"},
    {R"({"log": {"level": 3}})",
     "/log/level: expected one of the words \"debug\", \"info\", \"warning\" or \"error\", not 3"},
    // ranges
    {R"({"workers": -1})", "/workers: -1 is out of range; write a number from 0 to 256"},
    {R"({"workers": 9999})", "/workers: 9999 is out of range; write a number from 0 to 256"},
    {R"({"workers": 1e30})", "/workers: expected a whole number, not 1e+30; write a number from 0 to 256"},
    {R"({"protocol": {"blksize_max": 7}})",
     "/protocol/blksize_max: 7 is out of range; write a number from 8 to 65464"},
    {R"({"protocol": {"windowsize_max": 65536}})",
     "/protocol/windowsize_max: 65536 is out of range; write a number from 1 to 65535"},
    {R"({"protocol": {"rollover": 2}})", "/protocol/rollover: 2 is out of range; write a number from 0 to 1"},
    {R"({"limits": {"transfers": 0}})",
     "/limits/transfers: 0 is out of range; write a number from 1 to 1000000"},
    // words
    {R"({"log": {"level": "warn"}})",
     "/log/level: \"warn\" is none of the words \"debug\", \"info\", \"warning\" or \"error\""},
    {R"({"log": {"format": "jsn"}})",
     "/log/format: \"jsn\" is none of the words \"auto\", \"text\" or \"json\"; did you mean \"json\"?"},
    // addresses
    {R"({"listen": "localhost:69"})", "/listen: \"localhost\" is not an IP address (in \"localhost:69\"); "
                                      "write an address such as \"192.0.2.1:69\", "
                                      "\"[2001:db8::1]:69\" or \":69\""},
    {R"({"listen": ["1.2.3.4:99999"]})",
     "/listen/0: \"99999\" is not a port (in \"1.2.3.4:99999\"); write a number from 0 to 65535"},
    {R"({"listen": []})",
     "/listen: no address to listen on; leave \"listen\" out for port 69 on all addresses"},
    // durations and sizes
    {R"({"drain": 10})",
     "/drain: a duration needs a unit, and 10 has none; did you mean \"10s\" or \"10ms\"?"},
    {R"({"drain": "10"})", "/drain: \"10\" has no unit; did you mean \"10s\" or \"10ms\"?"},
    {R"({"drain": "soon"})",
     "/drain: \"soon\" is not a duration; write a duration such as \"250ms\", \"3s\", \"5m\" or \"1h\""},
    {R"({"drain": -1})",
     "/drain: expected a duration, not -1; write for example \"250ms\", \"3s\" or \"5m\""},
    {R"({"answer_timeout": "2h"})",
     "/answer_timeout: \"2h\" is out of range; write a duration from \"10ms\" to \"1h\""},
    {R"({"retry": {"min": "10s"}})", "/retry: \"min\" is longer than \"max\"; make \"min\" the shorter one"},
    {R"({"retry": {"initial": "10ms"}})",
     "/retry: \"initial\" does not lie between \"min\" and \"max\"; change one of the three"},
    {R"({"limits": {"buffer_memory": "1g"}})",
     "/limits/buffer_memory: \"1g\" is not a size; did you mean \"1GiB\"?"},
    {R"({"limits": {"buffer_memory": 10}})",
     "/limits/buffer_memory: 10 is out of range; write a size from \"1MiB\" to \"16TiB\""},
    {R"({"limits": {"buffer_memory": true}})", "/limits/buffer_memory: expected a size, not true; write for "
                                               "example \"64KiB\" or \"1GiB\", or a number of bytes"},
    {R"({"limits": {"per_network": {}}})",
     "/limits/per_network: expected an array, not an object; write [ ... ]"},
    {R"({"limits": {"per_network": [{}]}})",
     "/limits/per_network/0: it limits nothing; add \"transfers\" or \"requests_per_second\""},
    {R"({"limits": {"per_network": [{"prefix_v4": 33, "transfers": 1}]}})",
     "/limits/per_network/0/prefix_v4: 33 is out of range; write a number from 0 to 32"},
    {R"({"limits": {"per_network": [{"transfers": 1, "request_burst": 5}]}})",
     "/limits/per_network/0/request_burst: a burst of what?; add \"requests_per_second\" beside it"},
    {R"({"limits": {"per_network": [{"transfers": 1}, {"transfers": 1}, {"transfers": 1}, {"transfers": 1},
        {"transfers": 1}]}})",
     "/limits/per_network: there are 5 of them; at most 4 are possible"},
    {R"({"limits": {"per_network": [{"transfer": 1, "requests_per_second": 1}]}})",
     "/limits/per_network/0/transfer: unknown key \"transfer\"; did you mean \"transfers\"?"},
    // who may ask
    {R"({"access": {"allow": []}})",
     "/access/allow: nobody could ask; leave \"allow\" out for everybody, or name a network"},
    {R"({"access": {"deny": "10.0.0.1/8"}})",
     "/access/deny: \"10.0.0.1/8\" has bits set beyond its prefix; did you mean \"10.0.0.0/8\"?"},
    {R"({"access": {"allow": "10.0.0.0/8", "deny": ["10.0.0.0/8"]}})",
     "/access/allow: \"10.0.0.0/8\" is allowed and denied; \"deny\" wins: leave it out of one of the two"},
    {R"({"access": {"alow": "10.0.0.0/8"}})", "/access/alow: unknown key \"alow\"; did you mean \"allow\"?"},
    // instances
    {R"({"instances": [{"plugin": "file"}]})",
     "/instances/0: \"name\" is missing; write for example \"name\": \"files\""},
    {R"({"instances": [{"name": "a"}]})",
     "/instances/0: \"plugin\" is missing; write for example \"plugin\": \"file\""},
    {R"({"instances": [{"name": "a b", "plugin": "file"}]})",
     "/instances/0/name: \"a b\" cannot be an instance's name; use up to 63 letters, digits, '.', '_' and "
     "'-', beginning "
     "with a letter or digit"},
    {R"({"instances": [{"name": "a", "plugin": "file"}, {"name": "a", "plugin": "file"}]})",
     "/instances/1/name: there is another instance called \"a\", at /instances/0; every instance needs a "
     "name of its own"},
    {R"({"instances": [{"name": "a", "plugin": "./file.so"}]})",
     "/instances/0/plugin: \"./file.so\" is not a plugin's name; list the file in \"plugins\" and write "
     "\"file\" here"},
    {R"({"instances": [{"name": "a", "plugin": "File"}]})",
     "/instances/0/plugin: \"File\" is not a plugin's name; a plugin's name has lower-case letters, digits "
     "and '-' only, as "
     "its file without \".so\""},
    {R"({"instances": [{"name": "a", "plugin": "file", "settings": "root"}]})",
     "/instances/0/settings: expected an object, not \"root\"; write { ... }"},
    {R"({"instances": [{"name": "a", "plugin": "file", "isolation": "proces"}]})",
     "/instances/0/isolation: \"proces\" is none of the words \"none\" or \"process\"; did you mean "
     "\"process\"?"},
    {R"({"instances": [{"name": "a", "plugin": "file", "sandbox": true}]})",
     "/instances/0/sandbox: it is for an instance in a process of its own; add \"isolation\": \"process\" to "
     "the "
     "instance"},
    {R"({"instances": [{"name": "a", "plugin": "file", "isolation": "process", "sandbox": 1}]})",
     "/instances/0/sandbox: expected true, false or an object, not 1; write true"},
    {R"({"instances": [{"name": "a", "plugin": "file", "isolation": "process", "sandbox": {"nets": true}}]})",
     "/instances/0/sandbox/nets: unknown key \"nets\"; the keys here are \"user\", \"network\" and \"read\""},
    {R"({"instances": [{"name": "a", "plugin": "file", "isolation": "process", "memory_limit": "1MiB"}]})",
     "/instances/0/memory_limit: no process can live in less than 16MiB; write at least \"16MiB\", or 0 for "
     "no limit"},
    {R"({"instances": [{"name": "a", "plugin": "file", "execution": "paralel"}]})",
     "/instances/0/execution: \"paralel\" is none of the words \"serial\", \"parallel\" or \"inline\"; did "
     "you mean "
     "\"parallel\"?"},
    {R"({"executor_threads": 4, "executor_threads_per_instance": 5})",
     "/executor_threads_per_instance: one instance cannot have more threads than there are; write at most 4, "
     "or raise "
     "\"executor_threads\""},
    // routes
    {R"({"routes": [{"to": ["a"]}]})",
     "/routes/0/to/0: no instance is called \"a\"; add it to \"instances\""},
    {R"({"routes": [{}]})", "/routes/0: \"to\" is missing; write for example \"to\": [\"files\"]"},
    {R"({"plugins": [""]})", "/plugins/0: the path is empty"},
    {R"({"disabled_plugins": ["Hello"]})", "/disabled_plugins/0: \"Hello\" is not a plugin's name; a "
                                           "plugin's name has lower-case letters, digits and "
                                           "'-' only, as its file without \".so\""},
    {R"({"chroot": "/srv/jail"})",
     "/chroot: root gets out of every chroot; set \"user\" too: whom to become in it"},
    {R"({"seccomp": "yes"})", "/seccomp: expected true or false, not \"yes\""},
    {R"({"control": ""})", "/control: the path is empty; write \"off\" for no control socket"},
};

const Mistake route_mistakes[] = {
    {R"("routes": [{"to": ["files", "fils"]}])",
     "/routes/0/to/1: no instance is called \"fils\"; did you mean \"files\"?"},
    {R"("routes": [{"to": ["tape"]}])",
     "/routes/0/to/0: no instance is called \"tape\"; there are \"files\""},
    {R"("routes": [{"to": []}])", "/routes/0/to: the route leads nowhere; name at least one instance"},
    {R"("routes": [{"to": ["files", "files"]}])",
     "/routes/0/to/1: \"files\" is there twice; an instance that declined is not asked again"},
    {R"("routes": [{"to": "files", "match": "a[b"}])",
     "/routes/0/match: the '[' at character 2 has no ']' (in \"a[b\"); write for example \"pxelinux.cfg/*\" "
     "or \"**/*.efi\""},
    {R"("routes": [{"to": "files", "match": ["a", ""]}])",
     "/routes/0/match/1: the pattern is empty (in \"\"); write for example \"pxelinux.cfg/*\" or "
     "\"**/*.efi\""},
    {R"("routes": [{"to": "files", "match": "/boot/*"}])",
     "/routes/0/match: \"/boot/*\" never matches: a clean path does not begin with '/'; write \"boot/*\""},
    {R"("routes": [{"to": "files", "clients": "10.0.0.0/40"}])",
     "/routes/0/clients: \"10.0.0.0/40\" has a wrong prefix length; write a number from 0 to 32 behind the "
     "slash"},
    {R"("routes": [{"to": "files", "clients": ["10.1.0.0/8"]}])",
     "/routes/0/clients/0: \"10.1.0.0/8\" has bits set beyond its prefix; did you mean \"10.0.0.0/8\"?"},
    {R"("routes": [{"to": "files", "clients": "all"}])",
     "/routes/0/clients: \"all\" is not a network; write a network such as \"10.0.0.0/8\" or "
     "\"2001:db8::/32\", or an "
     "address"},
    {R"("routes": [{"to": "files", "client": "10.0.0.0/8"}])",
     "/routes/0/client: unknown key \"client\"; did you mean \"clients\"?"},
};

}  // namespace

TEST_CASE("every mistake is named with its place and what would be right") {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.json);
    CHECK(said_of(mistake.json) == std::string(mistake.said));
  }
}

TEST_CASE("every mistake in a route is named with its place and what would be right") {
  for (const Mistake& mistake : route_mistakes) {
    CAPTURE(mistake.json);
    CHECK(said_of(with_instance(mistake.json)) == std::string(mistake.said));
  }
}

TEST_CASE("wrong syntax is told with line and column") {
  CHECK(said_of("{\n  \"workers\": 1,\n}").starts_with("line 3, column 1: this is not JSON: "));
  CHECK(said_of("{\n  \"workers\": 1,\n}").ends_with("is there a comma too many before it?"));
  CHECK(said_of("{\"workers\": }").starts_with("line 1, column 13: this is not JSON: "));
  CHECK(said_of("{\"workers\": 1").starts_with("line 1, column 14: this is not JSON: "));
  CHECK(said_of("{} x").starts_with("line 1, column 4: this is not JSON: "));
  CHECK(said_of("{\"user\": \"\xff\"}").find('\xff') == std::string::npos);
  CHECK(said_of("{\"user\": \"\x1b\"}").find('\x1b') == std::string::npos);
}

TEST_CASE("too many levels are refused, not followed") {
  const std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  CHECK(said_of(deep).ends_with("more than 64 levels of JSON"));
}

TEST_CASE("all mistakes of a file are found at once, each on its own line after the file's name") {
  const auto loaded =
      load_text(R"({"workers": -1, "user": 3, "routes": [{"to": ["x"], "clients": ["y"]}], "typo": 1})",
                "tftpkit.json", "/etc");
  CHECK_FALSE(loaded);
  CHECK(loaded.problems().size() == 5);
  const std::string all = text(loaded.problems());
  CHECK(all.starts_with("tftpkit.json: /workers: -1 is out of range"));
  CHECK(all.find("\ntftpkit.json: /routes/0/clients/0: \"y\" is not a network") != std::string::npos);
}
