// What a plugin sees of a request, and how requests are found by number.
#include "host/requests.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

namespace host = tftpkit::host;

namespace {

std::string_view text_of(const tftpkit_str& text) {
  return {text.ptr, text.len};
}

std::shared_ptr<host::HeldRequest> held(std::uint64_t id) {
  host::OpenRequest request;
  request.id = id;
  return std::make_shared<host::HeldRequest>(std::move(request));
}

}  // namespace

TEST_CASE("Every text of a request ends with a NUL that is not counted") {
  host::OpenRequest given;
  given.path = "a/b";
  given.wire_path = "\\a\\b";
  given.options = {{"BlkSize", "1428"}, {"", ""}};
  given.answer_within = std::chrono::hours(24 * 365);
  const host::HeldRequest request(std::move(given));
  const tftpkit_request& seen = request.view();
  CHECK(text_of(seen.path) == "a/b");
  CHECK(seen.path.ptr[seen.path.len] == '\0');
  CHECK(text_of(seen.wire_path) == "\\a\\b");
  REQUIRE(seen.option_count == 2);
  CHECK(text_of(seen.options[0].name) == "blksize");
  CHECK(std::strlen(seen.options[0].value.ptr) == 4);
  CHECK(seen.options[1].name.ptr[0] == '\0');
  CHECK(seen.answer_within_ms == UINT32_MAX);
  CHECK(seen.announced_size == TFTPKIT_SIZE_UNKNOWN);
  CHECK(seen.struct_size == sizeof(tftpkit_request));
}

TEST_CASE("A number is used once until it is forgotten") {
  host::Requests requests;
  CHECK(requests.add(7, {{}, held(7)}));
  CHECK_FALSE(requests.add(7, {{}, held(7)}));
  CHECK(requests.find(7).request->id() == 7);
  CHECK_FALSE(requests.find(7 + 16).request);
  requests.forget(7);
  CHECK_FALSE(requests.find(7).request);
  CHECK(requests.add(7, {{}, held(7)}));
}

TEST_CASE("An orphan is counted until it is buried, once") {
  host::Requests requests;
  requests.add(1, {{}, held(1)});
  CHECK_FALSE(requests.bury(1));
  requests.orphan(1);
  requests.orphan(2);
  CHECK(requests.forgotten() == 1);
  CHECK(requests.find(1).request);
  CHECK(requests.bury(1));
  CHECK_FALSE(requests.bury(1));
  CHECK(requests.forgotten() == 0);
}

TEST_CASE("Many threads may ask at once") {
  host::Requests requests;
  std::vector<std::thread> threads;
  for (std::uint64_t part = 0; part < 4; ++part)
    threads.emplace_back([&requests, part] {
      for (std::uint64_t id = part; id < 4000; id += 4) {
        requests.add(id, {{}, held(id)});
        requests.find(id ^ 1);
        if (id % 3 == 0) requests.orphan(id);
        requests.forget(id);
      }
    });
  for (std::thread& one : threads)
    one.join();
  CHECK(requests.forgotten() == 0);
  CHECK_FALSE(requests.find(0).request);
}
