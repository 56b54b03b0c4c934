// What each condition and each kind of answer does, with rules of a few lines.
#include "firmware/read_time.hpp"
#include "fleet.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace firmware_test {
namespace {

using Kind = fw::Decision::Kind;

// One rule with these conditions that hands out "yes"; everything else is refused.
World only_when(const std::string& conditions, const std::string& inventory = "mac\n",
                const std::string& more = "") {
  return world(
      "{" + more + "\"rules\": [{\"id\": \"one\", \"when\": " + conditions +
          R"(, "then": {"file": "yes"}}, {"id": "last", "then": {"refuse": {"code": 1, "message": "no"}}}]})",
      inventory, {"yes"});
}

bool takes(const World& world, const fw::Question& question) {
  return world.decide(question).rule == "one";
}
bool takes(const World& world, const std::string& name, const std::string& peer = "192.0.2.1") {
  return takes(world, question(name, peer));
}

const char* const fleet = "mac,serial,ip,vendor,model,hostname,group,version,ring,pin\n"
                          "00:15:65:00:00:01,S1,10.0.0.1,yealink,T46S,ph-1,phones,66.84.0.15,,\n"
                          "00:04:f2:00:00:02,S2,10.0.0.2,polycom,VVX411,ph-2,phones,,hold,\n"
                          ",S3,10.0.0.3,cisco,N9K-C93,leaf-1,dc,9.3(5),canary,\n"
                          ",S4,10.0.0.4,cisco,N9K-C93,leaf-2,dc,9.3(5),,pinned.bin\n";

}  // namespace

TEST_CASE("a name condition wants the whole name, a regular expression what it says") {
  const World glob = only_when(R"({"name": ["*.cfg", "boot/**"]})");
  CHECK(takes(glob, "a.cfg"));
  CHECK(takes(glob, "boot/x/y"));
  CHECK_FALSE(takes(glob, "x/a.cfg"));
  const World regex = only_when(R"({"regex": "^cfg[0-9a-f]{12}$", "ignore_case": true})");
  CHECK(takes(regex, "CFG00156500000A"));
  CHECK_FALSE(takes(regex, "cfg0015650000"));
}

TEST_CASE("a name longer than any expression takes fits none and costs no time") {
  const World evil = only_when(R"({"regex": "^(a|a|aa)*$"})");
  CHECK(takes(evil, std::string(512, 'a')));
  CHECK_FALSE(takes(evil, std::string(513, 'a')));
  CHECK_FALSE(takes(evil, std::string(511, 'a') + "b"));
}

TEST_CASE("addresses are networks, ranges and single addresses, of both families") {
  const World some =
      only_when(R"({"address": ["10.20.0.0/24", "10.9.0.5-10.9.0.7", "192.0.2.9", "2001:db8::/32"]})");
  for (const char* inside :
       {"10.20.0.0", "10.20.0.255", "10.9.0.5", "10.9.0.7", "192.0.2.9", "2001:db8:ffff::1"})
    CHECK_MESSAGE(takes(some, "x", inside), inside);
  for (const char* outside : {"10.20.1.0", "10.9.0.4", "10.9.0.8", "192.0.2.8", "2001:db9::", "::a14:1"})
    CHECK_MESSAGE(!takes(some, "x", outside), outside);
}

TEST_CASE("the MAC of the name, of the neighbour, of the lease and of the inventory all count for a vendor "
          "prefix") {
  const World phones = only_when(
      R"({"mac": "64:16:7f", "extractor": "mac"})", fleet,
      R"("extractors": [{"id": "mac", "regex": "^([0-9a-fA-F]{12})\\.cfg$", "captures": ["mac"]}], )");
  CHECK(takes(phones, "64167F001122.cfg"));
  CHECK_FALSE(takes(phones, "64167e001122.cfg"));
  const World any = only_when(R"({"mac": ["64:16:7f", "00:15:65:00:00:01"]})", fleet);
  fw::Question asked = question("000000000000.cfg");
  CHECK_FALSE(takes(any, asked));
  asked.lease = tftpkit::kit::mac_from("64:16:7f:00:00:01");
  CHECK(takes(any, asked));
  asked.neighbour = tftpkit::kit::mac_from("64:16:80:00:00:01");
  CHECK_FALSE_MESSAGE(takes(any, asked), "the neighbour table comes before the lease");
  CHECK_MESSAGE(takes(any, "x", "10.0.0.1"), "the address leads to the line with the MAC");
}

TEST_CASE("fields of the inventory are compared with patterns, and an unknown field fits none") {
  const World nexus = only_when(R"({"model": "N9K-*", "vendor": "cisco", "group": ["dc", "lab"]})", fleet);
  CHECK(takes(nexus, "x", "10.0.0.3"));
  CHECK_FALSE(takes(nexus, "x", "10.0.0.1"));
  CHECK_FALSE(takes(nexus, "x", "10.0.0.99"));
  CHECK_FALSE(takes(only_when(R"({"model": "*"})", fleet), "x", "10.0.0.99"));
}

TEST_CASE("a list of devices names them by MAC, serial or hostname in any case") {
  const World list = only_when(R"({"devices": ["00-15-65-00-00-01", "s2", "LEAF-1"]})", fleet);
  for (const char* peer : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    CHECK_MESSAGE(takes(list, "x", peer), peer);
  CHECK_FALSE(takes(list, "x", "10.0.0.4"));
}

TEST_CASE("the installed version comes from the name before an option before the inventory") {
  const char* more =
      R"("extractors": [{"id": "v", "regex": "^up-(.+)\\.bin$", "captures": ["version"]}], "options": {"current": "version"}, )";
  const World old = only_when(R"({"version": "<12.2"})", fleet, more);
  const World old_in_name = only_when(R"({"extractor": "v", "version": "<12.2"})", fleet, more);
  CHECK(takes(old, "x", "10.0.0.3"));  // 9.3(5)
  CHECK_FALSE(takes(old, "x", "10.0.0.2"));
  fw::Question asked = question("x", "10.0.0.3");
  asked.options = {{"current", "15.1"}};
  CHECK_FALSE(takes(old, asked));
  asked.name = "up-11.0.bin";
  CHECK(takes(old_in_name, asked));
  asked.options = {{"current", "../../etc"}};
  asked.name = "x";
  CHECK_MESSAGE(takes(old, asked), "an option that is no version is passed over");
  CHECK(takes(only_when(R"({"version": "unknown"})", fleet), "x", "10.0.0.2"));
  CHECK_FALSE(takes(only_when(R"({"version": "unknown"})", fleet), "x", "10.0.0.1"));
  CHECK(takes(only_when(R"({"version": [">=9", "<10", "known"]})", fleet), "x", "10.0.0.3"));
}

TEST_CASE("an option of the request can be asked for by name and pattern") {
  const World blocks = only_when(R"({"option": {"blksize": "14*", "tsize": "0"}})");
  fw::Question asked = question("x");
  asked.options = {{"blksize", "1432"}};
  CHECK_FALSE(takes(blocks, asked));
  asked.options.emplace_back("tsize", "0");
  CHECK(takes(blocks, asked));
}

TEST_CASE("a window over midnight belongs to the day on which it begins") {
  const World night =
      only_when(R"({"time": {"days": ["fri"], "from": "22:00", "to": "05:00", "zone": "utc"}})");
  const auto at = [&](const char* moment) {
    fw::Question asked = question("x");
    asked.time = fw::moment_from(moment).value();
    return takes(night, asked);
  };
  CHECK_FALSE(at("2026-11-27T21:59:59Z"));  // Friday
  CHECK(at("2026-11-27T22:00:00Z"));
  CHECK(at("2026-11-28T04:59:00Z"));
  CHECK_FALSE(at("2026-11-28T05:00:00Z"));
  CHECK_FALSE(at("2026-11-28T23:00:00Z"));
  CHECK_FALSE(at("2026-11-27T04:00:00Z"));
}

TEST_CASE("a window has a first and a last moment, and one of several windows is enough") {
  const World windows =
      only_when(R"({"time": [{"not_before": "2026-12-01T00:00:00Z", "not_after": "2026-12-02T00:00:00Z"},
                                               {"from": "12:00", "to": "13:00", "zone": "utc"}]})");
  const auto at = [&](const char* moment) {
    fw::Question asked = question("x");
    asked.time = fw::moment_from(moment).value();
    return takes(windows, asked);
  };
  CHECK(at("2026-12-01T09:00:00Z"));
  CHECK_FALSE(at("2026-11-30T09:00:00Z"));
  CHECK_FALSE(at("2026-12-02T00:00:01Z"));
  CHECK(at("2026-11-30T12:30:00Z"));
}

TEST_CASE("\"unless\" takes out what the rule would have taken") {
  const World most =
      world(R"({"rules": [{"id": "one", "when": {"address": "10.0.0.0/24"}, "unless": {"devices": "S2"},
                              "then": {"file": "yes"}}, {"id": "last", "then": {"decline": true}}]})",
            fleet, {"yes"});
  CHECK(takes(most, "x", "10.0.0.1"));
  CHECK_FALSE(takes(most, "x", "10.0.0.2"));
}

TEST_CASE("the first rule that fits answers, and its file has to exist") {
  const World three = world(R"({"rules": [
      {"id": "a", "when": {"name": "x"}, "then": {"file": "missing", "missing": "next"}},
      {"id": "b", "when": {"name": "x"}, "then": {"file": ["missing/{base}", "there"]}},
      {"id": "c", "when": {"name": "y"}, "then": {"file": "missing"}},
      {"id": "last", "then": {"decline": true}}]})",
                            "mac\n", {"there"});
  CHECK(three.ask("x").rule == "b");
  CHECK(three.ask("x").path == "there");
  CHECK(three.ask("y").kind == Kind::refuse);
  CHECK(three.ask("y").refusal.code == 1);
  CHECK(three.ask("z").kind == Kind::decline);
}

TEST_CASE("a candidate whose value is not known, or that would leave the tree, is passed over") {
  const World hosts = world(R"({"options": {"dir": "where"}, "rules": [{"id": "h",
      "then": {"file": ["net/{hostname}.cfg", "net/{where}/x", "generic.cfg"]}}]})",
                            "ip,hostname\n10.0.0.1,sw-1\n10.0.0.2,../../etc/passwd\n",
                            {"net/sw-1.cfg", "generic.cfg", "net/../../etc/passwd.cfg", "net/../x"});
  CHECK(hosts.ask("x", "10.0.0.1").path == "net/sw-1.cfg");
  CHECK(hosts.ask("x", "10.0.0.2").path == "generic.cfg");
  CHECK(hosts.ask("x", "10.0.0.3").path == "generic.cfg");
  fw::Question asked = question("x", "10.0.0.3");
  asked.options = {{"dir", ".."}};
  CHECK(hosts.decide(asked).path == "generic.cfg");
}

TEST_CASE("a MAC is written as the path asks for") {
  const World forms = world(
      R"({"rules": [{"id": "m", "then": {"file": ["{mac}-{mac:upper}-{mac:dashes}-{mac:colons:upper}"]}}]})",
      fleet,
      {"001565000001-001565000001-00-15-65-00-00-01-00:15:65:00:00:01",
       "0004f2000002-0004F2000002-00-04-f2-00-00-02-00:04:F2:00:00:02"});
  CHECK(forms.ask("x", "10.0.0.2").path == "0004f2000002-0004F2000002-00-04-f2-00-00-02-00:04:F2:00:00:02");
}

TEST_CASE("an identity by name goes before neighbour, lease and address, and the weaker ones must not "
          "contradict it") {
  const World pis = world(
      R"({"extractors": [{"id": "pi", "regex": "^([0-9a-f]{8})/", "captures": ["serial"]}],
      "rules": [{"id": "known", "when": {"known": true}, "then": {"file": "f"}}, {"id": "last", "then": {"decline": true}}]})",
      "serial,mac,ip\n1aa2bb31,dc:a6:32:00:00:01,10.0.0.1\n,dc:a6:32:00:00:02,10.0.0.2\n9b4cd112,,10.0.0.3\n",
      {"f"});
  const auto source = [&](const std::string& name, const char* peer, const char* neighbour,
                          const char* lease) {
    fw::Question asked = question(name, peer);
    if (*neighbour != 0) asked.neighbour = tftpkit::kit::mac_from(neighbour);
    if (*lease != 0) asked.lease = tftpkit::kit::mac_from(lease);
    const fw::Decision decision = pis.decide(asked);
    return std::string(decision.rule == "known" ? "known by " : "unknown, ") +
           std::string(fw::source_text(decision.identity.source));
  };
  CHECK(source("1aa2bb31/x", "10.0.0.3", "dc:a6:32:00:00:02", "") == "known by name");
  CHECK(source("ffffffff/x", "10.0.0.1", "", "") == "unknown, name");
  CHECK_MESSAGE(source("ffffffff/x", "10.0.0.2", "", "") == "known by address", "that line has no serial");
  CHECK(source("x", "10.0.0.1", "dc:a6:32:00:00:02", "") == "known by neighbour");
  CHECK(source("x", "10.0.0.1", "", "dc:a6:32:00:00:02") == "known by lease");
  CHECK_MESSAGE(source("x", "10.0.0.1", "dc:a6:32:00:00:99", "") == "unknown, neighbour",
                "another device has that address now");
  CHECK(source("x", "10.0.0.3", "dc:a6:32:00:00:99", "") == "known by address");
  CHECK(source("x", "192.0.2.1", "", "") == "unknown, address");
}

TEST_CASE("the refusal of a rule reaches the client with its code and message") {
  const World denied = world(
      R"({"rules": [{"id": "deny", "when": {"mac": "80:5e:c0"}, "then": {"refuse": {"code": 2, "message": "not on this site"}}},
                                {"id": "last", "then": {"decline": true}}]})",
      "mac,ip\n80:5e:c0:11:22:33,10.0.0.9\n");
  const fw::Decision decision = denied.ask("805EC0112233.cfg", "10.0.0.9");
  CHECK(decision.kind == Kind::refuse);
  CHECK(decision.refusal.code == 2);
  CHECK(decision.refusal.message == "not on this site");
}

TEST_CASE("a companion belongs to the very image that its device gets") {
  const World images = world(
      R"({"channels": {"nxos": {"stable": "a.bin", "canary": "b.bin", "percent": 50, "salt": "s", "key": "mac"}},
      "rules": [{"id": "i", "when": {"name": "nxos.bin"}, "companions": [".md5", ".sig"], "then": {"channel": "nxos", "file": "images/{image}"}},
                {"id": "last", "then": {"refuse": {"code": 1, "message": "no"}}}]})",
      "mac\n", {"images/a.bin", "images/b.bin", "images/a.bin.md5", "images/b.bin.md5", "images/a.bin.sig"});
  int canaries = 0;
  for (unsigned i = 0; i < 64; ++i) {
    fw::Question asked = question("nxos.bin");
    asked.neighbour = tftpkit::kit::mac_from(fmt::format("52540000{:04x}", i));
    const std::string image = images.decide(asked).path;
    canaries += image == "images/b.bin" ? 1 : 0;
    asked.name = "nxos.bin.md5";
    CHECK(images.decide(asked).path == image + ".md5");
    asked.name = "nxos.bin.sig";
    CHECK(images.decide(asked).path == (image == "images/a.bin" ? "images/a.bin.sig" : ""));
  }
  CHECK(canaries > 16);
  CHECK(canaries < 48);
  CHECK(images.ask("nxos.bin.sha256").rule == "last");
}

TEST_CASE("a device far behind gets the version on the way first") {
  const char* const hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  std::string catalogue;
  for (const char* version : {"12.2", "15.0", "15.2"})
    catalogue += fmt::format(R"({{"model": "c29", "version": "{0}", "file": "i/{0}.bin", "sha256": "{1}"}},)",
                             version, hash);
  catalogue.pop_back();
  const World steps = world(R"({"options": {"current": "version"}, "catalogue": [)" + catalogue + R"(],
      "upgrades": [{"model": "c29*", "below": "14", "via": "15.0"}, {"model": "c29*", "below": "12.2", "via": "12.2"}],
      "rules": [{"id": "up", "then": {"image": {"model": "c29", "version": "15.2"}}}]})",
                            "mac\n", {"i/12.2.bin", "i/15.0.bin", "i/15.2.bin"});
  const auto next = [&](const char* installed) {
    fw::Question asked = question("x");
    if (*installed != 0) asked.options = {{"current", installed}};
    return steps.decide(asked).version;
  };
  CHECK(next("12.1") == "12.2");
  CHECK(next("12.2") == "15.0");
  CHECK(next("13.9") == "15.0");
  CHECK(next("15.0") == "15.2");
  CHECK(next("15.2") == "15.2");
  CHECK_MESSAGE(next("") == "15.2", "nothing is known to be installed");
}

TEST_CASE("what may be sent is on a list, and lands in its directory under its own name") {
  const World logs = world(
      R"({"uploads": [{"id": "logs", "regex": "^[0-9a-f]{12}-(app|boot)\\.log$", "directory": "uploads/polycom", "max_size": "1MiB"}],
                              "rules": [{"id": "last", "then": {"decline": true}}]})");
  const auto taken = fw::decided_upload(*logs.rules, logs.inventory, question("0004f2000002-app.log"));
  CHECK(taken.kind == Kind::store);
  CHECK(taken.path == "uploads/polycom/0004f2000002-app.log");
  CHECK(taken.max_size == 1048576);
  CHECK(fw::decided_upload(*logs.rules, logs.inventory, question("startup-config")).refusal.code == 2);
}

TEST_CASE("the trace tells for every rule before the answer why it did not apply") {
  const World fleet_rules = world(R"({"rules": [{"id": "a", "when": {"name": "*.bin"}, "then": {"file": "f"}},
      {"id": "b", "when": {"model": "T4*"}, "then": {"file": "f"}}, {"id": "c", "when": {"known": true}, "then": {"file": "none", "missing": "next"}},
      {"id": "last", "then": {"decline": true}}]})",
                                  fleet, {"f"});
  fw::Trace trace;
  static_cast<void>(fleet_rules.decide(question("x.cfg", "10.0.0.2"), &trace));
  const fw::Trace expected = {{"a", "name"}, {"b", "model"}, {"c", "nothing that it names exists"}};
  CHECK(trace == expected);
}

TEST_CASE("the side of a rollout is the same for ever, and growing the percentage moves nobody back") {
  // Computed by another implementation: int.from_bytes(sha256(b"salt:key").digest()[:4], "big") % 10000
  CHECK(fw::bucket_of("nxos-2026-11", "FDO21120U8N") == 1271);
  const auto inside = [](double percent, unsigned number) {
    fw::Identity identity;
    identity.mac = tftpkit::kit::mac_from(fmt::format("0015650{:05x}", number));
    return fw::Share{percent, "salt", fw::Key::mac}.holds(identity);
  };
  int count = 0;
  for (unsigned i = 0; i < 5000; ++i) {
    count += inside(10, i) ? 1 : 0;
    if (inside(10, i)) CHECK(inside(30, i));
    if (inside(30, i)) CHECK(inside(30.01, i));
    CHECK_FALSE(inside(0, i));
    CHECK(inside(100, i));
  }
  CHECK(count > 400);
  CHECK(count < 600);
}

TEST_CASE("pin goes before ring, ring before percentage") {
  const fw::Channel channel{"c", "stable.bin", "canary.bin", {100, "s", fw::Key::mac}};
  fw::Device device;
  fw::Identity identity;
  CHECK(fw::release_for(channel, identity).side == "canary");
  identity.device = &device;
  device.ring = fw::Ring::hold;
  CHECK(fw::release_for(channel, identity).release == "stable.bin");
  device.pin = "pinned.bin";
  CHECK(fw::release_for(channel, identity).release == "pinned.bin");
  CHECK(fw::release_for(channel, identity).side == "pin");
}

}  // namespace firmware_test
