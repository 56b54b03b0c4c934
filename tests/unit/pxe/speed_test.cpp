// Figures for 10,000 machines: how long they take to load, and to answer. Printed, not judged: machines
// differ.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <ctime>

using namespace pxe_test;

namespace {

constexpr int machines = 10'000;
constexpr int requests = 20'000;

std::string hex(int number) {
  char text[8];
  std::snprintf(text, sizeof text, "%02x-%02x", static_cast<unsigned>(number / 256),
                static_cast<unsigned>(number % 256));
  return text;
}

std::string fleet() {
  std::string text = R"({"default": "a", "profiles": {"a": {"kernel": "a/linux", "initrd": "a/initrd",
    "args": ["quiet", "url=http://{{server}}/{{name}}.cfg", "hostname={{hostname}}"]}, "b": {"local": true}},
    "groups": {"all": {"networks": "10.0.0.0/8", "args": "console=tty0"}}, "machines": {)";
  for (int i = 0; i < machines; ++i) {
    const std::string number = std::to_string(i);
    text += (i == 0 ? "" : ",") + ("\n\"m" + number) + R"(": {"mac": "52-54-00-00-)" + hex(i) +
            R"(", "ip": "10.1.)" + std::to_string(i / 256) + "." + std::to_string(i % 256) +
            R"(", "profile": "a", "tags": ["x"],
      "values": {"rack": "r)" +
            number + R"("}, "look": {"serial": "ttyS0"}})";
  }
  return text + "}}";
}

// Of the processor, so that other work on the machine does not count.
template <class Body>
double milliseconds(Body body) {
  const std::clock_t begin = std::clock();
  body();
  return 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("10,000 machines load, and each gets its own answer") {
  const Scratch scratch;
  scratch.file("inventory.json", fleet());
  FakeHost host(settings_for(scratch));
  void* instance = nullptr;
  const double load = milliseconds(
      [&] { REQUIRE(tftpkit::pxe::descriptor().create(host.table(), &instance) == TFTPKIT_OK); });
  tftpkit::pxe::descriptor().destroy(instance);

  Plugin plugin(scratch);
  plugin.host.debug = false;
  int right = 0, declined = 0;
  const double answers = milliseconds([&] {
    for (int i = 0; i < requests; ++i)
      right += plugin.get("pxelinux.cfg/01-52-54-00-00-" + hex(i % machines))
                   .has("/m" + std::to_string(i % machines) + ".cfg ");
  });
  const double misses = milliseconds([&] {
    for (int i = 0; i < requests; ++i)
      declined += plugin.get("pxelinux.cfg/01-52-54-99-00-" + hex(i % machines)).declined();
  });
  CHECK(right == requests);
  CHECK(declined == requests);
  std::printf("%d machines: %.0f ms to load, %.1f us for an answer, %.1f us for a miss (processor time)\n",
              machines, load, answers * 1000 / requests, misses * 1000 / requests);
}
