// Watched files: first load, reload, mistakes, replaced and linked files, directories.
#include "kit/json_file.hpp"
#include "kit/watched.hpp"
#include "support/fake_host.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <thread>

using namespace tftpkit;
namespace fs = std::filesystem;
using test_support::FakeHost;
using test_support::Scratch;

namespace {

struct Numbers {
  int sum = 0;
};

// The sum of all {"n": 1} files at a path.
config::Checked<std::shared_ptr<const Numbers>> sum_of(const fs::path& path) {
  config::Report report(path.string());
  Numbers numbers;
  for (const fs::path& file : kit::json_files(path, report)) {
    config::Report of_file(file.string());
    const auto document = kit::json_of_file(file, of_file);
    if (!document) return of_file.take();
    numbers.sum += document->value("n", 0);
  }
  if (!report.empty()) return report.take();
  return std::make_shared<const Numbers>(numbers);
}

class Sum {
 public:
  explicit Sum(const fs::path& path) : watched_(Host(host.table()), ways(path)) {}
  kit::Watched<Numbers>& operator*() { return watched_; }
  bool becomes(int sum) const {
    for (int i = 0; i < 1000 && watched_.now()->sum != sum; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return watched_.now()->sum == sum;
  }
  FakeHost host{{}};

 private:
  static kit::Watched<Numbers>::Ways ways(const fs::path& path) {
    return {"the sum",
            {path},
            [path] { return sum_of(path); },
            [](const Numbers& numbers) { return std::to_string(numbers.sum); }};
  }
  kit::Watched<Numbers> watched_;
};

}  // namespace

TEST_CASE("a changed file is taken up, one with a mistake is not, and the log says where") {
  const Scratch scratch;
  scratch.file("n.json", R"({"n": 1})");
  Sum sum(scratch.path("n.json"));
  (*sum).load_first();
  (*sum).start();
  CHECK(sum.becomes(1));
  scratch.file("n.json", R"({"n": 25})");
  CHECK(sum.becomes(25));
  scratch.file("n.json", "{\n  \"n\": }");
  CHECK(sum.host.wait_logged("was not taken up"));
  CHECK(sum.host.logged("n.json: line 2, column 8: this is not JSON") == 1);
  CHECK((*sum).now()->sum == 25);
  scratch.replace("n.json", R"({"n": 3})");
  CHECK(sum.becomes(3));
  fs::remove(scratch.path("n.json"));
  CHECK(sum.host.wait_logged("cannot be read: No such file"));
  CHECK((*sum).now()->sum == 3);
  (*sum).stop();
}

TEST_CASE("files that come and go in a directory are noticed") {
  const Scratch scratch;
  scratch.file("d/a.json", R"({"n": 1})");
  scratch.file("d/.hidden.json", "no JSON");
  scratch.file("d/notes.txt", "no JSON");
  Sum sum(scratch.path("d"));
  (*sum).load_first();
  (*sum).start();
  scratch.file("d/b.json", R"({"n": 10})");
  CHECK(sum.becomes(11));
  fs::remove(scratch.path("d/a.json"));
  CHECK(sum.becomes(10));
  scratch.file("e/a.json", R"({"n": 7})");
  fs::rename(scratch.path("d"), scratch.path("old"));
  fs::rename(scratch.path("e"), scratch.path("d"));
  CHECK(sum.becomes(7));
  (*sum).stop();
}

TEST_CASE("a link that is switched to another file is noticed") {
  const Scratch scratch;
  scratch.file("one/n.json", R"({"n": 1})");
  scratch.file("two/n.json", R"({"n": 22})");
  fs::create_symlink("one/n.json", scratch.path("n.json"));
  Sum sum(scratch.path("n.json"));
  (*sum).load_first();
  (*sum).start();
  scratch.file("one/n.json", R"({"n": 5})");
  CHECK(sum.becomes(5));
  fs::create_symlink("two/n.json", scratch.path("new"));
  fs::rename(scratch.path("new"), scratch.path("n.json"));
  CHECK(sum.becomes(22));
}

TEST_CASE("the first load throws with the first mistake, and logs all of them") {
  const Scratch scratch;
  scratch.file("n.json", R"({"n": 1, "n": 2, "m": 1, "m": 1})");
  Sum sum(scratch.path("n.json"));
  std::string what;
  try {
    (*sum).load_first();
  } catch (const Failure& failure) {
    what = failure.what();
  }
  CHECK(what.find("n.json: /n: the key is there twice") != std::string::npos);
  CHECK(what.find("1 more in the log") != std::string::npos);
  CHECK(sum.host.logged("the key is there twice") == 2);
}
