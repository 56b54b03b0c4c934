#include "one_shots.hpp"

#include "config/object_reader.hpp"
#include "config/text_file.hpp"
#include "kit/json_file.hpp"
#include "kit/quiet_thread.hpp"
#include "kit/unique_fd.hpp"
#include "kit/watched.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::pxe {
namespace fs = std::filesystem;
namespace {

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void write_all(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("writing " + name);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void flush(const char* path, int flags) {
  const kit::UniqueFd fd(::open(path, flags | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) fail(std::string("making sure of ") + path);
}

// The directory has to take a new file, or the first use would be lost: better known at the start.
void require_writable(const fs::path& file) {
  const fs::path directory = file.parent_path();
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return;
  throw Failure(Status::option, "the state file " + file.string() +
                                    " cannot be written: " + std::generic_category().message(errno) +
                                    "; make its directory, writable for the user that the server runs as");
}

}  // namespace

OneShots::OneShots(Host host, std::optional<fs::path> file) : host_(host), file_(std::move(file)) {
  if (!file_) return;
  require_writable(*file_);
  read();
}

OneShots::~OneShots() {
  stop();
}

void OneShots::read() {
  std::error_code error;
  if (!fs::exists(*file_, error)) return;
  config::Report report(file_->string());
  const auto document = kit::json_of_file(*file_, report);
  if (document) {
    config::ObjectReader top(*document, "", report);
    if (const config::Json* all = top.member("used")) read_used(*all, report);
    top.finish();
  }
  if (report.empty()) return;
  const config::Problems problems = report.take();
  kit::log_problems(
      host_, "the state file cannot be read; remove it to forget which one-shot boots were used", problems);
  kit::fail_with("the state file", problems);
}

void OneShots::read_used(const config::Json& all, config::Report& report) {
  if (!all.is_object()) return report.add("/used", {"expected an object, not " + config::shown(all), ""});
  for (const auto& [machine, value] : all.items()) {
    config::ObjectReader reader(value, config::below("/used", machine), report);
    Used used;
    reader.text("profile", used.profile);
    reader.text("id", used.id);
    reader.text("at", used.at);
    used_[machine] = std::move(used);
  }
}

bool OneShots::used(const OneShot& order) const {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(order.machine);
  return found != used_.end() && found->second.profile == order.profile && found->second.id == order.id;
}

void OneShots::use(const OneShot& order) {
  const std::lock_guard lock(mutex_);
  used_[order.machine] = {order.profile, order.id, now_text()};
  unwritten_ = true;
  news_.notify_one();
}

void OneShots::start() {
  if (!file_) return;
  thread_ = kit::quiet_thread([this] { run(); });
}

void OneShots::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    news_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void OneShots::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return unwritten_ || ending_; });
    if (!unwritten_) return;
    unwritten_ = false;
    const auto now = used_;  // a copy: the network threads wait for the lock
    lock.unlock();
    try {
      write(text_of(now));
    } catch (const std::exception& error) {
      host_.log(Level::error, std::string("which one-shot boots were used is not on disk: ") + error.what() +
                                  "; it is kept in memory, and tried again with the next one");
    }
    lock.lock();
  }
}

std::string OneShots::text_of(const std::map<std::string, Used>& all_used) {
  config::Json all = config::Json::object();
  for (const auto& [machine, used] : all_used)
    all[machine] = {{"profile", used.profile}, {"id", used.id}, {"at", used.at}};
  return config::dumped({{"used", all}}, 2) + "\n";
}

// A file under its name is always a whole one: written beside, made sure of, then renamed.
void OneShots::write(const std::string& text) const {
  const std::string name = file_->string(), beside = name + ".new";
  {
    const kit::UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) fail("making " + beside);
    write_all(fd.get(), text, beside);
    if (::fsync(fd.get()) != 0) fail("making sure of " + beside);
  }
  if (std::rename(beside.c_str(), name.c_str()) != 0) fail("renaming " + beside);
  flush(file_->parent_path().c_str(), O_RDONLY | O_DIRECTORY);
}

}  // namespace tftpkit::pxe
