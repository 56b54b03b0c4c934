// File names as loaders send them: which are ours, and whom they mean. Each goes through the host's cleaning.
#include "asked.hpp"
#include "wire/path.hpp"

#include <doctest/doctest.h>

#include <variant>

using namespace tftpkit::pxe;

namespace {

std::optional<Asked> asked(std::string_view wire_name) {
  const auto clean = tftpkit::wire::clean_path(wire_name);
  const auto* path = std::get_if<std::string>(&clean);
  return path == nullptr ? std::nullopt : asked_by(*path);
}

// Form, who, key, directory; the key as a person writes it.
struct Row {
  std::string_view name;
  Form form;
  By by;
  std::string key;
  std::string dir;
};

std::string key_of(const Asked& asked) {
  switch (asked.by) {
  case By::mac: return asked.link_address;
  case By::uuid: return uuid_text(*asked.uuid);
  case By::ip: return tftpkit::kit::network_text(asked.network);
  default: return asked.word;
  }
}

const std::string mac = "52:54:00:ab:cd:01";
const std::string uuid = "12345678-9abc-def0-1122-334455667788";

}  // namespace

TEST_CASE("names of boot configurations are read as the loaders mean them") {
  const Row rows[] = {
      // PXELINUX, syslinux.efi
      {"pxelinux.cfg/01-52-54-00-ab-cd-01", Form::pxelinux, By::mac, mac, ""},
      {"//pxelinux.cfg//01-52-54-00-AB-CD-01", Form::pxelinux, By::mac, mac, ""},
      {"pxelinux.cfg/0A4D003", Form::pxelinux, By::ip, "10.77.0.48/28", ""},
      {"pxelinux.cfg/default", Form::pxelinux, By::nobody, "", ""},
      {"efi64/pxelinux.cfg/0A4D0032", Form::pxelinux, By::ip, "10.77.0.50/32", "efi64"},
      {"efi64/pxelinux.cfg/0", Form::pxelinux, By::ip, "0.0.0.0/4", "efi64"},
      {"/sub/dir/pxelinux.cfg/01-52-54-00-ab-cd-01", Form::pxelinux, By::mac, mac, "sub/dir"},
      {"/sub/dir/pxelinux.cfg/0A4D003", Form::pxelinux, By::ip, "10.77.0.48/28", "sub/dir"},
      {"/sub/dir/pxelinux.cfg/default", Form::pxelinux, By::nobody, "", "sub/dir"},
      {"pxelinux.cfg/c0a8001f", Form::pxelinux, By::ip, "192.168.0.31/32", ""},
      {"pxelinux.cfg/FFFFFFFF", Form::pxelinux, By::ip, "255.255.255.255/32", ""},
      {"pxelinux.cfg/12345678-9ABC-DEF0-1122-334455667788", Form::pxelinux, By::uuid, uuid, ""},
      {"\\boot\\pxelinux.cfg\\default", Form::pxelinux, By::nobody, "", "boot"},
      {"pxelinux.cfg/20-00-02-c9-03-00-0a-fc-31", Form::pxelinux, By::mac, "00:02:c9:03:00:0a:fc:31", ""},
      {"pxelinux.cfg/06-52-54-00-ab-cd-01", Form::pxelinux, By::mac, mac, ""},
      // SLOF, s390
      {"ppc64el/pxelinux.cfg/0A4D0032", Form::pxelinux, By::ip, "10.77.0.50/32", "ppc64el"},
      {"ppc64el/pxelinux.cfg/0", Form::pxelinux, By::ip, "0.0.0.0/4", "ppc64el"},
      {"s390x/pxelinux.cfg/01-52-54-00-ab-cd-01", Form::pxelinux, By::mac, mac, "s390x"},
      {"s390x/pxelinux.cfg/0A4D003", Form::pxelinux, By::ip, "10.77.0.48/28", "s390x"},
      {"s390x/pxelinux.cfg/default", Form::pxelinux, By::nobody, "", "s390x"},
      // U-Boot
      {"pxelinux.cfg/default-riscv", Form::pxelinux, By::nobody, "riscv", ""},
      {"pxelinux.cfg/default-arm-bcm283x", Form::pxelinux, By::nobody, "arm-bcm283x", ""},
      {"pxelinux.cfg/default-arm-mvebu-clearfog", Form::pxelinux, By::nobody, "arm-mvebu-clearfog", ""},
      {"0A4D0032.img", Form::uboot_image, By::ip, "10.77.0.50/32", ""},
      {"boot/extlinux/extlinux.conf", Form::extlinux, By::nobody, "", "boot"},
      // GRUB: its UUID has three fields the other way round; MAAS writes the MAC with colons
      {"/gnet/grub.cfg-01-52-54-00-ab-cd-01", Form::grub, By::mac, mac, "gnet"},
      {"/grub/grub.cfg-52:54:00:ab:cd:01", Form::grub, By::mac, mac, "grub"},
      {"/gnet/grub.cfg-0A4D0032", Form::grub, By::ip, "10.77.0.50/32", "gnet"},
      {"/gnet/grub.cfg-0", Form::grub, By::ip, "0.0.0.0/4", "gnet"},
      {"/grub/grub.cfg", Form::grub, By::nobody, "", "grub"},
      {"/EFI/redhat/grub.cfg", Form::grub, By::nobody, "", "EFI/redhat"},
      {"/grub2/grub.cfg", Form::grub, By::nobody, "", "grub2"},
      {"/gnet/grub.cfg-78563412-bc9a-f0de-1122-334455667788", Form::grub, By::uuid,
       "78563412-bc9a-f0de-1122-334455667788", "gnet"},
      {"grub/grub.cfg-default-x86_64", Form::grub, By::nobody, "x86_64", "grub"},
      // iPXE
      {"boot.ipxe", Form::ipxe, By::nobody, "boot", ""},
      {"menu.ipxe", Form::ipxe, By::nobody, "menu", ""},
      {"ipxe/52-54-00-ab-cd-01.ipxe", Form::ipxe, By::mac, mac, "ipxe"},
      {"mac-525400abcd01.ipxe", Form::ipxe, By::mac, mac, ""},
      {"MAC-525400ABCD01.ipxe", Form::ipxe, By::mac, mac, ""},
      {"ipxe/uuid-12345678-9abc-def0-1122-334455667788.ipxe", Form::ipxe, By::uuid, uuid, "ipxe"},
      {"uuid/12345678-9abc-def0-1122-334455667788.ipxe", Form::ipxe, By::uuid, uuid, "uuid"},
      {"HOSTNAME-web01.ipxe", Form::ipxe, By::hostname, "web01", ""},
      // a kernel image of its own
      {"uki.efi", Form::uki, By::nobody, "", ""},
      {"uki/52-54-00-ab-cd-01.efi", Form::uki, By::mac, mac, "uki"},
      {"uki/web1.efi", Form::uki, By::hostname, "web1", "uki"},
      // Raspberry Pi
      {"1aa2bb31/overlays/overlay_map.dtb", Form::serial_dir, By::serial, "1aa2bb31", ""},
      {"1AA2BB31/start4.elf", Form::serial_dir, By::serial, "1aa2bb31", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto got = asked(row.name);
    REQUIRE(got);
    CHECK((got->form == row.form));
    CHECK((got->by == row.by));
    CHECK(key_of(*got) == row.key);
    CHECK(got->dir == row.dir);
  }
  CHECK(asked("pxelinux.cfg/01-52-54-00-ab-cd-01")->hardware == 1);
  CHECK(asked("pxelinux.cfg/20-00-02-c9-03-00-0a-fc-31")->hardware == 0x20);
  CHECK(asked("1aa2bb31/overlays/overlay_map.dtb")->rest == "overlays/overlay_map.dtb");
}

TEST_CASE("names that only look like those are not ours") {
  for (const std::string_view name : {"pxelinux.cfg/01-52-54-00-ab-cd",
                                      "pxelinux.cfg/0A4D00321",
                                      "pxelinux.cfg/",
                                      "pxelinux.cfg",
                                      "../pxelinux.cfg/default",
                                      "pxelinux.cfg/../../../etc/passwd",
                                      "pxelinux.cfg/01-52-54-00-gg-cd-01",
                                      "/grub/x86_64-efi/command.lst",
                                      "efi/boot/revocations_sbat.efi",
                                      "boot.scr.uimg",
                                      "",
                                      "pxelinux.cfg/defaults",
                                      "pxelinux.cfg/default-",
                                      "pxelinux.cfg/web1",
                                      "pxelinux.cfg/a/default",
                                      "grub/grub.cfg-",
                                      "grub/grub.cfgx",
                                      "grub.cfg.d/x",
                                      "grub/grubenv",
                                      ".ipxe",
                                      "x.ipxe.bak",
                                      "uki/.efi",
                                      "grubx64.efi",
                                      "0A4D003.img",
                                      "0A4D00321.img",
                                      "initrd.img",
                                      "1aa2bb31",
                                      "1aa2bb3/x",
                                      "1aa2bbzz/x",
                                      "pxelinux.cfg/01-52:54:00:ab:cd:01",
                                      "pxelinux.cfg/01-52-54-00-ab-cd-01-02",
                                      "pxelinux.cfg/12345678-9abc-def0-1122-33445566778",
                                      "pxelinux.cfg/12345678_9abc_def0_1122_334455667788"}) {
    CAPTURE(name);
    CHECK_FALSE(asked(name));
  }
}
