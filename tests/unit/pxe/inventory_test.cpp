// Mistakes in inventory and templates: each is named with file, place and remedy, all of them at once, and
// the old state goes on.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace pxe_test;

namespace {

struct Mistake {
  std::string_view inventory;
  std::string_view place;
  std::string_view words;  // what is wrong, and the remedy
};

const Mistake mistakes[] = {
    {"{\n  \"machines\": {,}}", "line 2, column 16", "this is not JSON"},
    {R"({"machines": {"a": {"mac": "525400000001", "mac": "525400000002"}}})", "/machines/a/mac",
     "there twice; remove one"},
    {R"({"machine": {}})", "/machine", "unknown key \"machine\"; did you mean \"machines\"?"},
    {R"({"machines": []})", "/machines", "expected an object, not an array; write { \"name\": { ... } }"},
    {R"({"machines": {"a": {"mac": 5}}})", "/machines/a/mac", "expected a string or an array of strings"},
    {R"({"default": "l", "profiles": {"l": {"local": true}}, "machines": {"a": {"mac": "52:54:00:ab:cd"}}})",
     "/machines/a/mac", "is not a MAC address; write six bytes"},
    {R"({"default": "l", "profiles": {"l": {"local": true}}, "machines": {"a": {"uuid": "1234"}}})",
     "/machines/a/uuid", "is not a UUID; write it as"},
    {R"({"default": "l", "profiles": {"l": {"local": true}}, "machines": {"a": {"ip": "10.0.0.0/8"}}})",
     "/machines/a/ip", "is not an IP address; write for example"},
    {R"({"groups": {"g": {"networks": ["10.0.0.1/8"]}}})", "/groups/g/networks/0",
     "bits set beyond its prefix; did you mean \"10.0.0.0/8\"?"},
    {R"({"groups": {"g": {"macs": ["52:5x"]}}})", "/groups/g/macs/0",
     "not the beginning of a MAC address; write"},
    {R"({"profiles": {"debian": {"local": true}}, "default": "debain"})", "/default",
     "no profile is called \"debain\"; did you mean \"debian\"?"},
    {R"({"groups": {"rack7": {}}, "machines": {"a": {"groups": "rack8"}}})", "/machines/a/groups",
     "no group is called \"rack8\"; did you mean \"rack7\"?"},
    {R"({"default": "l", "profiles": {"l": {"local": true}},
        "machines": {"a": {"mac": "525400000001"}, "b": {"mac": "52-54-00-00-00-01"}}})",
     "/machines/b/mac", "MAC address 52:54:00:00:00:01 is there twice, first in"},
    {R"({"default": "l", "profiles": {"l": {"local": true}}, "machines": {"a": {"ip": "10.0.0.1"}, "b": {"ip": "::ffff:10.0.0.1"}}})",
     "/machines/b/ip", "IP address 10.0.0.1 is there twice"},
    {R"({"profiles": {"p": {"title": "nothing"}}})", "/profiles/p", "boots nothing; give it \"kernel\""},
    {R"({"profiles": {"p": {"kernel": "k", "local": true}}})", "/profiles/p",
     "exclude each other; make a profile of each"},
    {R"({"profiles": {"p": {"chain": "c", "initrd": "i"}}})", "/profiles/p/initrd",
     "is for profiles with a \"kernel\"; remove it"},
    {R"({"profiles": {"p": {"local": false}}})", "/profiles/p/local", "means nothing; remove it"},
    {R"({"profiles": {"p": {"menu": []}}})", "/profiles/p/menu", "the menu is empty; list at least one"},
    {R"({"profiles": {"p": {"menu": ["p"]}}})", "/profiles/p/menu/0", "is a menu itself; list the profiles"},
    {R"({"profiles": {"p": {"menu": ["a"], "default": "b"}, "a": {"local": true}, "b": {"local": true}}})",
     "/profiles/p/default", "\"b\" is not in this menu; add it"},
    {R"({"default": {"profile": "p", "look": {"default": "b"}},
        "profiles": {"p": {"menu": ["a"]}, "a": {"local": true}, "b": {"local": true}}})",
     "/default/look/default", "\"b\" is not in the menu \"p\"; add it there"},
    {R"({"profiles": {"p": {"kernel": "k", "args": "a \"b c"}}})", "/profiles/p/args",
     "double quote is not closed; add"},
    {R"({"profiles": {"p": {"kernel": "k", "args": ["a", "x=$y"]}}})", "/profiles/p/args/1",
     "an argument with \"$\" does not survive every boot loader; remove"},
    {R"({"profiles": {"p": {"kernel": "k", "args": ["a={{nmae}}"]}}})", "/profiles/p/args/0",
     "a template knows no \"nmae\" (at line 1, column 3 of the text); did you mean \"name\"?"},
    {R"({"profiles": {"p": {"kernel": "my kernel"}}})", "/profiles/p/kernel",
     "a path with \" \" cannot be written"},
    {R"({"profiles": {"p": {"kernel": "../k"}}})", "/profiles/p/kernel",
     "a path with \"..\" is refused by the server; write"},
    {R"({"profiles": {"p": {"kernel": "k", "title": "a\nb"}}})", "/profiles/p/title",
     "control character in it; write one line"},
    {R"({"profiles": {"a b": {"local": true}, "a_b": {"local": true}}})", "/profiles/a_b",
     "menu label \"a_b\" is there twice"},
    {R"({"default": {"profile": "l", "look": {"timeout": 5}}, "profiles": {"l": {"local": true}}})",
     "/default/look/timeout", "a duration needs a unit"},
    {R"({"default": {"profile": "l", "look": {"serial": "COM1"}}, "profiles": {"l": {"local": true}}})",
     "/default/look/serial", "is no serial console; write for example \"ttyS0\""},
    {R"({"default": {"profile": "l", "look": {"password": {"grub": "secret"}}}, "profiles": {"l": {"local": true}}})",
     "/default/look/password/grub", "this is no password hash; make one with grub-mkpasswd-pbkdf2"},
    {R"({"default": {"look": {}}})", "/default", "\"profile\" is missing; write for example"},
    {R"({"machines": {"a": {"mac": "525400000001"}}})", "/machines/a",
     "has no profile, no group, and there is no \"default\""},
    {R"({"loaders": [{"ask": "a[", "to": "b"}]})", "/loaders/0/ask", "write for example \"netboot\""},
    {R"({"loaders": [{"ask": "a", "arch": "uefi-x46", "to": "b"}]})", "/loaders/0/arch",
     "no architecture is called \"uefi-x46\"; did you mean \"uefi-x64\"?"},
    {R"({"loaders": [{"ask": "a"}]})", "/loaders/0", "\"to\" is missing; write for example"},
    {R"({"default": {"profile": "l", "values": {"a-b": "x"}}, "profiles": {"l": {"local": true}}})",
     "/default/values/a-b", "cannot be the name of a value; use letters"},
};

}  // namespace

TEST_CASE("every mistake is named with file, place and remedy") {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.inventory);
    const std::string text = refusal(mistake.inventory);
    CAPTURE(text);
    CHECK(text.find("inventory.json: " + std::string(mistake.place) + ": ") != std::string::npos);
    CHECK(text.find(mistake.words) != std::string::npos);
  }
  CHECK(std::size(mistakes) >= 25);
  CHECK(refusal(example, false)
            .find("/machines/db9/once: a one-shot boot has to be remembered, and the instance has no "
                  "state file; add \"state\"") != std::string::npos);
  CHECK(refusal(R"({"profiles": {"p": {"kernel": "k", "args": ")" + std::string(1990, 'x') + R"("}}})")
            .find("the arguments are 1991 characters long; keep them below") != std::string::npos);
}

TEST_CASE("a password in plain text is not repeated in the complaint") {
  const std::string text = refusal(
      R"({"default": {"profile": "l", "look": {"password": {"syslinux": "hunter2"}}}, "profiles": {"l": {"local": true}}})");
  CHECK(text.find("is no password hash") != std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("mistakes while it runs keep the old inventory, one after the other") {
  const std::string not_taken_up = "was not taken up, the old one goes on";
  const Scratch scratch;
  scratch.file("inventory.json", example);
  Plugin plugin(scratch);
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.inventory);
    const std::size_t before = plugin.host.logged(not_taken_up);
    scratch.replace("inventory.json", mistake.inventory);
    for (int i = 0; i < 1000 && plugin.host.logged(not_taken_up) == before; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(plugin.host.logged(not_taken_up) > before);
    CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01").has("debian12/linux"));
  }
  scratch.replace("inventory.json", R"({"default": "l", "profiles": {"l": {"local": true}}})");
  CHECK(plugin.host.wait_logged("0 machines, 0 groups, 1 profiles"));
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01").declined());
}

TEST_CASE("a directory of files is one inventory, and a name in two of them is a mistake in the second") {
  const Scratch scratch;
  scratch.file("inventory.json/00-profiles.json", R"({"default": "l", "profiles": {"l": {"local": true}}})");
  scratch.file("inventory.json/web1.json",
               R"({"machines": {"web1": {"mac": "525400abcd01", "profile": "l"}}})");
  Plugin plugin(scratch);
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01").has("# web1: l"));
  scratch.file("inventory.json/web2.json", R"({"machines": {"web2": {"mac": "525400abcd02"}, "web1": {}}})");
  CHECK(plugin.host.wait_logged("web2.json: /machines/web1: the machine \"web1\" is there twice, first in " +
                                scratch.path("inventory.json/web1.json: /machines/web1").string()));
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-02").declined());
  scratch.replace("inventory.json/web2.json", R"({"machines": {"web2": {"mac": "525400abcd02"}}})");
  CHECK(plugin.host.wait_logged("2 machines"));
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-02").has("# web2: l"));
}

TEST_CASE("a template with a mistake is named, and the old one goes on") {
  const Scratch scratch;
  scratch.file("inventory.json", example);
  scratch.file("t/grub.mustache", "one {{name}}\n");
  Plugin plugin(scratch, {{"/templates", scratch.path("t").string()}});
  CHECK(plugin.get("grub/grub.cfg-01-52-54-00-ab-cd-01").content == "one web1\n");
  scratch.replace("t/grub.mustache", "two\n{{#entries}}{{kernle}}{{/entries}}\n");
  CHECK(plugin.host.wait_logged(
      "grub.mustache: line 2, column 13: a template knows no \"kernle\"; did you mean \"kernel\"?"));
  CHECK(plugin.get("grub/grub.cfg-01-52-54-00-ab-cd-01").content == "one web1\n");
  scratch.replace("t/grub.mustache", "three {{#entries}}{{kernel}}{{/entries}}\n");
  for (int i = 0; i < 1000 && !plugin.get("grub/grub.cfg-01-52-54-00-ab-cd-01").has("three /debian12/linux");
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(plugin.get("grub/grub.cfg-01-52-54-00-ab-cd-01").content == "three /debian12/linux\n");
}
