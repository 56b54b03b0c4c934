// Files of a simulated world: what their bytes are, in which way a plugin hands them out, and what goes wrong
// then.
#pragma once

#include "random.hpp"
#include "timeline.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tftpkit::sim {

enum class Way : std::uint8_t { buffer, stream, file, pipe, redirect };

enum class Fault : std::uint8_t {
  none,
  absent,     // NOT_FOUND
  forbidden,  // ACCESS, with an explanation
  never,      // PENDING, and no answer ever
  hangs,      // any call may not return
  fails,      // read fails half way
  shorter,    // ends before the announced size
  longer,     // has more than the announced size
  stalls,     // half way no more bytes come
  shrinks,    // the file is truncated meanwhile
  nonsense,   // an answer against the contract
};

// The instances in the order in which a request is offered to them.
enum Shelf : unsigned { redirecting, at_once, one_by_one, side_by_side, slow, stuck, shelves };

struct File {
  std::string path;
  std::vector<std::byte> bytes;  // what a client ends up with when all is well
  Way way = Way::buffer;
  Fault fault = Fault::none;
  Shelf shelf = at_once;
  bool size_known = true;
  bool pending = false;  // answered by complete(), so much later
  Duration answered_after{};
  std::size_t piece = 0;  // most bytes of one read, 0: as many as asked for
  std::string redirect;   // path of another one

  // Nothing that a client could wait for in vain.
  [[nodiscard]] bool healthy() const noexcept { return fault == Fault::none && shelf < slow; }
  [[nodiscard]] std::uint64_t announced() const noexcept;
  // Where a fault in the middle shows.
  [[nodiscard]] std::size_t middle() const noexcept { return bytes.size() / 2; }
};

// A tenth of the bytes are CR and LF: netascii has work to do.
[[nodiscard]] std::vector<std::byte> content(Random random, std::size_t size);
[[nodiscard]] std::size_t netascii_size(const std::vector<std::byte>& bytes) noexcept;

// Any kind of file; `redirect_to` are paths that a redirect may lead to.
[[nodiscard]] File any_file(Random random, std::string path, std::size_t largest, double faulty);

}  // namespace tftpkit::sim
