// Checks of names and bytes: what is asked for, and what comes.
#include "conformance/checks.hpp"
#include "conformance/process_state.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

namespace tftpkit::conformance {

namespace {

using namespace std::chrono_literals;
using host::Kind;

constexpr std::size_t enough = std::size_t{1} << 20;  // to compare; more is not read
constexpr std::size_t largest = std::size_t{64} << 20;
constexpr std::size_t block = 512;

const auto has_bytes = [](Asked& asked) { return asked.source() && !asked.answers_with(Kind::redirect); };
const auto is_stream = [](Asked& asked) { return asked.answers_with(Kind::stream); };
const auto is_buffer = [](Asked& asked) { return asked.answers_with(Kind::buffer); };

std::string read_at_once(Stage& stage, const std::string& path, std::size_t most, std::size_t piece) {
  Asked asked{stage, path};
  asked.open();
  std::string bytes = asked.content(most, piece);
  asked.close();
  bytes.resize(std::min(bytes.size(), most));  // the last piece may reach further
  return bytes;
}

// "at byte 17", of two contents that differ.
std::string first_difference(const std::string& left, const std::string& right) {
  const auto [at, other] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  return "from byte " + std::to_string(at - left.begin()) + " on";
}

// A stream by blocks against the same stream by pieces of `piece`.
void compare_pieces(const Subject& subject, std::size_t most, std::size_t piece) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "a STREAM", is_stream);
  const std::string expected = read_at_once(*stage, path, most, block);
  if (expected != read_at_once(*stage, path, most, block))
    throw Skips{"\"" + path + "\" has other bytes each time: nothing to compare"};
  const std::string bytes = read_at_once(*stage, path, most, piece);
  if (bytes != expected)
    throw Fails{"other bytes than with a capacity of 512, " + first_difference(expected, bytes),
                "read() with a capacity of " + std::to_string(piece) + " for \"" + path + "\"",
                "the next bytes, each once, at most as many as capacity says"};
}

std::string repeated(const std::string& text, std::size_t size) {
  std::string all;
  while (all.size() < size)
    all += text;
  all.resize(size);
  if (all.back() == '/') all.back() = 'x';
  return all;
}

std::vector<std::string> odd_paths() {
  return {"%s%s%s%n",
          "$(reboot)",
          "a;b|c&d`e`",
          "'\"<>*?[x]{y}~!",
          "...",
          "....",
          " ",
          "a b/ c",
          "CON",
          "C:x",
          "-rf",
          "a\\..\\b",
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
          "\xe2\x80\xaetxt.exe",
          repeated("n", 255),
          repeated("x", 4096),
          repeated("d/", 4096),
          "a/" + repeated("deep/", 1024)};
}

std::string every_byte() {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte)
    bytes.push_back(static_cast<char>(byte));
  return bytes;
}

std::string content_of(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

void unknown_path(const Subject& subject) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  Asked asked{*stage, "tftpkit-check/no-such-name-7f3a"};
  if (asked.open() == TFTPKIT_E_INTERNAL)
    throw Fails{"\"internal error\" for a name that is just not there" +
                    (asked.text().empty() ? "" : ": " + asked.text()),
                "open_read() for \"" + asked.path() + "\"",
                "TFTPKIT_DECLINED, so that the next instance is asked, or TFTPKIT_E_NOT_FOUND"};
  static_cast<void>(asked.content(block));
}

void hostile_paths(const Subject& subject) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  for (const auto& path : odd_paths()) {
    Asked asked{*stage, path};
    asked.open();
    static_cast<void>(asked.content(4096));
  }
  for (const std::string& wire :
       {every_byte(), std::string{"\\..\\..\\boot.ini"}, repeated("/", 2000) + "x"}) {
    Asked asked{*stage, "tftpkit-check/clean", wire};
    asked.open();
    static_cast<void>(asked.content(4096));
  }
  const std::string secret = content_of("/etc/passwd");
  Asked asked{*stage, "tftpkit-check/clean", "/../../../../../../etc/passwd"};
  asked.open();
  if (!secret.empty() && asked.content(secret.size() + 1) == secret)
    throw Fails{"the content of /etc/passwd",
                "open_read() with the wire_path \"/../../../../../../etc/passwd\"",
                "answer by `path`; `wire_path` is what a stranger wrote"};
}

void read_1_byte(const Subject& subject) {
  compare_pieces(subject, 4096, 1);
}

void read_huge(const Subject& subject) {
  compare_pieces(subject, enough, std::size_t{16} << 20);
}

void size_matches_bytes(const Subject& subject) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "a known size of at most 64 MiB", [](Asked& asked) {
    return has_bytes(asked) && asked.source()->size && *asked.source()->size <= largest;
  });
  Asked asked{*stage, path};
  asked.open();
  const std::uint64_t announced = asked.source()->size.value_or(0);
  const std::size_t came = asked.content(largest).size();
  if (came != announced)
    throw Fails{std::to_string(announced) + " bytes announced, " + std::to_string(came) +
                    (came == largest ? " or more" : "") + " came",
                "\"" + path + "\"", "the exact size, or TFTPKIT_SIZE_UNKNOWN"};
}

void buffer_stays_constant(const Subject& subject) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "a BUFFER", is_buffer);
  Asked asked{*stage, path};
  asked.open();
  const std::string at_first = asked.content(largest);
  const auto compare = [&](const char* when) {
    const std::string now = asked.content(largest);
    if (now != at_first)
      throw Fails{"its bytes are others " + std::string{when} + ", " + first_difference(at_first, now),
                  "the BUFFER of \"" + path + "\"", "leave them where and as they are until close()"};
  };
  {
    Asked second{*stage, path};
    second.open();
    compare("after a second request for it");
    second.close();
    compare("after the second request was closed");
  }
  Asked{*stage, "tftpkit-check/another"}.open();
  std::this_thread::sleep_for(50ms);
  compare("50 ms later");
}

namespace {

// Opens, reads `prefix` blocks and closes. False: the stream ended before.
bool closed_after(Stage& stage, const std::string& path, std::size_t prefix) {
  Asked asked{stage, path};
  asked.open();
  if (!asked.answers_with(Kind::stream)) return false;
  std::array<std::byte, block> buffer{};
  for (std::size_t i = 0; i < prefix; ++i)
    if (asked.read(buffer) <= 0) return false;
  asked.close(TFTPKIT_END_CLIENT);
  return true;
}

}  // namespace

void close_after_every_prefix(const Subject& subject) {
  constexpr std::size_t most_prefixes = 32;
  constexpr std::size_t least_rounds = 200;
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library);
  const std::string path = path_answered(*stage, subject, "bytes", has_bytes);
  const auto end = std::chrono::steady_clock::now() + 8s;
  Holdings before;
  std::size_t rounds = 0;
  // The first time through everything is the warm-up.
  for (bool warm = false; rounds < least_rounds && std::chrono::steady_clock::now() < end; warm = true) {
    if (warm && rounds == 0) before = calm_holdings();
    for (std::size_t prefix = 0; prefix < most_prefixes; ++prefix) {
      if (warm) ++rounds;
      if (!closed_after(*stage, path, prefix)) break;
    }
  }
  if (rounds == 0) throw Skips{"one request takes too long to be made many times"};
  const std::string grown = growth(before, settled_holdings(before), rounds);
  if (!grown.empty())
    throw Fails{grown, "open_read() to close() for \"" + path + "\", closed after 0, 1, 2 ... blocks",
                "free in close() all that belongs to the transfer, wherever it stands"};
}

}  // namespace tftpkit::conformance
