#include "conformance/elf_file.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <link.h>
#include <sstream>
#include <stdexcept>

namespace tftpkit::conformance {

namespace {

constexpr unsigned char own_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("the file cannot be read");
  return bytes;
}

[[noreturn]] void torn() {
  throw std::runtime_error("the file is torn: it refers to places beyond its end");
}

// From <elf.h>, whose macros for the two classes differ in name only.
unsigned binding_of(unsigned char info) {
  return info >> 4U;
}

}  // namespace

template <typename Type>
Type ElfFile::at(std::uint64_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Type)) torn();
  Type value;
  std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

std::string ElfFile::text(std::uint64_t table, std::uint64_t table_size, std::uint64_t offset) const {
  if (offset >= table_size || table > bytes_.size() || table_size > bytes_.size() - table) torn();
  const char* begin = bytes_.data() + table + offset;
  return {begin, ::strnlen(begin, table_size - offset)};
}

ElfFile::ElfFile(const std::filesystem::path& file)
    : file_{std::filesystem::absolute(file)}, bytes_{content_of(file)} {
  if (bytes_.size() < sizeof(ElfW(Ehdr)) || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0)
    throw std::runtime_error("the file is no ELF shared object");
  if (static_cast<unsigned char>(bytes_[EI_CLASS]) != own_class)
    throw std::runtime_error("the file is made for another word size than this program");
  if (at<ElfW(Ehdr)>(0).e_type != ET_DYN)
    throw std::runtime_error("the file is no shared object; link it with -shared");
  read_sections();
}

void ElfFile::read_sections() {
  const auto head = at<ElfW(Ehdr)>(0);
  const auto section = [&](std::uint64_t index) {
    if (index >= head.e_shnum) torn();
    return at<ElfW(Shdr)>(head.e_shoff + index * sizeof(ElfW(Shdr)));
  };
  bool found = false;
  for (unsigned i = 0; i < head.e_shnum; ++i) {
    const auto one = section(i);
    if (one.sh_type == SHT_DYNSYM) read_symbols(one, section(one.sh_link));
    if (one.sh_type == SHT_DYNAMIC) read_dynamic(one, section(one.sh_link));
    found = found || one.sh_type == SHT_DYNSYM;
  }
  if (!found)
    throw std::runtime_error("the file has no dynamic symbol table (strip it with strip(1) at most)");
}

template <typename Section>
void ElfFile::read_symbols(const Section& section, const Section& names) {
  for (std::uint64_t at_byte = 0; at_byte + sizeof(ElfW(Sym)) <= section.sh_size;
       at_byte += sizeof(ElfW(Sym))) {
    const auto symbol = at<ElfW(Sym)>(section.sh_offset + at_byte);
    const unsigned binding = binding_of(symbol.st_info);
    if (binding == STB_LOCAL || symbol.st_name == 0) continue;
    const unsigned visibility = symbol.st_other & 3U;
    const bool defined = symbol.st_shndx != SHN_UNDEF;
    if (defined && (visibility == STV_HIDDEN || visibility == STV_INTERNAL)) continue;
    symbols_.push_back({text(names.sh_offset, names.sh_size, symbol.st_name), defined, binding == STB_WEAK,
                        binding == STB_GNU_UNIQUE});
  }
}

template <typename Section>
void ElfFile::read_dynamic(const Section& section, const Section& names) {
  for (std::uint64_t at_byte = 0; at_byte + sizeof(ElfW(Dyn)) <= section.sh_size;
       at_byte += sizeof(ElfW(Dyn))) {
    const auto entry = at<ElfW(Dyn)>(section.sh_offset + at_byte);
    if (entry.d_tag == DT_NULL) return;
    const auto value = [&] { return text(names.sh_offset, names.sh_size, entry.d_un.d_val); };
    if (entry.d_tag == DT_NEEDED) needed_.push_back(value());
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) add_search_path(value());
  }
}

void ElfFile::add_search_path(const std::string& path) {
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, ':');) {
    for (const std::string_view origin : {"${ORIGIN}", "$ORIGIN"})
      if (const auto place = part.find(origin); place != std::string::npos)
        part.replace(place, origin.size(), file_.parent_path().string());
    search_path_.emplace_back(part);
  }
}

}  // namespace tftpkit::conformance
