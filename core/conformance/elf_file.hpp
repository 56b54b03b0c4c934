// What a shared object says in its dynamic section: symbols, needed libraries, where to look for them. Reads
// the file itself and trusts no offset in it; runs nothing of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tftpkit::conformance {

struct ElfSymbol {
  std::string name;
  bool defined = false;
  bool weak = false;
  bool unique = false;  // STB_GNU_UNIQUE
};

class ElfFile {
 public:
  // Throws std::runtime_error: cannot be read, is no shared object of this machine, is torn.
  explicit ElfFile(const std::filesystem::path& file);

  // Those that the dynamic linker sees, without local ones.
  [[nodiscard]] const std::vector<ElfSymbol>& symbols() const noexcept { return symbols_; }
  [[nodiscard]] const std::vector<std::string>& needed() const noexcept { return needed_; }
  // DT_RUNPATH or DT_RPATH with $ORIGIN replaced, one directory each.
  [[nodiscard]] const std::vector<std::filesystem::path>& search_path() const noexcept {
    return search_path_;
  }

 private:
  template <typename Type>
  [[nodiscard]] Type at(std::uint64_t offset) const;
  [[nodiscard]] std::string text(std::uint64_t table, std::uint64_t table_size, std::uint64_t offset) const;
  void read_sections();
  template <typename Section>
  void read_symbols(const Section& section, const Section& names);
  template <typename Section>
  void read_dynamic(const Section& section, const Section& names);
  void add_search_path(const std::string& path);

  std::filesystem::path file_;
  std::string bytes_;
  std::vector<ElfSymbol> symbols_;
  std::vector<std::string> needed_;
  std::vector<std::filesystem::path> search_path_;
};

}  // namespace tftpkit::conformance
