// Which answers of a plugin are in order, and what is taken over from them.
#include "host/source.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>
#include <sys/mman.h>

namespace host = tftpkit::host;

namespace {

tftpkit_source file_source(std::uint64_t bytes, std::uint64_t size, std::uint64_t offset) {
  tftpkit_source source = host::blank_source();
  const int fd = ::memfd_create("test", 0);
  REQUIRE(::ftruncate(fd, static_cast<off_t>(bytes)) == 0);
  tftpkit_answer_fd(&source, fd, size, nullptr);
  source.fd_offset = offset;
  return source;
}

host::Source taken(const tftpkit_source& source) {
  struct stat seen {};
  REQUIRE(host::fault(source, true, seen).empty());
  return host::taken(source, seen);
}

}  // namespace

TEST_CASE("A clean path has parts divided by single slashes and nothing that climbs or hides") {
  for (const char* path :
       {"a", "a/b", "pxelinux.cfg/01-00-11", ".hidden", "...", "a b", "\xc3\xa4", "a/..b"}) {
    CAPTURE(path);
    CHECK(host::clean_path(path));
  }
  for (const char* path : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\nb", "a\x7f",
                           "\xff", "\xc3", "a\xc2\x80z", "\xed\xa0\x80"}) {
    CAPTURE(path);
    CHECK_FALSE(host::clean_path(path));
  }
  CHECK(host::clean_path(std::string(4096, 'a')));
  CHECK_FALSE(host::clean_path(std::string(4097, 'a')));
  CHECK_FALSE(host::clean_path(std::string_view("a\0b", 3)));
}

TEST_CASE("An untouched source is a stream of unknown size, which needs read()") {
  const tftpkit_source source = host::blank_source();
  CHECK(host::fault(source, true).empty());
  CHECK(host::fault(source, false) == "a STREAM, but the plugin has no read()");
  const host::Source got = taken(source);
  CHECK(got.kind == host::Kind::stream);
  CHECK_FALSE(got.size);
}

TEST_CASE("An empty buffer may be NULL") {
  tftpkit_source source = host::blank_source();
  tftpkit_answer_buffer(&source, nullptr, 0, nullptr);
  CHECK(host::fault(source, false).empty());
  CHECK(taken(source).data.empty());
  CHECK(taken(source).size == 0);
}

TEST_CASE(
    "A regular file gives its size where the plugin did not, from the offset on, and is close-on-exec") {
  const tftpkit_source source = file_source(1000, TFTPKIT_SIZE_UNKNOWN, 300);
  const host::Source got = taken(source);
  CHECK(got.regular);
  CHECK(got.size == 700);
  CHECK(got.fd_offset == 300);
  CHECK((::fcntl(got.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("A size and offset must lie within the file, also where their sum would wrap") {
  for (const auto& sizes : {std::pair<std::uint64_t, std::uint64_t>{101, 0},
                            {1, 100},
                            {100, 1},
                            {TFTPKIT_SIZE_UNKNOWN - 1, 2},
                            {TFTPKIT_SIZE_UNKNOWN, 101},
                            {0, TFTPKIT_SIZE_UNKNOWN}}) {
    const auto [size, offset] = sizes;
    CAPTURE(sizes.first);
    CAPTURE(sizes.second);
    const tftpkit_source source = file_source(100, size, offset);
    CHECK_FALSE(host::fault(source, false).empty());
    host::drop_descriptor(source);
    CHECK(::fcntl(source.fd, F_GETFD) < 0);
  }
  const tftpkit_source at_end = file_source(100, 0, 100);
  CHECK(host::fault(at_end, false).empty());
  host::drop_descriptor(at_end);
}

TEST_CASE("A file of /proc that says 0 bytes and has content keeps its size unknown") {
  tftpkit_source source = host::blank_source();
  tftpkit_answer_fd(&source, ::open("/proc/self/status", O_RDONLY | O_CLOEXEC), TFTPKIT_SIZE_UNKNOWN,
                    nullptr);
  CHECK_FALSE(taken(source).size);
}

TEST_CASE("The bytes of a redirect are copied") {
  std::string path = "boot/kernel";
  tftpkit_source source = host::blank_source();
  tftpkit_answer_redirect(&source, path.c_str(), &path);
  const host::Source got = taken(source);
  path.assign("xxxxxxxxxxx");
  CHECK(got.redirect == "boot/kernel");
  CHECK(got.transfer == &path);
}

TEST_CASE("Only the host's own statuses and inventions are no answers") {
  CHECK(host::known_answer(TFTPKIT_OK));
  CHECK(host::known_answer(TFTPKIT_DECLINED));
  CHECK(host::known_answer(TFTPKIT_E_CANCELLED));
  for (const tftpkit_status status :
       {TFTPKIT_PENDING + 0, TFTPKIT_E_STALE + 0, TFTPKIT_E_INVALID + 0, 3, -2, INT32_MIN})
    CHECK_FALSE(host::known_answer(status));
  CHECK_FALSE(host::known_failure(TFTPKIT_DECLINED));
  CHECK_FALSE(host::known_failure(INT64_MIN));
}
