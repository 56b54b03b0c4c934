// One-shot boots: when they are used up, what the second reading sees, and what is left after a crash.
#include "fixture.hpp"
#include "one_shots.hpp"
#include "repeats.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <thread>

using namespace pxe_test;
using tftpkit::pxe::Repeats;

namespace {

const std::string db9 = "pxelinux.cfg/01-52-54-00-00-00-09";

struct Example {
  Example() { scratch.file("inventory.json", example); }
  bool state_has(const std::string& part) const {
    for (int i = 0; i < 1000; ++i) {
      std::ifstream file(scratch.path("state.json"));
      std::stringstream text;
      text << file.rdbuf();
      if (text.str().find(part) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  Scratch scratch;
};

bool installs(const Reply& reply) {
  return reply.has("install/linux");
}
bool is_local(const Reply& reply) {
  return reply.has("LOCALBOOT 0");
}

}  // namespace

TEST_CASE_FIXTURE(Example, "a one-shot is used up by a transfer that ended well, and by no other") {
  Plugin plugin(scratch);
  for (const std::uint32_t end : {TFTPKIT_END_CLIENT, TFTPKIT_END_PROBED, TFTPKIT_END_TIMEOUT,
                                  TFTPKIT_END_UNCONFIRMED, TFTPKIT_END_SHUTDOWN, TFTPKIT_END_HOST}) {
    const Reply reply = plugin.open(db9);
    CHECK(installs(reply));
    plugin.close(reply, end);
  }
  CHECK(installs(plugin.get(db9)));
  CHECK(is_local(plugin.get(db9)));
  CHECK(plugin.host.logged("\"install\" of \"db9\" was delivered and is used up") == 1);
}

TEST_CASE_FIXTURE(Example, "twice, the first transfer aborted: install both times, then local") {
  Plugin plugin(scratch, {{"/repeat_within", "10000"}});
  const Reply first = plugin.open(db9);
  CHECK(installs(first));
  plugin.close(first, TFTPKIT_END_CLIENT);
  CHECK(installs(plugin.get(db9)));
  CHECK(is_local(plugin.get(db9)));
}

TEST_CASE_FIXTURE(Example, "PXELINUX reads twice, and its menu sees the same bytes") {
  Plugin plugin(scratch, {{"/repeat_within", "60000"}});
  const Reply core = plugin.get(db9);
  CHECK(installs(core));
  CHECK(plugin.get("menu.c32").declined());
  scratch.replace("inventory.json",
                  R"({"default": "l", "profiles": {"l": {"local": true}, "install": {"kernel": "new"}},
    "machines": {"db9": {"mac": "525400000009", "once": "install"}}})");
  CHECK(plugin.host.wait_logged("1 machines"));
  CHECK(plugin.get(db9).content == core.content);
  CHECK(is_local(plugin.get(db9)));  // the next boot
  CHECK(is_local(plugin.get(db9, "192.0.2.77")));
}

TEST_CASE_FIXTURE(Example, "a used one-shot stays used after a restart, and another id arms it again") {
  {
    Plugin plugin(scratch, {{"/repeat_within", "0"}});
    CHECK(installs(plugin.get(db9)));
    CHECK(state_has("\"db9\""));  // written while it runs, not only at the end
  }
  {
    Plugin plugin(scratch, {{"/repeat_within", "0"}});
    CHECK(is_local(plugin.get(db9)));
  }
  std::string armed(example);
  armed.replace(armed.find("\"once\": \"install\""), 17, R"("once": {"profile": "install", "id": "2"})");
  scratch.file("inventory.json", armed);
  Plugin plugin(scratch, {{"/repeat_within", "0"}});
  CHECK(installs(plugin.get(db9)));
  CHECK(is_local(plugin.get(db9)));
}

TEST_CASE_FIXTURE(Example, "what shows the menu without a network uses up nothing") {
  Plugin plugin(scratch);
  CHECK(installs(plugin.get(db9, "")));
  CHECK(installs(plugin.get(db9, "")));
}

TEST_CASE_FIXTURE(Example, "what a crash leaves beside the state file does no harm") {
  scratch.file("state.json",
               R"({"used": {"db9": {"profile": "install", "id": "", "at": "2026-01-01T00:00:00Z"}}})");
  scratch.file("state.json.new", "{\"used\": {\"db");
  Plugin plugin(scratch);
  CHECK(is_local(plugin.get(db9)));
}

TEST_CASE_FIXTURE(Example, "a state file that cannot be read or written stops the start with a remedy") {
  scratch.file("state.json", "{\"used\": 5}");
  FakeHost host(settings_for(scratch));
  void* instance = nullptr;
  CHECK(tftpkit::pxe::descriptor().create(host.table(), &instance) == TFTPKIT_E_OPTION);
  CHECK(host.take_explanation().find("state.json: /used: expected an object") != std::string::npos);
  CHECK(host.logged("remove it to forget") == 1);
  FakeHost other(settings_for(scratch, {{"/state", scratch.path("none/state.json").string()}}));
  CHECK(tftpkit::pxe::descriptor().create(other.table(), &instance) == TFTPKIT_E_OPTION);
  CHECK(other.take_explanation().find("make its directory") != std::string::npos);
}

TEST_CASE("a second reading is known by what came between") {
  using namespace std::chrono_literals;
  const auto ip = *tftpkit::kit::ip_from("10.0.0.1");
  const auto text = std::make_shared<const std::string>("install");
  const auto now = Repeats::Clock::now();
  Repeats repeats(10s);
  repeats.answered(ip, "n", text);
  CHECK(repeats.again(ip, "n", now) == nullptr);  // not delivered yet
  repeats.answered(ip, "n", text);                // the first was aborted
  repeats.delivered(ip, "n", now);
  CHECK(repeats.again(ip, "n", now) == nullptr);
  repeats.seen(ip, "n");
  CHECK(repeats.again(ip, "n", now) == nullptr);
  repeats.seen(ip, "menu.c32");
  CHECK(repeats.again(ip, "n", now + 10s) == nullptr);
  CHECK(repeats.again(ip, "n", now + 9s) == text);
  repeats.seen(ip, "linux");
  CHECK(repeats.again(ip, "n", now + 9s) == nullptr);  // it has booted by now
  CHECK(repeats.again(*tftpkit::kit::ip_from("10.0.0.2"), "n", now) == nullptr);
}
