#include "host/instance.hpp"

#include "host/frame.hpp"
#include "host/host_table.hpp"
#include "host/source.hpp"
#include "observe/log.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace tftpkit::host {

namespace {

// The places taken by plugins of which there can be only one instance.
class Singletons {
 public:
  static Singletons& all() {
    static auto* singletons = new Singletons;
    return *singletons;
  }
  bool take(const std::string& plugin) {
    const std::lock_guard lock(mutex_);
    return taken_.insert(plugin).second;
  }
  bool taken(const std::string& plugin) {
    const std::lock_guard lock(mutex_);
    return taken_.contains(plugin);
  }
  void give_back(const std::string& plugin) {
    const std::lock_guard lock(mutex_);
    taken_.erase(plugin);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> taken_;
};

// Every instance that there is, and among them those that wait for their end: stop() waits for the plugin's
// threads, and on one of them it would wait for itself.
class Living {
 public:
  static Living& all() {
    static auto* living = new Living;
    return *living;
  }
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end(std::unique_ptr<Instance> instance) {
    if (Frame::current() != nullptr) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(instance));
      changed_.notify_all();
      return;
    }
    instance.reset();
    const std::lock_guard lock(mutex_);
    --count_;
    changed_.notify_all();
  }
  void end_waiting() {
    std::unique_lock lock(mutex_);
    end_waiting(lock);
  }
  bool end_all(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    std::unique_lock lock(mutex_);
    do
      end_waiting(lock);
    while (count_ != 0 &&
           changed_.wait_until(lock, until, [this] { return count_ == 0 || !waiting_.empty(); }));
    return count_ == 0;
  }

 private:
  void end_waiting(std::unique_lock<std::mutex>& lock) {
    auto ending = std::exchange(waiting_, {});
    lock.unlock();
    const std::size_t ended = ending.size();
    ending.clear();
    lock.lock();
    count_ -= ended;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
  std::vector<std::unique_ptr<Instance>> waiting_;
};

}  // namespace

Instance::Instance(Code code, std::string name, Settings settings, Services services)
    : code_(std::move(code)), name_(std::move(name)), settings_(std::move(settings)),
      services_(std::move(services)), table_(HostTable::made_for(*this)), self_(code_.self) {}

std::shared_ptr<Instance> Instance::create(const std::shared_ptr<Library>& library, std::string name,
                                           Settings settings, Services services) {
  Code code;
  code.description = library->description();
  code.plugin = library->plugin();
  code.owner = library;
  return create(std::move(code), std::move(name), std::move(settings), std::move(services));
}

std::shared_ptr<Instance> Instance::create(Code code, std::string name, Settings settings,
                                           Services services) {
  reap();
  std::unique_ptr<Instance> made(
      new Instance(std::move(code), std::move(name), std::move(settings), std::move(services)));
  Living::all().add();
  std::shared_ptr<Instance> instance(
      made.release(), [](Instance* last) { Living::all().end(std::unique_ptr<Instance>(last)); });
  instance->begin();
  return instance;
}

void Instance::reap() {
  if (Frame::current() == nullptr) Living::all().end_waiting();
}

bool Instance::end_all(std::chrono::milliseconds time) {
  return Living::all().end_all(time);
}

bool Instance::singleton_alive(const std::string& plugin) {
  return Singletons::all().taken(plugin);
}

std::string Instance::title() const {
  return "instance \"" + name_ + "\" (plugin " + description().name + " " + description().version + ")";
}

void Instance::run(const char* function, tftpkit_status status, const std::string& explanation) const {
  if (status == TFTPKIT_OK) return;
  const std::string reason = explanation.empty() ? std::string(text(status)) : explanation;
  throw Error(State::ok,
              title() + ": " + function + "() failed with status " + std::to_string(status) + ": " + reason);
}

void Instance::begin() {
  if ((description().flags & TFTPKIT_PLUGIN_SINGLETON) != 0) {
    if (!Singletons::all().take(description().name))
      throw Error(State::ok, title() + ": the plugin allows one instance at a time and another is alive");
    counted_ = true;
  }
  const tftpkit_host* table = &table_;
  std::string explanation;
  if (plugin().create != nullptr)
    run("create",
        guarded(*this, "create", explanation, tftpkit_status{TFTPKIT_E_INTERNAL}, plugin().create, table,
                &self_),
        explanation);
  created_ = true;
  explanation.clear();
  if (plugin().start != nullptr)
    run("start",
        guarded(*this, "start", explanation, tftpkit_status{TFTPKIT_E_INTERNAL}, plugin().start, self_),
        explanation);
  started_ = true;
  find_open_now();
}

void Instance::find_open_now() {
  if (plugin().extension == nullptr) return;
  std::string explanation;
  const void* found = guarded(*this, "extension", explanation, static_cast<const void*>(nullptr),
                              plugin().extension, static_cast<const char*>(TFTPKIT_OPEN_NOW));
  const auto* open_now = static_cast<const tftpkit_open_now*>(found);
  if (open_now != nullptr && TFTPKIT_HAS(open_now, open_read)) open_now_ = open_now;
}

Instance::~Instance() {
  if (started_ && plugin().stop != nullptr) guarded(*this, "stop", plugin().stop, self_);
  if (created_ && plugin().destroy != nullptr) guarded(*this, "destroy", plugin().destroy, self_);
  if (counted_) Singletons::all().give_back(description().name);
}

void Instance::give_up(std::uint64_t request_id) const noexcept {
  if (code_.give_up != nullptr) code_.give_up(self_, request_id);
}

void Instance::blame(std::string_view what) const {
  if (services_.speech) return services_.speech(Services::Kind::fault, observe::Level::error, what);
  services_.log.write(observe::Level::error, "plugin at fault",
                      {{"instance", name_}, {"plugin", description().name}, {"fault", what}},
                      name_ + ": " + std::string{what});
}

}  // namespace tftpkit::host
