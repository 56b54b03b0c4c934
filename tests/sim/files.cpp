#include "files.hpp"

#include <algorithm>

namespace tftpkit::sim {

namespace {

Way way_of(Random& random, Fault fault) {
  switch (fault) {
  case Fault::fails: return Way::stream;
  case Fault::stalls: return Way::pipe;
  case Fault::shorter:
  case Fault::longer: return random.pick({Way::stream, Way::stream, Way::pipe});
  case Fault::shrinks: return Way::file;
  default: return random.pick({Way::buffer, Way::buffer, Way::stream, Way::stream, Way::file, Way::pipe});
  }
}

Shelf shelf_of(Random& random, Fault fault) {
  if (fault == Fault::hangs) return stuck;
  return random.pick({at_once, at_once, one_by_one, side_by_side, side_by_side, slow});
}

// Around the sizes at which blocks end, more often than chance would have it.
std::size_t any_size(Random& random, std::size_t largest) {
  const std::size_t size = random.below(largest + 1);
  switch (random.below(4)) {
  case 0: return random.below(std::min<std::size_t>(largest, 2000) + 1);
  case 1: return size / 512 * 512 + random.pick({std::size_t{0}, std::size_t{1}, std::size_t{511}});
  default: return size;
  }
}

}  // namespace

std::uint64_t File::announced() const noexcept {
  if (fault == Fault::shorter) return bytes.size() + 1 + bytes.size() / 3;
  if (fault == Fault::longer) return bytes.size() - 1;
  return bytes.size();
}

std::vector<std::byte> content(Random random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) {
    const std::uint64_t value = random.next();
    const bool line_end = (value >> 8U) % 10 == 0;
    byte = static_cast<std::byte>(line_end ? ((value & 1U) != 0 ? '\r' : '\n')
                                           : static_cast<int>(value & 0xffU));
  }
  return bytes;
}

std::size_t netascii_size(const std::vector<std::byte>& bytes) noexcept {
  const auto doubled = std::count_if(bytes.begin(), bytes.end(), [](std::byte byte) {
    return byte == std::byte{'\r'} || byte == std::byte{'\n'};
  });
  return bytes.size() + static_cast<std::size_t>(doubled);
}

File any_file(Random random, std::string path, std::size_t largest, double faulty) {
  File file;
  file.path = std::move(path);
  if (random.chance(faulty))
    file.fault = random.pick({Fault::absent, Fault::forbidden, Fault::never, Fault::hangs, Fault::fails,
                              Fault::shorter, Fault::longer, Fault::stalls, Fault::shrinks, Fault::nonsense});
  file.way = way_of(random, file.fault);
  file.shelf = shelf_of(random, file.fault);
  // A source with a size of its own to lie about needs bytes.
  const std::size_t size = any_size(random, largest);
  file.bytes = content(random.fork(1), file.fault == Fault::none ? size : std::max<std::size_t>(size, 16));
  const bool lies = file.fault == Fault::shorter || file.fault == Fault::longer;
  file.size_known = lies || file.way == Way::buffer || random.chance(0.6);
  file.pending = file.fault == Fault::never || random.chance(0.3);
  file.answered_after = random.between(Duration{}, std::chrono::milliseconds(random.pick({1, 40, 900})));
  if (random.chance(0.4)) file.piece = random.pick({1U, 37U, 512U, 1500U});
  if (file.piece == 1 && file.bytes.size() > 2000) file.piece = 100;
  // The bytes of one file come within seconds, or a server with patience would wait for hours, and rightly.
  if (file.shelf >= slow && file.piece != 0) file.piece = std::max(file.piece, file.bytes.size() / 6);
  return file;
}

}  // namespace tftpkit::sim
