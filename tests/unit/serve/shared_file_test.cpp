// Files that transfers share: bytes in chunks, who may share, and what becomes of it when a file changes.
#include "loop/loop.hpp"
#include "serve/shared_body.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

using namespace tftpkit;
using serve::SharedBody;
using serve::SharedFile;
using serve::SharedFiles;

namespace {

constexpr std::size_t chunk = SharedFiles::chunk_bytes;

std::string letters(std::size_t count) {
  std::string text(count, ' ');
  for (std::size_t at = 0; at < count; ++at)
    text[at] = static_cast<char>('a' + (at * 7 + at / 26 + at / chunk) % 26);
  return text;
}

// A loop, threads for its disk, and a directory of files that have been there for long.
struct House {
  loop::Loop loop;
  loop::Executor executor{2};
  SharedFiles files{loop, executor.lane("disk", 2)};
  test_support::Scratch scratch;

  ~House() { (void)executor.shutdown(std::chrono::seconds{5}); }

  std::string file(const std::string& name, std::size_t size) const {
    std::string text = letters(size);
    scratch.file(name, text);
    const timespec long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
    REQUIRE(::utimensat(AT_FDCWD, scratch.path(name).c_str(), long_ago, 0) == 0);
    return text;
  }

  // As the host takes it over from a plugin; the kernel's own time of change cannot be set.
  host::Source open(const std::string& name) const {
    host::Source source;
    source.kind = host::Kind::fd;
    source.fd.reset(::open(scratch.path(name).c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::fstat(source.fd.get(), &source.file) == 0);
    source.file.st_ctim.tv_sec = source.file.st_mtim.tv_sec;
    source.regular = true;
    source.size = static_cast<std::uint64_t>(source.file.st_size);
    return source;
  }

  std::unique_ptr<SharedBody> body(const std::string& name, std::size_t window = 1000) {
    host::Source source = open(name);
    auto file = files.join(source, window);
    if (!file) return nullptr;
    return std::make_unique<SharedBody>(std::move(file), 0, *source.size, window, [this] { loop.stop(); });
  }

  SharedBody body_of(std::shared_ptr<SharedFile> file, std::uint64_t offset, std::uint64_t size,
                     std::size_t window) {
    return {std::move(file), offset, size, window, [this] { loop.stop(); }};
  }
};

// Reads as a transfer would, in windows.
std::string all_of(House& house, SharedBody& body, std::size_t window) {
  std::string text;
  while (true) {
    const std::uint64_t until = std::min<std::uint64_t>(text.size() + window, *body.size());
    body.want(text.size(), until);
    while (body.ready() < until && body.failure() == nullptr) {
      house.loop.run();  // until what is being fetched has come
      body.want(text.size(), until);
    }
    if (body.failure() != nullptr) return "failure: " + *body.failure();
    while (text.size() < until) {
      const auto block = static_cast<std::size_t>(std::min<std::uint64_t>(until - text.size(), 1428));
      for (const auto& part : body.view(text.size(), block))
        std::transform(part.begin(), part.end(), std::back_inserter(text),
                       [](std::byte byte) { return static_cast<char>(byte); });
    }
    if (body.ended() && text.size() == *body.size()) return text;
  }
}

}  // namespace

TEST_CASE("a shared body gives the file's bytes, whatever the window, across chunks and at their edges") {
  House house;
  for (const std::size_t size : {std::size_t{1}, chunk - 1, chunk, chunk + 1, 3 * chunk + 77}) {
    const std::string text = house.file("file", size);
    for (const std::size_t window : {std::size_t{512}, std::size_t{65464}, 2 * chunk + 5}) {
      CAPTURE(size);
      CAPTURE(window);
      const auto body = house.body("file", window);
      REQUIRE(body);
      const bool same = all_of(house, *body, window) == text;  // too long to be shown
      CHECK(same);
    }
  }
}

TEST_CASE("a part of a file begins and ends where it was said to") {
  House house;
  const std::string text = house.file("file", 3 * chunk);
  host::Source source = house.open("file");
  SharedBody body = house.body_of(house.files.join(source, 5000), chunk - 10, chunk + 30, 5000);
  const bool same = all_of(house, body, 5000) == text.substr(chunk - 10, chunk + 30);
  CHECK(same);
}

TEST_CASE("transfers of the same file read each piece once, and who comes later shares what is there") {
  House house;
  const std::string text = house.file("file", chunk / 2);
  host::Source first = house.open("file");
  const auto file = house.files.join(first, 1000);
  SharedBody one = house.body_of(file, 0, text.size(), 1000);
  REQUIRE((all_of(house, one, 1000) == text));
  one.want(100, 1000);  // and holds it
  const auto reads = file->reads();
  host::Source second = house.open("file");
  CHECK(house.files.join(second, 1000) == file);
  CHECK_FALSE(second.fd);
  SharedBody other = house.body_of(file, 0, text.size(), 1000);
  REQUIRE((all_of(house, other, 1000) == text));
  CHECK(file->reads() == reads);
}

TEST_CASE("a file that is written to is not ended, and who opens it then gets the new one") {
  House house;
  const std::string text = house.file("file", 2 * chunk);
  const auto body = house.body("file");
  body->want(0, 1000);
  if (body->ready() == 0) house.loop.run();
  std::ofstream{house.scratch.path("file"), std::ios::in} << "written to";
  CHECK(all_of(house, *body, 1000) == "failure: the file was changed while it was being sent");
  house.file("file", 3000);
  const auto next = house.body("file");
  REQUIRE(next);
  CHECK(all_of(house, *next, 1000) == letters(3000));
}

TEST_CASE("a file that became shorter fails, and is opened anew by whoever comes next") {
  House house;
  house.file("file", 4 * chunk);
  const auto body = house.body("file");
  body->want(0, 1000);
  std::filesystem::resize_file(house.scratch.path("file"), chunk + 100);
  CHECK(all_of(house, *body, 1000).starts_with("failure: the file "));
  host::Source again = house.open("file");
  again.file.st_ctim.tv_sec = again.file.st_mtim.tv_sec = 1'000'000;
  CHECK(house.files.join(again, 1000));
}

TEST_CASE("a file that was written to just now is not shared: its time does not tell what is in it") {
  House house;
  house.scratch.file("file", letters(100));
  CHECK_FALSE(house.body("file"));
  host::Source source = house.open("file");
  CHECK_FALSE(house.files.join(source, 1000));
  CHECK(source.fd);
}

TEST_CASE("what transfers may hold together is bounded, however many files and windows") {
  House house;
  house.file("file", 64 * chunk);
  for (int copy = 0; copy < 40; ++copy)
    house.file("file" + std::to_string(copy), 64 * chunk);
  std::vector<std::unique_ptr<SharedBody>> bodies;
  for (int copy = 0; copy < 40; ++copy)
    if (auto body = house.body("file" + std::to_string(copy), 10 * chunk)) bodies.push_back(std::move(body));
  CHECK(bodies.size() == SharedFiles::most_chunks / SharedFiles::chunks_for(10 * chunk));
  bodies.clear();
  for (int transfer = 0; transfer < 1000; ++transfer)
    bodies.push_back(house.body("file", chunk));
  CHECK(std::all_of(bodies.begin(), bodies.end(), [](const auto& body) { return body != nullptr; }));
}
