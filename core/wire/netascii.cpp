// Netascii conversion, byte by byte.
#include "wire/netascii.hpp"

namespace tftpkit::wire {
namespace {
constexpr std::byte nul{0};
constexpr std::byte lf{'\n'};
constexpr std::byte cr{'\r'};
}  // namespace

Converted NetasciiEncoder::encode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  Converted done;
  while (done.produced < out.size()) {
    if (pending_) {
      out[done.produced++] = held_;
      pending_ = false;
      continue;
    }
    if (done.consumed == in.size()) break;
    const auto byte = in[done.consumed++];
    pending_ = byte == lf || byte == cr;
    held_ = byte == lf ? lf : nul;
    out[done.produced++] = pending_ ? cr : byte;
  }
  return done;
}

Converted NetasciiDecoder::decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept {
  Converted done;
  while (done.consumed < in.size()) {
    const auto byte = in[done.consumed];
    if (!after_cr_ && byte == cr) {
      after_cr_ = true;
      ++done.consumed;
      continue;
    }
    if (done.produced == out.size()) break;
    const bool ends_pair = after_cr_ && (byte == lf || byte == nul);
    const bool after_lone_cr = after_cr_ && !ends_pair;
    out[done.produced++] = after_cr_ && byte != lf ? cr : byte;
    after_cr_ = false;
    if (!after_lone_cr) ++done.consumed;  // otherwise only the CR was written and the byte comes round again
  }
  return done;
}

std::size_t NetasciiDecoder::finish(std::span<std::byte> out) noexcept {
  if (!after_cr_ || out.empty()) return 0;
  out[0] = cr;
  after_cr_ = false;
  return 1;
}

std::uint64_t netascii_size(std::span<const std::byte> bytes) noexcept {
  std::uint64_t size = bytes.size();
  for (const auto byte : bytes)
    size += byte == lf || byte == cr ? 1U : 0U;
  return size;
}

}  // namespace tftpkit::wire
