// A datagram of anybody: on the listening port, and on the port of a transfer.
#include "wire/request.hpp"

#include "input.hpp"
#include "observe/escape.hpp"
#include "wire/packet.hpp"
#include "wire/path.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;

void check(const wire::Reject& reject) {
  const auto packet = wire::encode_error(reject);
  claim(packet.size() <= 512, "an ERROR stays below 512 bytes");
  claim(packet.back() == std::byte{0}, "an ERROR ends with a NUL");
  const auto text = std::get<wire::Error>(wire::parse_packet(packet)).text;
  claim(!text.empty() && fuzz::is_plain_line(text), "the text of an ERROR is one line");
  claim(text.size() + 5 == packet.size(), "the text of an ERROR has no NUL");
}

void check_path(const std::string& filename) {
  const auto cleaned = wire::clean_path(filename);
  if (const auto* reject = std::get_if<wire::Reject>(&cleaned)) return check(*reject);
  const auto& path = std::get<std::string>(cleaned);
  claim(!path.empty() && path.front() != '/' && path.back() != '/', "a clean path is relative and a file's");
  claim(fuzz::is_plain_line(path) && path.find('\\') == std::string::npos, "a clean path is plain text");
  const auto framed = "/" + path + "/";
  for (const char* never : {"//", "/./", "/../"})
    claim(framed.find(never) == std::string::npos, "a clean path has no empty, dot or dot-dot part");
  const auto again = wire::clean_path(path);
  const auto* same = std::get_if<std::string>(&again);
  claim(same != nullptr && *same == path, "a clean path is clean");
}

void check(const wire::Request& request) {
  claim(!request.filename.empty(), "a request has a file name");
  claim(request.filename.find('\0') == std::string::npos, "a file name has no NUL");
  claim(request.options.size() <= wire::max_options, "not more options than are looked at");
  for (auto one = request.options.begin(); one != request.options.end(); ++one) {
    claim(!one->name.empty(), "an option has a name");
    claim(std::none_of(request.options.begin(), one,
                       [&](const auto& before) { return wire::same_name(before.name, one->name); }),
          "no option is there twice");
  }
  const auto again = wire::parse_request(wire::encode_request(request));
  const auto* same = std::get_if<wire::Request>(&again);
  claim(same != nullptr && *same == request, "a request that is encoded and read again is the same");
  const auto shown = observe::escaped(request.filename);
  claim(fuzz::is_plain_line(shown), "an escaped name is plain text");
  check_path(request.filename);
}

void check(wire::NotARequest) {}

bool is_inside(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.empty() || (part.data() >= whole.data() && part.size() <= whole.size() &&
                          static_cast<std::size_t>(part.data() - whole.data()) + part.size() <= whole.size());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto datagram = std::as_bytes(std::span(data, size));
  std::visit([](const auto& found) { check(found); }, wire::parse_request(datagram));
  const auto packet = wire::parse_packet(datagram);
  if (const auto* part = std::get_if<wire::Data>(&packet))
    claim(is_inside(part->payload, datagram), "a payload lies in its datagram");
  if (const auto* error = std::get_if<wire::Error>(&packet)) {
    claim(is_inside(std::as_bytes(std::span(error->text)), datagram), "an error's text lies in its datagram");
    claim(fuzz::is_plain_line(observe::escaped(error->text)), "an escaped error is plain text");
  }
  return 0;
}
