#include "client.hpp"

#include <string_view>

namespace load {

namespace {

constexpr std::uint16_t opcode_rrq = 1, opcode_data = 3, opcode_ack = 4, opcode_error = 5, opcode_oack = 6;

std::uint16_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8U |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

void put(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.push_back(std::byte{0});
}

std::string numbered(const std::string& name, std::uint64_t number) {
  std::string result = name;
  if (const auto at = result.find('%'); at != std::string::npos)
    result.replace(at, 1, std::to_string(number));
  return result;
}

}  // namespace

void Client::begin(std::uint64_t number) {
  request_.assign({std::byte{0}, static_cast<std::byte>(opcode_rrq)});
  put(request_, numbered(options_->name, number));
  put(request_, "octet");
  if (options_->blksize != 512) {
    put(request_, "blksize");
    put(request_, std::to_string(options_->blksize));
  }
  if (options_->windowsize != 1) {
    put(request_, "windowsize");
    put(request_, std::to_string(options_->windowsize));
  }
  next_ = 1;
  in_window_ = 0;
  answered_ = gap_told_ = silent_ = false;
}

std::span<const std::byte> Client::answer() const noexcept {
  if (silent_) return {};
  return answered_ ? std::span<const std::byte>{ack_} : std::span<const std::byte>{request_};
}

Step Client::on_datagram(std::span<const std::byte> datagram) {
  if (datagram.size() < 4) return fail("a datagram of " + std::to_string(datagram.size()) + " bytes");
  const std::uint16_t second = number_at(datagram, 2);
  switch (number_at(datagram, 0)) {
  case opcode_data: return on_data(second, datagram.subspan(4));
  case opcode_oack: return on_oack(datagram.subspan(2));
  case opcode_error: return on_error(second, datagram.subspan(4));
  default: return fail("a packet with opcode " + std::to_string(number_at(datagram, 0)));
  }
}

// RFC 7440: the last block that came in order is acknowledged at the end of a window, and once at a gap.
Step Client::on_data(std::uint16_t wire_block, std::span<const std::byte> payload) {
  if (options_->content.empty()) return fail("DATA where an ERROR was due");
  if (!answered_ && !options_->lockstep_512()) {
    // The end of the transfer before, sent again by a server that waits for its ACK.
    return wire_block == 1 ? fail("DATA before the OACK") : Step::waits;
  }
  answered_ = true;
  if (wire_block != static_cast<std::uint16_t>(next_)) {
    const bool old = static_cast<std::uint16_t>(next_ - 1 - wire_block) < 0x8000U;
    if (options_->copies && wire_block == static_cast<std::uint16_t>(next_ - 1))
      return acknowledge(Step::answers);
    if (gap_told_ || (old && options_->windowsize == 1)) return Step::waits;
    gap_told_ = true;
    return acknowledge(Step::answers);
  }
  const auto offset = static_cast<std::size_t>((next_ - 1) * options_->blksize);
  if (!content_->matches(offset, payload, options_->blksize))
    return fail("wrong bytes in block " + std::to_string(next_));
  ++next_;
  ++in_window_;
  gap_told_ = false;
  if (payload.size() < options_->blksize) return acknowledge(Step::ends);
  return in_window_ >= options_->windowsize ? acknowledge(Step::answers) : Step::waits;
}

// What was asked for must be granted as asked: servers are compared at the same terms.
Step Client::on_oack(std::span<const std::byte> body) {
  if (next_ > 1) return Step::waits;  // a copy
  const std::string_view text{reinterpret_cast<const char*>(body.data()), body.size()};
  const auto granted = [&](std::string_view option, unsigned value) {
    std::string pair{option};
    pair.push_back('\0');
    pair += std::to_string(value);
    pair.push_back('\0');
    return text.find(pair) != std::string_view::npos;
  };
  if (options_->blksize != 512 && !granted("blksize", options_->blksize))
    return fail("blksize was not granted");
  if (options_->windowsize != 1 && !granted("windowsize", options_->windowsize))
    return fail("windowsize was not granted");
  answered_ = true;
  return acknowledge(Step::answers);
}

Step Client::on_error(std::uint16_t code, std::span<const std::byte> body) {
  answered_ = silent_ = true;
  if (options_->content.empty()) return code == 1 ? Step::ends : fail("ERROR " + std::to_string(code));
  const std::string text{reinterpret_cast<const char*>(body.data()), body.size()};
  return fail("ERROR " + std::to_string(code) + " " + text.c_str());
}

Step Client::acknowledge(Step step) {
  const std::uint64_t block = next_ - 1;
  ack_ = {std::byte{0}, static_cast<std::byte>(opcode_ack), static_cast<std::byte>(block >> 8U & 0xffU),
          static_cast<std::byte>(block & 0xffU)};
  in_window_ = 0;
  return step;
}

Step Client::fail(std::string complaint) {
  complaint_ = std::move(complaint);
  return Step::wrong;
}

}  // namespace load
