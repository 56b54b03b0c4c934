// The built-in templates. The values that they name are told in README.md.
#pragma once

#include <string_view>

namespace tftpkit::pxe {

// A section that may be left out begins and ends within its lines, so that none of it stays behind.

// PXELINUX and syslinux.efi. SERIAL has to be the first line.
inline constexpr std::string_view built_in_syslinux =
    R"({{#serial}}SERIAL {{unit}} {{speed}}
{{/serial}}# {{note}}
DEFAULT {{default}}
{{#several}}UI {{ui}}
{{/several}}PROMPT 0
TIMEOUT {{timeout_tenths}}
MENU TITLE {{title}}
{{#password}}MENU MASTER PASSWD {{password}}
{{/password}}{{#entries}}
LABEL {{label}}
  MENU LABEL {{title}}
{{#chosen}}  MENU DEFAULT
{{/chosen}}{{#kernel}}  KERNEL {{kernel}}
{{#initrds}}  INITRD {{initrds}}
{{/initrds}}{{#args}}  APPEND {{args}}
{{/args}}{{/kernel}}{{#chain}}  KERNEL {{chain}}
{{/chain}}{{#local}}  LOCALBOOT 0
{{/local}}{{/entries}})";

// U-Boot, and the part of it that SLOF and s390 firmware know.
inline constexpr std::string_view built_in_extlinux =
    R"(# {{note}}
menu title {{title}}
prompt {{#several}}1{{/several}}{{^several}}0{{/several}}
timeout {{timeout_tenths}}
default {{default}}
{{#entries}}
label {{label}}
  menu label {{title}}
{{#kernel}}  kernel {{kernel}}
{{#initrds}}  initrd {{initrds}}
{{/initrds}}{{#fdtdir}}  fdtdir {{fdtdir}}
{{/fdtdir}}{{#args}}  append {{args}}
{{/args}}{{/kernel}}{{#chain}}  kernel {{chain}}
{{/chain}}{{#local}}  localboot 1
{{/local}}{{/entries}})";

inline constexpr std::string_view built_in_grub =
    R"(# {{note}}
{{#serial}}serial --unit={{unit}} --speed={{speed}}
terminal_input console serial
terminal_output console serial
{{/serial}}set timeout={{timeout}}
set default={{default}}
{{#password}}set superusers=admin
password_pbkdf2 admin {{password}}
{{/password}}{{#entries}}
menuentry {{title}} --id {{label}} --unrestricted {
{{#kernel}}  linux {{kernel}} {{args}}
{{#initrds}}  initrd {{initrds}}
{{/initrds}}{{/kernel}}{{#chain}}  chainloader {{chain}}
{{/chain}}{{#local}}  if [ "$grub_platform" = efi ]; then
    exit 1
  fi
  set root=(hd0)
  chainloader +1
{{/local}}}
{{/entries}})";

inline constexpr std::string_view built_in_ipxe =
    R"(#!ipxe
# {{note}}
{{#several}}menu {{title}}
{{#entries}}item {{label}} {{title}}
{{/entries}}choose --default {{default}} --timeout {{timeout_ms}} chosen || goto entry_{{default}}
goto entry_${chosen}
{{/several}}{{#entries}}
:entry_{{label}}
{{#kernel}}imgfree
kernel {{kernel}} {{args}} || goto failed
{{#initrd}}initrd --name {{initrd_name}} {{initrd_file}} || goto failed
{{/initrd}}boot || goto failed
{{/kernel}}{{#chain}}chain {{chain}} || goto failed
{{/chain}}{{#local}}iseq ${platform} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || goto failed
{{/local}}{{/entries}}
:failed
echo This machine could not be started as its inventory says.
sleep 10
exit 1
)";

// What is missing is answered at once, so that the next is asked.
inline constexpr std::string_view built_in_ipxe_boot = R"(#!ipxe
chain --replace ipxe/${mac:hexhyp}.ipxe ||
chain --replace ipxe/${net0/mac:hexhyp}.ipxe ||
chain --replace ipxe/uuid-${uuid}.ipxe ||
chain --replace ipxe/default.ipxe ||
echo Nobody has a script for this machine.
sleep 10
exit 1
)";

}  // namespace tftpkit::pxe
