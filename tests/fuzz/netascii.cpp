// Netascii in both directions, in pieces of any size. Input: one byte for each size, then the text.
#include "wire/netascii.hpp"

#include "input.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace tftpkit;
using fuzz::claim;
using Bytes = std::vector<std::byte>;

struct Pieces {
  std::size_t in = 0;
  std::size_t out = 0;
};

template <class Convert>
Bytes in_pieces(std::span<const std::byte> text, Pieces pieces, Convert convert) {
  Bytes whole;
  Bytes room(pieces.out);
  std::size_t stuck = 0;
  while (stuck < 2) {  // once more, for a byte that waits for room
    const auto done = convert(text.first(std::min(pieces.in, text.size())), std::span(room));
    claim(done.consumed <= std::min(pieces.in, text.size()), "not more is taken than there is");
    claim(done.produced <= room.size(), "not more is written than there is room");
    whole.insert(whole.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(done.produced));
    text = text.subspan(done.consumed);
    stuck = done.consumed == 0 && done.produced == 0 ? stuck + 1 : 0;
  }
  claim(text.empty(), "all of the text is taken");
  return whole;
}

Bytes encoded(std::span<const std::byte> text, Pieces pieces) {
  wire::NetasciiEncoder encoder;
  auto whole = in_pieces(text, pieces, [&](auto in, auto out) { return encoder.encode(in, out); });
  claim(!encoder.pending(), "nothing waits at the end");
  return whole;
}

Bytes decoded(std::span<const std::byte> text, Pieces pieces) {
  wire::NetasciiDecoder decoder;
  auto whole = in_pieces(text, pieces, [&](auto in, auto out) { return decoder.decode(in, out); });
  Bytes last(1);
  last.resize(decoder.finish(last));
  whole.insert(whole.end(), last.begin(), last.end());
  return whole;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const Pieces small{input.byte() % 16 + std::size_t{1}, input.byte() % 16 + std::size_t{1}};
  const auto text = input.rest();
  const Pieces at_once{text.size() + 1, 2 * text.size() + 1};

  const auto sent = encoded(text, small);
  claim(sent == encoded(text, at_once), "pieces make no difference to what is sent");
  claim(sent.size() == wire::netascii_size(text), "the size is what was announced");
  const auto received = decoded(sent, small);
  claim(received.size() == text.size() && std::ranges::equal(received, text),
        "what was sent comes out again");

  // What anybody else may send.
  const auto theirs = decoded(text, small);
  claim(theirs == decoded(text, at_once), "pieces make no difference to what is received");
  claim(theirs.size() <= text.size(), "decoding never makes more");
  return 0;
}
