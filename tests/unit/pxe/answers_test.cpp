// Requests and answers: the worked example of the boot lab, and what each way of knowing a client gives.
#include "fixture.hpp"

#include <doctest/doctest.h>

using namespace pxe_test;

namespace {

struct Example {
  Example() { scratch.file("inventory.json", example); }
  Scratch scratch;
};

bool is_web1(const Reply& reply) {
  return reply.has("debian12/linux") && reply.has("debian12/initrd.gz") && reply.has("console=ttyS0");
}

const Options u_boot = {{"timeout", "5"}, {"blksize", "1468"}};
const Options edk2 = {{"tsize", "0"}, {"blksize", "1468"}, {"windowsize", "4"}};

}  // namespace

TEST_CASE_FIXTURE(Example, "a machine is known by its MAC or UUID, in any case and either byte order") {
  Plugin plugin(scratch);
  for (const char* name : {"pxelinux.cfg/01-52-54-00-ab-cd-01", "pxelinux.cfg/01-52-54-00-AB-CD-01",
                           "pxelinux.cfg/12345678-9ABC-DEF0-1122-334455667788",
                           "pxelinux.cfg/78563412-bc9a-f0de-1122-334455667788"}) {
    CAPTURE(name);
    const Reply reply = plugin.get(name);
    CHECK(is_web1(reply));
    CHECK(reply.content.starts_with("SERIAL 0 115200\n"));
    CHECK(reply.has("KERNEL ::debian12/linux\n"));
  }
  CHECK(is_web1(plugin.get("gnet/grub.cfg-01-52-54-00-ab-cd-01")));
  CHECK(is_web1(plugin.get("gnet/grub.cfg-78563412-bc9a-f0de-1122-334455667788")));
  CHECK(is_web1(plugin.get("ipxe/52-54-00-ab-cd-01.ipxe")));
  CHECK(is_web1(plugin.get("ipxe/uuid-12345678-9abc-def0-1122-334455667788.ipxe")));
  CHECK(is_web1(plugin.get("HOSTNAME-WEB1.ipxe")));
  CHECK(is_web1(plugin.get("web1.ipxe")));
}

TEST_CASE_FIXTURE(Example, "each form has the syntax of its loader") {
  Plugin plugin(scratch);
  const Reply grub = plugin.get("gnet/grub.cfg-01-52-54-00-ab-cd-01");
  CHECK(grub.has(
      "menuentry 'Debian 12' --id debian12 --unrestricted {\n  linux /debian12/linux quiet console=ttyS0\n"
      "  initrd /debian12/initrd.gz\n}\n"));
  CHECK(grub.has("serial --unit=0 --speed=115200\n"));
  const Reply ipxe = plugin.get("ipxe/52-54-00-ab-cd-01.ipxe");
  CHECK(ipxe.content.starts_with("#!ipxe\n"));
  CHECK(ipxe.has("kernel /debian12/linux initrd=initrd0.img quiet console=ttyS0 || goto failed\n"));
  const Reply uboot = plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01", "192.0.2.1", u_boot);
  CHECK(
      uboot.has("\n  kernel /debian12/linux\n  initrd /debian12/initrd.gz\n  append quiet console=ttyS0\n"));
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01", "192.0.2.1", {{"blksize", "1428"}}).content ==
        uboot.content);
  CHECK(plugin.get("pxelinux.cfg/default-arm-bcm283x").has("\ndefault local\n"));
  CHECK(plugin.get("boot/extlinux/extlinux.conf").has("\ndefault local\n"));
  CHECK(plugin.get("pxelinux.cfg/default").has("UI menu.c32\n"));
}

TEST_CASE_FIXTURE(Example, "a specific name that nobody has is declined, with the reason") {
  Plugin plugin(scratch);
  for (const char* name : {"pxelinux.cfg/01-52-54-00-ff-ff-ff", "pxelinux.cfg/0A4D", "pxelinux.cfg/0",
                           "pxelinux.cfg/C0000201", "pxelinux.cfg/20-00-02-c9-03-00-0a-fc-31",
                           "pxelinux.cfg/00000000-0000-0000-0000-000000000000", "nobody.ipxe", "grub/grubenv",
                           "HOSTNAME-nobody.ipxe", "1aa2bb31/start4.elf", "0A4D0032.img", "uki/web1.efi"}) {
    CAPTURE(name);
    const Reply reply = plugin.get(name);
    CHECK(reply.declined());
    CHECK_FALSE(reply.why.empty());
  }
  CHECK(plugin.get("pxelinux.cfg/01-52-54-00-ff-ff-ff").why ==
        "nobody in the inventory has the MAC address 52:54:00:ff:ff:ff");
}

TEST_CASE_FIXTURE(Example, "the address decides: its group, exactly its network, or the default") {
  Plugin plugin(scratch);
  CHECK(plugin.get("pxelinux.cfg/0A4D0810", "10.77.8.16").has("rescue/vmlinuz"));
  CHECK(plugin.get("pxelinux.cfg/0A4D08").has("rescue/vmlinuz"));
  CHECK(plugin.get("pxelinux.cfg/0A4D0").declined());
  CHECK(plugin.get("pxelinux.cfg/default", "10.77.8.16").has("rescue/vmlinuz"));
  CHECK(plugin.get("grub2/grub.cfg", "10.77.8.16").has("rescue/vmlinuz"));
  for (const char* name :
       {"pxelinux.cfg/default", "sub/dir/pxelinux.cfg/default", "grub/grub.cfg", "EFI/redhat/grub.cfg",
        "grub/grub.cfg-default-x86_64", "ipxe/default.ipxe", "menu.ipxe"}) {
    CAPTURE(name);
    const Reply reply = plugin.get(name, "192.0.2.1");
    CHECK(reply.has("# default: menu\n"));
    CHECK(reply.has("Boot from disk"));
    CHECK(reply.has("debian12/linux"));
  }
  CHECK(plugin.get("grub/grub.cfg", "192.0.2.1").has("menuentry 'Rescue system'"));
  CHECK(plugin.get("grub/grub.cfg", "::ffff:10.77.8.16").has("rescue/vmlinuz"));
  CHECK(plugin.get("pxelinux.cfg/default", "").has("What to start"));
}

TEST_CASE_FIXTURE(Example, "boot.ipxe sends iPXE to its MAC, then its UUID, then the default") {
  Plugin plugin(scratch);
  const Reply reply = plugin.get("boot.ipxe");
  CHECK(reply.content.starts_with("#!ipxe\n"));
  const auto mac = reply.content.find("ipxe/${net0/mac:hexhyp}.ipxe"),
             uuid = reply.content.find("ipxe/uuid-${uuid}"), other = reply.content.find("ipxe/default.ipxe");
  CHECK(mac < uuid);
  CHECK(uuid < other);
  CHECK(other != std::string::npos);
}

TEST_CASE_FIXTURE(Example, "who does not say its MAC is known by the neighbour table") {
  Plugin plugin(scratch);
  plugin.host.mac = {0x52, 0x54, 0x00, 0xab, 0xcd, 0x01};
  CHECK(is_web1(plugin.get("grub/grub.cfg", "10.77.0.50")));
  const int questions = plugin.host.mac_questions;
  CHECK(is_web1(plugin.get("pxelinux.cfg/01-52-54-00-ab-cd-01")));
  CHECK(plugin.get("boot/vmlinuz").declined());
  CHECK(plugin.host.mac_questions == questions);  // asked only when it matters
  Plugin other(scratch, {{"/neighbours", "false"}});
  other.host.mac = plugin.host.mac;
  CHECK_FALSE(is_web1(other.get("grub/grub.cfg", "10.77.0.50")));
}

TEST_CASE_FIXTURE(Example, "who does not say its MAC is known by its lease, until that has expired") {
  scratch.file("dnsmasq",
               "4000000000 52:54:00:ab:cd:01 10.77.0.50 * *\n1000 52:54:00:ab:cd:01 10.77.0.51 * *\n");
  scratch.file("kea",
               "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n");
  scratch.file("kea.2",
               "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
               "10.77.0.53,52:54:00:ab:cd:01,,3600,4000000000,1,0,0,,0\n");
  Plugin plugin(scratch, {{"/leases/0/file", scratch.path("dnsmasq").string()},
                          {"/leases/1/file", scratch.path("kea").string()},
                          {"/leases/1/format", "kea"},
                          {"/leases/2/file", scratch.path("missing").string()}});
  CHECK(plugin.host.logged("missing does not exist yet") == 1);
  CHECK(is_web1(plugin.get("grub/grub.cfg", "10.77.0.50")));
  CHECK(is_web1(plugin.get("pxelinux.cfg/0A4D0032")));
  CHECK(is_web1(plugin.get("pxelinux.cfg/default", "10.77.0.53")));
  CHECK_FALSE(is_web1(plugin.get("grub/grub.cfg", "10.77.0.51")));
}

TEST_CASE(
    "machines by address, network and serial number; groups by MAC prefix and tag; the narrowest wins") {
  const Scratch scratch;
  scratch.file("inventory.json", R"({
    "default": {"profile": "a", "args": "wide", "values": {"x": "default", "y": "y"}},
    "profiles": {"a": {"kernel": "a", "args": "own x={{values.x}} y={{values.y}} {{group}}"}, "b": {"kernel": "b"},
                 "pi": {"files": "rpi/{{values.x}}", "image": "uboot/{{mac_plain}}.img"},
                 "u": {"chain": "uki/{{name}}-signed.efi"}},
    "groups": {"wide": {"networks": "10.0.0.0/8", "values": {"x": "wide"}},
               "narrow": {"networks": ["10.1.0.0/16"], "profile": "b"},
               "vendor": {"macs": "00:11:22", "profile": "b"},
               "tagged": {"with_tags": ["gpu"], "args": "gpu", "values": {"x": "tagged"}}},
    "machines": {"one": {"ip": ["10.2.0.1", "2001:db8::1"]}, "net": {"network": "10.3.0.0/16", "profile": "b"},
                 "tag": {"mac": "00-11-22-00-00-01", "tags": "gpu", "profile": "a"},
                 "pi": {"serial": "1AA2BB31", "ip": "10.2.0.7", "profile": "pi", "mac": "b8:27:eb:00:00:01"},
                 "uki": {"mac": "52:54:00:00:00:05", "profile": "u"}}})");
  Plugin plugin(scratch);
  CHECK(plugin.get("pxelinux.cfg/0A020001").has("APPEND own x=wide y=y wide wide\n"));
  CHECK(plugin.get("pxelinux.cfg/default", "2001:db8::1").has("# one: a\n"));
  CHECK(plugin.get("pxelinux.cfg/0A030405").has("# net: b\n"));
  CHECK(plugin.get("pxelinux.cfg/default", "10.1.9.9").has("# group narrow: b\n"));
  CHECK(plugin.get("pxelinux.cfg/01-00-11-22-33-44-55").has("# group vendor: b\n"));
  CHECK(plugin.get("pxelinux.cfg/01-00-11-22-00-00-01").has("x=tagged"));
  CHECK(plugin.get("pxelinux.cfg/01-00-11-22-00-00-01").has(" wide gpu\n"));
  CHECK(plugin.get("1aa2bb31/overlays/x.dtb").redirect == "rpi/wide/overlays/x.dtb");
  CHECK(plugin.get("0A020007.img").redirect == "uboot/b827eb000001.img");
  CHECK(plugin.get("uki/52-54-00-00-00-05.efi").redirect == "uki/uki-signed.efi");
  CHECK(plugin.get("uki/uki.efi", "10.9.9.9").declined());  // its name is a word for the sender
  CHECK(plugin.get("ipxe/52-54-00-00-00-05.ipxe").has("chain /uki/uki-signed.efi || goto failed\n"));
  CHECK(plugin.get("grub/grub.cfg-01-52-54-00-00-00-05").has("  chainloader /uki/uki-signed.efi\n"));
}

TEST_CASE("the first file of a boot goes by the architecture, as far as it is known") {
  const Scratch scratch;
  scratch.file("inventory.json", R"({
    "loaders": [{"ask": "netboot", "clients": "10.0.9.0/24", "to": "special"},
                {"ask": ["netboot", "boot/*"], "arch": "bios", "to": "bios/pxelinux.0"},
                {"ask": "netboot", "arch": ["uefi-arm64"], "to": "arm64/grubaa64.efi"},
                {"ask": "netboot", "arch": "uefi", "to": "/x64/shimx64.efi"}],
    "default": "l", "profiles": {"l": {"local": true}},
    "machines": {"arm": {"ip": "10.0.0.3", "arch": "uefi-arm64"}}})");
  scratch.file("isc", R"(lease 10.0.0.1 { hardware ethernet 52:54:00:00:00:01;
      set vendor-class-identifier = "PXEClient:Arch:00000:UNDI:002001"; }
    lease 10.0.0.2 { hardware ethernet 52:54:00:00:00:02;
      set vendor-class-identifier = "PXEClient:Arch:00007:UNDI:003016"; })");
  Plugin plugin(scratch, {{"/leases/0/file", scratch.path("isc").string()}, {"/leases/0/format", "isc"}});
  CHECK(plugin.get("netboot", "10.0.9.1").redirect == "special");
  CHECK(plugin.get("netboot", "10.0.0.1").redirect == "bios/pxelinux.0");
  CHECK(plugin.get("boot/x", "10.0.0.1").redirect == "bios/pxelinux.0");
  CHECK(plugin.get("netboot", "10.0.0.2").redirect == "x64/shimx64.efi");
  CHECK(plugin.get("netboot", "10.0.0.3").redirect == "arm64/grubaa64.efi");
  CHECK(plugin.get("netboot", "10.0.0.4", edk2).redirect == "x64/shimx64.efi");
  CHECK(plugin.get("netboot", "10.0.0.4").declined());
}

TEST_CASE("the look goes from the default over groups to the machine") {
  const Scratch scratch;
  scratch.file("inventory.json", R"JSON({
    "default": {"profile": "m", "look": {"title": "All", "timeout": "20s", "ui": "vesamenu.c32", "password":
      {"syslinux": "$6$salt$hash", "grub": "grub.pbkdf2.sha512.10000.AB.CD"}}},
    "profiles": {"m": {"menu": ["a", "b"], "default": "b"}, "a": {"kernel": "a"}, "b": {"local": true}},
    "groups": {"g": {"networks": "10.0.0.0/24", "look": {"title": "Rack", "serial": "ttyS1,57600n8"}}},
    "machines": {"x": {"ip": "10.0.0.1", "look": {"default": "a", "timeout": "0ms"}}}})JSON");
  Plugin plugin(scratch);
  const Reply far = plugin.get("pxelinux.cfg/default", "10.9.0.1");
  CHECK(far.has("DEFAULT b\nUI vesamenu.c32\nPROMPT 0\nTIMEOUT 200\nMENU TITLE All\nMENU MASTER PASSWD "
                "$6$salt$hash\n"));
  const Reply near = plugin.get("pxelinux.cfg/default", "10.0.0.1");
  CHECK(near.content.starts_with("SERIAL 1 57600\n# x: m\nDEFAULT a\n"));
  CHECK(near.has("TIMEOUT 1\nMENU TITLE Rack\n"));
  CHECK(near.has("APPEND console=ttyS1,57600n8\n"));
  const Reply grub = plugin.get("grub/grub.cfg", "10.0.0.1");
  CHECK(grub.has("password_pbkdf2 admin grub.pbkdf2.sha512.10000.AB.CD\n"));
  CHECK(grub.has("set timeout=0\nset default=a\n"));
}

TEST_CASE_FIXTURE(Example, "directories and syntax can be narrowed") {
  Plugin plugin(scratch, {{"/directories/0", ""}, {"/directories/1", "grub"}, {"/syntax", "extlinux"}});
  CHECK(plugin.get("pxelinux.cfg/default").has("\ndefault local\n"));
  CHECK(plugin.get("sub/pxelinux.cfg/default").declined());
  CHECK(plugin.get("grub/grub.cfg").status == TFTPKIT_OK);
  CHECK(plugin.get("debian-installer/amd64/grub/grub.cfg").declined());
  CHECK(plugin.get("ipxe/52-54-00-ab-cd-01.ipxe").status == TFTPKIT_OK);
}

TEST_CASE("without a default a client that nobody knows is declined") {
  const Scratch scratch;
  scratch.file("inventory.json", "{}");
  Plugin plugin(scratch);
  CHECK(plugin.get("pxelinux.cfg/default").declined());
  CHECK(plugin.get("pxelinux.cfg/default").why ==
        "the inventory has no profile for this client, and no default");
}

TEST_CASE("a template that makes nothing is an error, never an empty file") {
  const Scratch scratch;
  scratch.file("inventory.json", R"({"default": "l", "profiles": {"l": {"local": true}}})");
  scratch.file("t/grub.mustache", "{{#kernel}}x{{/kernel}}\n");
  Plugin plugin(scratch, {{"/templates", scratch.path("t").string()}});
  CHECK(plugin.get("grub/grub.cfg").status == TFTPKIT_E_NOT_FOUND);
}
