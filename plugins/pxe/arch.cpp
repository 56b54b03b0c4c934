#include "arch.hpp"

namespace tftpkit::pxe {

const std::vector<std::string>& arch_words() {
  static const std::vector<std::string> words = {"bios",      "uefi",       "uefi-x64",
                                                 "uefi-ia32", "uefi-arm64", "uefi-arm32"};
  return words;
}

std::string arch_of_number(std::uint16_t number) {
  switch (number) {
  case 0: return "bios";
  case 6: return "uefi-ia32";
  case 7:
  case 9: return "uefi-x64";
  case 10: return "uefi-arm32";
  case 11: return "uefi-arm64";
  default: return {};
  }
}

std::string arch_of_options(const Request& request) {
  const auto window = request.option("windowsize");
  const auto block = request.option("blksize");
  const bool edk2 = window == "4" && (block == "1468" || block == "1228") && !request.option("timeout");
  return edk2 ? "uefi" : "";
}

bool is_small_loader(const Request& request) {
  const bool u_boot = request.option("timeout") && !request.option("tsize");
  const bool libnet = request.options().size() == 1 && request.option("blksize") == "1428";
  return u_boot || libnet;
}

bool arch_fits(std::string_view wanted, std::string_view known) {
  return wanted == known || (wanted == "uefi" && known.starts_with("uefi"));
}

}  // namespace tftpkit::pxe
