// What a file name asks for: which boot loader's configuration, and for whom. Text in, a value out; whether
// anybody is known by that key is the inventory's business.
#pragma once

#include "kit/ip.hpp"
#include "kit/mac.hpp"
#include "uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::pxe {

// The loader that asks, as far as the name tells.
enum class Form {
  pxelinux,     // <dir>/pxelinux.cfg/...: PXELINUX, syslinux.efi, U-Boot, SLOF, s390
  extlinux,     // <dir>/extlinux/extlinux.conf: U-Boot
  grub,         // <dir>/grub.cfg...
  ipxe,         // <dir>/....ipxe
  uki,          // <dir>/uki.efi, <dir>/uki/....efi: a kernel image for this machine
  uboot_image,  // 0A4D0032.img: U-Boot that was told no name
  serial_dir,   // <serial>/...: Raspberry Pi
};

enum class By { mac, uuid, ip, hostname, serial, nobody };

struct Asked {
  Form form{};
  By by = By::nobody;
  std::string dir;           // what stands before; empty at the top
  std::string word;          // nobody: what the name says instead ("boot", "arm-bcm283x"); hostname, serial
  unsigned hardware = 0;     // mac: the ARP type, 1 for Ethernet, 0 when the name has none
  std::string link_address;  // mac: as text with colons, of any length
  std::optional<kit::Mac> mac;
  std::optional<Uuid> uuid;
  kit::Network network;  // ip: one address, or a prefix
  std::string rest;      // serial_dir: behind the directory
};

// `path` is a clean path. nullopt: no name of ours.
[[nodiscard]] std::optional<Asked> asked_by(std::string_view path);

}  // namespace tftpkit::pxe
