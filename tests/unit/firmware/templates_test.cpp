// Generated texts: no value breaks out of the syntax that it stands in, whatever a client or an inventory
// says.
#include "firmware/templates.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace fw = tftpkit::firmware;
using test_support::Scratch;

namespace {

const std::string nasty = "a\"b'c<d>&e\nf\r\tg h;i|j`k$(l)\\m{n}\x01\x7f";

struct Loaded {
  fw::Templates templates;
  std::string problems;
  std::size_t directories = 0;
};

Loaded loaded(const Scratch& scratch) {
  Loaded result;
  tftpkit::config::Problems problems;
  std::vector<std::filesystem::path> looked_at;
  result.templates = fw::Templates::from_directory(scratch.path(), {"hostname", "mac"}, problems, looked_at);
  result.problems = tftpkit::config::text(problems);
  result.directories = looked_at.size();
  return result;
}

std::string rendered(const std::string& name, const std::string& text) {
  const Scratch scratch;
  scratch.file(name, text);
  const Loaded all = loaded(scratch);
  REQUIRE_MESSAGE(all.problems.empty(), all.problems);
  return all.templates.rendered(name, {{"hostname", nasty}});
}

}  // namespace

TEST_CASE("in XML a value stays text, in an element and in an attribute") {
  for (const char* name : {"SEP.cnf.xml.tmpl", "snom.HTM.tmpl", "x/page.html.tmpl"}) {
    CAPTURE(name);
    const std::string text = rendered(name, "<a b=\"{{hostname}}\">{{hostname}}</a>");
    const std::string safe = "a&quot;b&apos;c&lt;d&gt;&amp;efg h;i|j`k$(l)\\m{n}";
    CHECK(text == "<a b=\"" + safe + "\">" + safe + "</a>");
  }
}

TEST_CASE("in a line a value begins no other line") {
  const std::string text = rendered("phone.cfg.tmpl", "name = {{hostname}}\nnext = 1\n");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(std::none_of(text.begin(), text.end(), [](char c) { return (c < 0x20 && c != '\n') || c == 0x7f; }));
}

TEST_CASE("as a word a value is one argument without anything that a shell or a kernel reads") {
  CHECK(rendered("rpi/cmdline.txt.tmpl", "ip=dhcp host={{hostname}} ro\n") ==
        "ip=dhcp host=abcdefghijklmn ro\n");
}

TEST_CASE("a note in the first line says what a template is when its name does not") {
  CHECK(rendered("odd.tmpl", "{{! syntax: word }}x={{hostname}}") == "x=abcdefghijklmn");
  CHECK(rendered("odd.tmpl", "{{! syntax: xml }}{{hostname}}").find('<') == std::string::npos);
  CHECK(rendered("page.xml.tmpl", "{{! syntax: line }}{{hostname}}").find('<') != std::string::npos);
}

TEST_CASE("a template with a mistake is told with its file and place, and raw values are none") {
  const Scratch scratch;
  scratch.file("deep/er/a.cfg.tmpl", "x\n{{hostnam}}");
  scratch.file("b.cfg.tmpl", "{{{hostname}}}");
  scratch.file("c.cfg.tmpl", "{{#hostname}}");
  scratch.file("d.cfg", "{{no template}}");
  const Loaded all = loaded(scratch);
  CAPTURE(all.problems);
  CHECK(all.problems.find("deep/er/a.cfg.tmpl: line 2, column 1: a template knows no \"hostnam\"; did you "
                          "mean \"hostname\"?") != std::string::npos);
  CHECK(all.problems.find("b.cfg.tmpl: line 1, column 1: a value cannot go in without being escaped") !=
        std::string::npos);
  CHECK(all.problems.find("c.cfg.tmpl: line 1, column 1: the section \"hostname\" has no end") !=
        std::string::npos);
  CHECK(all.problems.find("d.cfg") == std::string::npos);
  CHECK_MESSAGE(all.directories == 3, "a new template in any of them has to be noticed");
}
