// What the process of an isolated plugin may say to the server, and the other way: any bytes are a message,
// or none. A message that is read is the one that was written.
#include "isolation/message.hpp"

#include "input.hpp"
#include "isolation/answer.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace tftpkit;
using fuzz::claim;
namespace is = isolation;

template <class Message>
void check(std::span<const std::byte> bytes) {
  const auto message = is::decoded<Message>(bytes);
  if (!message) return;
  const auto again = is::encoded(*message);
  claim(again.size() == bytes.size() && std::ranges::equal(again, bytes),
        "a message is read as it was written");
  for (std::size_t length = 0; length < std::min<std::size_t>(bytes.size(), 64); ++length)
    claim(!is::decoded<Message>(bytes.first(length)), "a torn message is none");
}

template <class... Messages>
void check_all(std::span<const std::byte> bytes) {
  (check<Messages>(bytes), ...);
}

// Maps lose what is there twice, so that it is the second writing that must stay.
void check_settings(std::span<const std::byte> bytes) {
  const auto settings = is::decoded_settings(bytes);
  if (!settings) return;
  const auto once = is::encoded_settings(*settings);
  const auto again = is::decoded_settings(once);
  claim(again && is::encoded_settings(*again) == once, "settings are read as they were written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check_all<is::Start, is::Open, is::More, is::Close, is::GiveUp, is::LogLevel, is::LinkAddress, is::Ping,
            is::Stop, is::Ready, is::Failed, is::Answered, is::Filled, is::Says, is::Fault, is::LinkQuestion,
            is::Pong>(bytes);
  check_settings(bytes);
  return 0;
}
