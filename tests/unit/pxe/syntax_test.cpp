// Breaking out: text of clients and operators that tries to be a second argument, a second line or a command.
#include "fixture.hpp"
#include "syntax.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tftpkit::pxe;
using pxe_test::Plugin;
using pxe_test::Reply;
using pxe_test::Scratch;

namespace {

constexpr Syntax all[] = {Syntax::syslinux, Syntax::extlinux, Syntax::grub, Syntax::ipxe};

const std::string attacks[] = {"a init=/bin/sh",
                               "a\ninit=/bin/sh",
                               "a\r\nLABEL evil\nKERNEL evil",
                               "a\" init=/bin/sh \"",
                               "a' init=/bin/sh '",
                               "a; reboot",
                               "a;reboot",
                               "a || shell",
                               "a && shell",
                               "|| shell",
                               "; shell",
                               "&& reboot",
                               "${net0/mac}",
                               "$(reboot)",
                               "`reboot`",
                               "a} menuentry x {",
                               "{ }",
                               "a\\ init=/bin/sh",
                               "a\\x20init=/bin/sh",
                               "a\\x22 init=x",
                               "a\\",
                               "# x",
                               std::string("a\0b init=x", 10),
                               "\x1b[2J",
                               "a\tinit=/bin/sh",
                               "{{name}}",
                               "é\xff\xfe x",
                               "",
                               "-",
                               "--gap x"};

// How Linux cuts its command line: at spaces outside of double quotes.
std::vector<std::string> kernel_words(std::string_view text) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  CHECK_FALSE(quoted);
  return words;
}

// How GRUB's shell cuts a line: at blanks and signs outside of single quotes.
std::vector<std::string> grub_words(std::string_view text) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (!quoted && std::string_view(" \t\n;|&{}$\"\\`#").find(c) != std::string_view::npos) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  CHECK_FALSE(quoted);
  return words;
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

TEST_CASE("whatever it is, it is one argument in every syntax") {
  for (const std::string& attack : attacks) {
    CAPTURE(attack);
    for (const Syntax syntax : all) {
      CAPTURE(static_cast<int>(syntax));
      const std::string made = argument(syntax, attack);
      CHECK(printable(made));
      const std::string line = "hostname=" + made;
      if (syntax == Syntax::grub) {
        CHECK(grub_words(line).size() == 1);
        // GRUB understands \xNN, and puts a backslash before quotes, which the kernel does not know.
        CHECK(made.find_first_of("\\\"") == std::string::npos);
      } else {
        CHECK(kernel_words(line).size() == 1);
        CHECK(line.find('$') == std::string::npos);
      }
    }
    const std::string ipxe = " " + argument(Syntax::ipxe, attack) + " ";
    for (const char* separator : {" ; ", " || ", " && "})
      CHECK(ipxe.find(separator) == std::string::npos);
  }
}

TEST_CASE("whatever it is, it is one line of text, one path and one label") {
  for (const std::string& attack : attacks) {
    CAPTURE(attack);
    for (const Syntax syntax : all) {
      const std::string text = line(syntax, attack);
      CHECK(text.find_first_of("\n\r\t\x1b") == std::string::npos);
      CHECK_FALSE(text.empty());
      const std::string path = file(syntax, attack);
      CHECK(printable(path));
      CHECK(path.find_first_of(" \"\\$`;{}|<>,") == std::string::npos);
      if (syntax == Syntax::grub) {
        CHECK(grub_words(path).size() == 1);
      } else {
        CHECK(path.find('\'') == std::string::npos);
      }
    }
    CHECK(label(attack).find_first_not_of(
              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos);
    CHECK(line(Syntax::ipxe, attack).find_first_of("$\\") == std::string::npos);
    CHECK(line(Syntax::ipxe, attack)[0] != '-');
  }
  // A title in GRUB stays in its quotes: ' is written '\''.
  CHECK(line(Syntax::grub, "it's } here") == "'it'\\''s } here'");
}

TEST_CASE("what is harmless stays as it is") {
  CHECK(argument(Syntax::syslinux, "console=ttyS0,115200n8") == "console=ttyS0,115200n8");
  CHECK(argument(Syntax::grub, "root=UUID=ab-1") == "root=UUID=ab-1");
  CHECK(argument(Syntax::syslinux, "dyndbg=file a.c +p") == "dyndbg=\"file a.c +p\"");
  CHECK(argument(Syntax::grub, "dyndbg=file a.c +p") == "'dyndbg=file a.c +p'");
  CHECK(argument(Syntax::grub, "ds=nocloud-net;s=http://x/") == "'ds=nocloud-net;s=http://x/'");
  CHECK(file(Syntax::syslinux, "/debian/linux") == "::debian/linux");
  CHECK(file(Syntax::ipxe, "http://10.0.0.1:80/a?b=c&d") == "http://10.0.0.1:80/a?b=c&d");
  CHECK(file(Syntax::grub, "http://10.0.0.1/linux") == "'(http,10.0.0.1)/linux'");
  CHECK(line(Syntax::grub, "Größe") == "'Größe'");
}

TEST_CASE("a lease's hostname cannot break out of any generated menu") {
  // The lease file is the one input that clients write themselves.
  const Scratch scratch;
  scratch.file("inventory.json", R"({
    "default": "k", "profiles": {"k": {"kernel": "{{hostname}}/linux", "initrd": "i-{{hostname}}",
                                       "args": ["quiet", "hostname={{hostname}}", "last"]}}})");
  const std::string names[] = {"pxelinux.cfg/default", "pxelinux.cfg/default-arm", "grub/grub.cfg",
                               "ipxe/default.ipxe"};
  for (const std::string& attack : attacks) {
    if (attack.find('\0') != std::string::npos)
      continue;  // the rest of the string would be cut off by the test
    std::string octal;
    char digits[5];
    for (const char c : attack) {
      std::snprintf(digits, sizeof digits, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
      octal += digits;
    }
    scratch.file("leases",
                 "lease 10.0.0.5 { ends never; hardware ethernet 52:54:00:00:00:77; client-hostname \"" +
                     octal + "\"; }\n");
    Plugin plugin(scratch,
                  {{"/leases/0/file", scratch.path("leases").string()}, {"/leases/0/format", "isc"}});
    CAPTURE(attack);
    std::vector<std::size_t> lines;
    for (const std::string& name : names) {
      CAPTURE(name);
      const Reply plain = plugin.get(name, "10.0.0.9");  // nobody's lease: no hostname
      const Reply reply = plugin.get(name, "10.0.0.5");
      REQUIRE(reply.status == TFTPKIT_OK);
      CHECK(std::count(reply.content.begin(), reply.content.end(), '\n') ==
            std::count(plain.content.begin(), plain.content.end(), '\n'));
      const std::size_t begin = reply.content.find("quiet");
      REQUIRE(begin != std::string::npos);
      std::string args = reply.content.substr(begin, reply.content.find('\n', begin) - begin);
      if (const auto end = args.find(" ||"); name.ends_with(".ipxe")) args.resize(end);
      const auto words = name.starts_with("grub") ? grub_words(args) : kernel_words(args);
      CHECK(words.size() == 3);
      CHECK(words.back() == "last");
    }
  }
}

TEST_CASE("names and titles of the inventory cannot break out either") {
  const Scratch scratch;
  scratch.file("inventory.json", R"JSON({
    "default": {"profile": "m", "look": {"title": "x } menuentry 'evil' { ${x} ; || shell"}},
    "profiles": {
      "m": {"menu": ["a b; reboot", "c"]},
      "a b; reboot": {"title": "' } reboot { '", "kernel": "k", "args": ["name={{name}}"]},
      "c": {"title": "|| shell", "chain": "c.efi"}},
    "machines": {"ev\"il'; $(x) }": {"mac": "525400000001"}}})JSON");
  Plugin plugin(scratch);
  const Reply grub = plugin.get("grub/grub.cfg-01-52-54-00-00-00-01");
  CHECK(grub.has("menuentry ''\\'' } reboot { '\\''' --id a_b__reboot --unrestricted {\n"));
  CHECK(grub.has("linux /k 'name=ev_il_; _(x) }'\n"));
  const Reply ipxe = plugin.get("mac-525400000001.ipxe");
  CHECK(ipxe.has("menu x } menuentry 'evil' { _{x} _ __ shell\n"));
  CHECK(ipxe.has("item c __ shell\n"));
  CHECK(ipxe.has("kernel /k name=\"ev_il_; _(x) }\" || goto failed\n"));
  const Reply syslinux = plugin.get("pxelinux.cfg/01-52-54-00-00-00-01");
  CHECK(syslinux.has("LABEL a_b__reboot\n"));
  CHECK(syslinux.has("APPEND name=\"ev_il_; _(x) }\"\n"));
}

TEST_CASE("a name cannot break out of the comment at the top") {
  const Scratch scratch;
  scratch.file("inventory.json", R"JSON({"profiles": {"p\\": {"kernel": "k"}},
    "machines": {"a ${x} \\": {"mac": "525400000001", "profile": "p\\"}}})JSON");
  Plugin plugin(scratch);
  for (const char* name : {"pxelinux.cfg/01-52-54-00-00-00-01", "grub/grub.cfg-01-52-54-00-00-00-01",
                           "mac-525400000001.ipxe", "ipxe/mac-525400000001.ipxe"})
    CHECK(plugin.get(name).has("# a _{x} _: p_\n"));
}

TEST_CASE("a template of one's own cannot forget to escape") {
  const Scratch scratch;
  scratch.file("inventory.json", R"JSON({"default": "k", "profiles": {"k": {"kernel": "k"}},
    "machines": {"a": {"mac": "525400000001", "values": {"v": "1\n2 3\"; x $y"}}}})JSON");
  scratch.file("t/grub.mustache", "set x={{values.v}}\n{{>more}}\n");
  scratch.file("t/more.mustache", "echo {{name}} {{mac}}");
  Plugin plugin(scratch, {{"/templates", scratch.path("t").string()}});
  CHECK(plugin.get("grub/grub.cfg-01-52-54-00-00-00-01").content ==
        "set x='1_2 3_; x _y'\necho a 52:54:00:00:00:01\n");
}
