// The descriptor of a plugin that was built by anybody, at any time: described() reads within its struct_size
// and refuses in plain words, and what it accepts survives the way to the process that lists it.
// Input: struct_size in 2 bytes, then the descriptor's numbers, flags for its pointers, and its texts, each
// ended by a NUL.
#include "host/describe.hpp"
#include "host/description.hpp"
#include "input.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;

void some_function() {}

template <class Function>
Function present(bool is) {
  return is ? reinterpret_cast<Function>(some_function) : nullptr;
}

// Memory of exactly the size that the descriptor says it has.
class Descriptor {
 public:
  explicit Descriptor(fuzz::Input& input) {
    const std::uint16_t size = input.word();
    tftpkit_plugin plugin{};
    plugin.struct_size = size % 512 == 511 ? size * 65536U : size % 512;
    plugin.abi_version = static_cast<std::uint32_t>(input.byte()) << 16U | input.byte();
    plugin.abi_minor_needed = input.byte();
    plugin.flags = input.byte();
    plugin.execution = input.byte();
    const auto there = input.byte();
    const auto calls = input.byte();
    const char** texts[] = {&plugin.name,    &plugin.version,  &plugin.summary,
                            &plugin.license, &plugin.homepage, &plugin.settings_schema};
    for (std::size_t i = 0; i < std::size(texts); ++i)
      if ((there >> i & 1U) != 0) *texts[i] = text(input, i);
    plugin.open_read = present<decltype(plugin.open_read)>((calls & 1U) != 0);
    plugin.open_write = present<decltype(plugin.open_write)>((calls & 2U) != 0);
    plugin.write = present<decltype(plugin.write)>((calls & 4U) != 0);
    plugin.create = present<decltype(plugin.create)>((calls & 8U) != 0);
    // Whoever reads it must read its first number, and has to go by that.
    memory_.reset(new std::byte[std::max<std::size_t>(plugin.struct_size % 512, sizeof plugin.struct_size)]);
    std::memcpy(memory_.get(), &plugin,
                std::clamp<std::size_t>(plugin.struct_size % 512, sizeof plugin.struct_size, sizeof plugin));
  }

  [[nodiscard]] const tftpkit_plugin* get() const {
    return reinterpret_cast<const tftpkit_plugin*>(memory_.get());
  }

 private:
  const char* text(fuzz::Input& input, std::size_t i) {
    for (std::uint8_t c = input.byte(); c != 0; c = input.byte())
      texts_[i] += static_cast<char>(c);
    texts_[i].shrink_to_fit();
    return texts_[i].c_str();
  }

  std::string texts_[6];
  std::unique_ptr<std::byte[]> memory_;
};

void check(const host::Description& seen) {
  claim(!seen.name.empty() && seen.name.size() <= 64, "a plugin has a name");
  claim(seen.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos,
        "a name needs no escaping");
  claim(!seen.version.empty(), "a plugin has a version");
  for (const auto* line : {&seen.version, &seen.summary, &seen.license, &seen.homepage})
    claim(fuzz::is_plain_line(*line), "what is shown is one line");
  claim(seen.abi_major == TFTPKIT_ABI_MAJOR && seen.abi_minor_needed <= TFTPKIT_ABI_MINOR,
        "only what this host speaks is taken");
  claim(host::execution_text(seen.execution) != "" && seen.execution <= TFTPKIT_EXEC_INLINE,
        "execution is known");
  claim(seen.reads || seen.writes, "a plugin answers something");
}

void check_on_the_way(const host::Description& seen) {
  host::Finding finding{"plugin.so", host::State::ok};
  finding.description = seen;
  const auto back = host::decoded(host::encoded(finding), "plugin.so");
  claim(back && back->description, "a description arrives");
  claim(back->state == host::State::ok && host::encoded(*back) == host::encoded(finding), "and is the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Descriptor descriptor(input);
  try {
    const auto seen = host::described(descriptor.get(), "plugin");
    check(seen);
    check_on_the_way(seen);
  } catch (const host::Error& error) {
    claim(error.state() == host::State::invalid || error.state() == host::State::incompatible,
          "refused as such");
    claim(*error.what() != 0 && fuzz::is_plain_line(error.what()), "a refusal is one plain line");
  }
  // A process that was to describe a file may have written anything.
  if (const auto found = host::decoded(fuzz::text_of(data, size), "plugin.so"))
    claim(host::text(found->state) != "unknown", "a state is known");
  return 0;
}
