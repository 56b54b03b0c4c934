// The rule sets that come with the plugin: what each makes of the names that its devices ask for.
#include "fleet.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace firmware_test {
namespace {

const char* const devices = "mac,serial,ip,vendor,model,hostname,group\n"
                            "00:1e:f7:aa:00:11,,10.20.0.11,cisco,WS-C2960X-48,sw-acc-01,\n"
                            "00:3a:9c:5a:00:01,FDO21120U8N,10.20.0.21,cisco,N9K-C93180YC,leaf-1,\n"
                            "44:4c:a8:00:00:41,JPE12345678,10.20.0.41,arista,DCS-7050SX3,spine-1,\n"
                            "dc:a6:32:00:00:01,1aa2bb31,10.40.0.11,raspberrypi,pi4b,rpi-01,kiosk\n"
                            "d0:39:72:00:00:01,,10.40.1.11,ti,beaglebone,bb-01,boards\n"
                            "4c:76:25:e1:a0:01,,10.60.0.200,dell,s6100,onie-01,onie\n"
                            "00:1d:45:b6:a1:f2,,10.30.0.12,cisco,CP-8841,ph-12,\n";

// What a request comes to: a path, "refused 1", or "next" when the set leaves it to the rules behind it.
struct Case {
  const char* name;
  const char* peer;
  const char* expected;
};

std::filesystem::path sets_folder() {
  const char* folder = std::getenv("FIRMWARE_RULE_SETS");
  REQUIRE_MESSAGE(folder != nullptr, "FIRMWARE_RULE_SETS names the folder plugins/firmware/rules");
  return folder;
}

std::string including(const std::vector<std::string>& files) {
  std::string rules = "{\"rules\": [";
  for (const std::string& file : files)
    rules += "{\"include\": \"" + file + "\"}, ";
  return rules + R"({"id": "last", "then": {"decline": true}}]})";
}

std::string came_to(const fw::Decision& decision) {
  switch (decision.kind) {
  case fw::Decision::Kind::file:
  case fw::Decision::Kind::text: return decision.path;
  case fw::Decision::Kind::decline: return "next";
  case fw::Decision::Kind::refuse:
  case fw::Decision::Kind::store: break;
  }
  return "refused " + std::to_string(decision.refusal.code);
}

void check(const std::string& set, std::set<std::string> files, const std::vector<Case>& cases) {
  const World one = world(including({(sets_folder() / (set + ".json")).string()}), devices, std::move(files));
  for (const Case& expected : cases) {
    CAPTURE(set);
    CAPTURE(expected.name);
    const fw::Decision decision = one.ask(expected.name, expected.peer);
    CAPTURE(decision.why);
    CHECK(came_to(decision) == expected.expected);
  }
}

}  // namespace

TEST_CASE("all rule sets fit together into one file, without two rules of one name") {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(sets_folder()))
    files.push_back(entry.path().string());
  CHECK(files.size() == 13);
  const World all = world(including(files), devices);
  CHECK(all.rules->rules.size() > 30);
  for (const fw::Rule& rule : all.rules->rules)
    CHECK_MESSAGE(rule.place.find(": /rules/") != std::string::npos, rule.id);
}

TEST_CASE("switches and routers find their configuration in the order in which they ask") {
  check("cisco-ios",
        {"network/network-confg", "network/sw-acc-01.cfg", "network/generic.cfg", "network/ztp.py",
         "network/ztp.py.md5"},
        {{"network-confg", "10.20.0.11", "network/network-confg"},
         {"cisconet.cfg", "10.20.0.11", "network/network-confg"},
         {"SW-ACC-01-confg", "192.0.2.1", "network/sw-acc-01.cfg"},
         {"sw-acc-01.cfg", "192.0.2.1", "network/sw-acc-01.cfg"},
         {"other-confg", "192.0.2.1", "next"},
         {"router-confg", "10.20.0.11", "network/sw-acc-01.cfg"},
         {"ciscortr.cfg", "192.0.2.1", "network/generic.cfg"},
         {"ztp.py.md5", "192.0.2.1", "network/ztp.py.md5"}});
  check("cisco-nxos",
        {"network/poap.py", "network/poap.py.md5", "network/conf.FDO21120U8N", "images/nxos.9.3.10.bin",
         "images/nxos.9.3.10.bin.md5"},
        {{"poap.py", "10.20.0.21", "network/poap.py"},
         {"poap_nexus_script.py", "10.20.0.21", "network/poap.py"},
         {"poap.py.md5", "10.20.0.21", "network/poap.py.md5"},
         {"conf.FDO21120U8N", "192.0.2.1", "network/conf.FDO21120U8N"},
         {"conf_FDO21120U8N.cfg", "192.0.2.1", "network/conf.FDO21120U8N"},
         {"conf_003a9c5a0001.cfg", "192.0.2.1", "network/conf.FDO21120U8N"},
         {"nxos.9.3.10.bin", "192.0.2.1", "images/nxos.9.3.10.bin"},
         {"nxos.9.3.10.bin.md5", "192.0.2.1", "images/nxos.9.3.10.bin.md5"}});
  check("juniper", {"network/ex-01.conf", "network/router.conf", "images/junos-arm-32-20.4R3.tgz"},
        {{"ex-01.conf", "192.0.2.1", "network/ex-01.conf"},
         {"ex-01.config", "192.0.2.1", "network/ex-01.conf"},
         {"ex-02.conf", "192.0.2.1", "next"},
         {"network.conf", "192.0.2.1", "refused 1"},
         {"router.conf", "192.0.2.1", "network/router.conf"},
         {"junos-arm-32-20.4R3.tgz", "192.0.2.1", "images/junos-arm-32-20.4R3.tgz"}});
  check("arista", {"network/arista/JPE12345678", "network/arista/bootstrap", "images/EOS-4.28.3M.swi"},
        {{"startup-config", "10.20.0.41", "network/arista/JPE12345678"},
         {"bootstrap", "192.0.2.1", "network/arista/bootstrap"},
         {"EOS-4.28.3M.swi", "192.0.2.1", "images/EOS-4.28.3M.swi"}});
}

TEST_CASE(
    "phones get their own configuration before that of all, and quick misses for what they can do without") {
  check("cisco-phones",
        {"phones/cisco/SEP.cnf.xml.tmpl", "phones/cisco/XMLDefault.cnf.xml",
         "phones/cisco/CP-8841/sip88xx.loads"},
        {{"CTLSEP0011223344AA.tlv", "10.30.0.12", "refused 1"},
         {"ITLFile.tlv", "10.30.0.12", "refused 1"},
         {"SEP001D45B6A1F2.cnf.xml", "10.30.0.12", "phones/cisco/SEP.cnf.xml.tmpl"},
         {"SIP001D45B6A1F2.cnf", "10.30.0.12", "phones/cisco/SEP.cnf.xml.tmpl"},
         {"XmlDefault.cnf.xml", "10.30.0.12", "phones/cisco/XMLDefault.cnf.xml"},
         {"sip88xx.loads", "10.30.0.12", "phones/cisco/CP-8841/sip88xx.loads"},
         {"English_United_States/7960-font.xml", "10.30.0.12", "refused 1"}});
  check("polycom",
        {"phones/polycom/64167f001122.cfg", "phones/polycom/mac.cfg.tmpl", "phones/polycom/000000000000.cfg",
         "phones/polycom/sip.ld"},
        {{"64167F001122.cfg", "192.0.2.1", "phones/polycom/64167f001122.cfg"},
         {"0004f2000001.cfg", "192.0.2.1", "phones/polycom/mac.cfg.tmpl"},
         {"0004f2000001-directory.xml", "192.0.2.1", "refused 1"},
         {"001565000001.cfg", "192.0.2.1", "next"},
         {"000000000000.cfg", "192.0.2.1", "phones/polycom/000000000000.cfg"},
         {"3111-48600-001.sip.ld", "192.0.2.1", "refused 1"},
         {"sip.ld", "192.0.2.1", "phones/polycom/sip.ld"}});
  check("yealink",
        {"phones/yealink/mac.cfg.tmpl", "phones/yealink/y000000000066.cfg",
         "phones/yealink/T46S-66.86.0.5.rom"},
        {{"001565aabbcc.boot", "192.0.2.1", "refused 1"},
         {"y000000000066.cfg", "192.0.2.1", "phones/yealink/y000000000066.cfg"},
         {"001565AABBCC.cfg", "192.0.2.1", "phones/yealink/mac.cfg.tmpl"},
         {"0004f2000001.cfg", "192.0.2.1", "next"},
         {"T46S-66.86.0.5.rom", "192.0.2.1", "phones/yealink/T46S-66.86.0.5.rom"}});
  check("snom", {"phones/snom/snom.htm.tmpl", "phones/snom/snom370.htm"},
        {{"snom370-000413AABBCC.htm", "192.0.2.1", "phones/snom/snom.htm.tmpl"},
         {"snom370.htm", "192.0.2.1", "phones/snom/snom370.htm"},
         {"settings.xml", "192.0.2.1", "refused 1"}});
  check("grandstream",
        {"phones/grandstream/cfg.xml.tmpl", "phones/grandstream/cfg.xml", "phones/grandstream/gxp2170fw.bin"},
        {{"cfg000b820102ab", "192.0.2.1", "refused 1"},
         {"cfg000b820102ab.xml", "192.0.2.1", "phones/grandstream/cfg.xml.tmpl"},
         {"cfggxp2170.xml", "192.0.2.1", "refused 1"},
         {"cfg.xml", "192.0.2.1", "phones/grandstream/cfg.xml"},
         {"gxp2170fw.bin", "192.0.2.1", "phones/grandstream/gxp2170fw.bin"}});
}

TEST_CASE("boards, access points and bare switches get what is theirs, and strangers are sent on") {
  check("raspberry-pi",
        {"rpi/kiosk/start4.elf", "rpi/common/overlays/x.dtbo", "rpi/cmdline.txt.tmpl",
         "rpi/fallback/start4.elf"},
        {{"1aa2bb31/start4.elf", "192.0.2.1", "rpi/kiosk/start4.elf"},
         {"dc-a6-32-00-00-01/start4.elf", "192.0.2.1", "rpi/kiosk/start4.elf"},
         {"1aa2bb31/overlays/x.dtbo", "192.0.2.1", "rpi/common/overlays/x.dtbo"},
         {"1aa2bb31/cmdline.txt", "192.0.2.1", "rpi/cmdline.txt.tmpl"},
         {"9e9e9e9e/start4.elf", "192.0.2.1", "refused 1"},
         {"start4.elf", "192.0.2.1", "rpi/fallback/start4.elf"},
         {"config.txt", "192.0.2.1", "next"}});
  check("u-boot", {"boards/generic/uImage", "boards/beaglebone/MLO", "boards/ti/am62/fitImage"},
        {{"0A28010B.img", "10.40.1.11", "boards/generic/uImage"},
         {"MLO", "10.40.1.11", "boards/beaglebone/MLO"},
         {"MLO", "192.0.2.1", "next"},
         {"ti/am62/fitImage", "192.0.2.1", "boards/ti/am62/fitImage"}});
  check("access-points", {"aps/ap3g2/k9w7.tar", "aps/wr841nv11_tp_recovery.bin"},
        {{"ap3g2-k9w7-tar.default", "10.0.0.1", "aps/ap3g2/k9w7.tar"},
         {"ap1g5-k9w8-tar.default", "10.0.0.1", "refused 1"},
         {"wr841nv11_tp_recovery.bin", "192.168.0.86", "aps/wr841nv11_tp_recovery.bin"}});
  check("onie",
        {"onie/4c7625e1a001/onie-installer-x86_64-dell_s6100-r0", "onie/onie-installer-x86_64-dell_s6100-r0"},
        {{"4C-76-25-E1-A0-01/onie-installer-x86_64-dell_s6100-r0", "192.0.2.1",
          "onie/4c7625e1a001/onie-installer-x86_64-dell_s6100-r0"},
         {"00-11-22-33-44-55/onie-installer-x86_64-dell_s6100-r0", "192.0.2.1", "refused 1"},
         {"0A3C00C8/onie-installer-x86_64-dell_s6100-r0", "10.60.0.200", "refused 1"},
         {"onie-installer-x86_64-dell_s6100-r0", "192.0.2.1", "onie/onie-installer-x86_64-dell_s6100-r0"},
         {"onie-installer", "192.0.2.1", "refused 1"}});
}

}  // namespace firmware_test
