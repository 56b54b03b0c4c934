#include "isolation/shared_memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace tftpkit::isolation;
using tftpkit::host::UniqueFd;

namespace {

UniqueFd memory_file(off_t size, int seals) {
  UniqueFd file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(file.get(), size) == 0);
  REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
  return file;
}

}  // namespace

TEST_CASE("a sealed copy has the bytes, and nobody can change or cut it") {
  const std::vector<std::byte> bytes(10'000, std::byte{7});
  const UniqueFd file = sealed_copy(bytes);
  CHECK(safe_to_map(file, bytes.size(), true));
  CHECK_FALSE(safe_to_map(file, bytes.size() + 1, true));
  CHECK(::ftruncate(file.get(), 10) != 0);
  CHECK(::pwrite(file.get(), "x", 1, 0) != 1);
  const Mapping mapping(file, bytes.size(), Mapping::Access::read);
  CHECK(std::ranges::equal(mapping.bytes(), bytes));
}

TEST_CASE("shared memory is seen by both sides and keeps its size") {
  const UniqueFd file = shared_memory(8192);
  CHECK(safe_to_map(file, 8192, false));
  CHECK_FALSE(safe_to_map(file, 8192, true));
  CHECK(::ftruncate(file.get(), 10) != 0);
  const Mapping writer(file, 8192, Mapping::Access::write);
  const Mapping reader(file, 8192, Mapping::Access::read);
  writer.bytes()[8191] = std::byte{9};
  CHECK(reader.bytes()[8191] == std::byte{9});
}

TEST_CASE("what could be cut under the server's eyes is not mapped") {
  CHECK_FALSE(safe_to_map(memory_file(8192, F_SEAL_GROW), 8192, false));
  CHECK_FALSE(safe_to_map(memory_file(8192, F_SEAL_SHRINK), 8192, true));
  CHECK(safe_to_map(memory_file(8192, F_SEAL_SHRINK), 8192, false));
  CHECK_FALSE(safe_to_map(UniqueFd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), 1, false));
  CHECK_FALSE(safe_to_map(UniqueFd(::open("/dev/zero", O_RDONLY | O_CLOEXEC)), 0, false));
}
