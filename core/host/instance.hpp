// One configured use of a plugin: its settings, its name and the table through which it talks to us.
// Lives as long as somebody holds it: the destructor calls stop() and destroy(). Knows nothing of routes
// and threads; `serve` decides on which thread calls run.
#pragma once

#include "host/description.hpp"
#include "host/library.hpp"
#include "host/requests.hpp"
#include "host/settings.hpp"

#include <tftpkit/open_now.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tftpkit::observe {
class Log;
enum class Level : std::uint8_t;
}  // namespace tftpkit::observe

namespace tftpkit::host {

// What an instance needs from outside. The log must outlive every instance.
struct Services {
  observe::Log& log;
  // Finds the MAC address of a peer on a directly attached link; called from any thread. May be empty.
  std::function<bool(const tftpkit_addr& peer, std::uint8_t mac[6])> neighbour;
  std::string product_version;
  // In place of the log: lines of the plugin (says), and what it is blamed for. For an instance whose log is
  // in another process; called from any thread. May be empty.
  enum class Kind : std::uint8_t { says, fault };
  std::function<void(Kind, observe::Level, std::string_view text)> speech{};
};

// What an instance calls: the code of a library, or what stands in for a plugin that runs elsewhere.
struct Code {
  Description description;
  tftpkit_plugin plugin{};
  void* self = nullptr;  // what create() finds in *instance
  // Nobody waits for this request, which was answered PENDING; may be null. [any-thread]
  void (*give_up)(void* self, std::uint64_t request_id) noexcept = nullptr;
  std::shared_ptr<const void> owner;  // of all this
};

class Instance {
 public:
  // Calls create() and start() of the plugin on this thread; both may block. Throws Error with the
  // plugin's explanation.
  static std::shared_ptr<Instance> create(const std::shared_ptr<Library>& library, std::string name,
                                          Settings settings, Services services);
  static std::shared_ptr<Instance> create(Code code, std::string name, Settings settings, Services services);

  // Destroys instances whose last holder let go inside a plugin's own call or thread, where stop() could wait
  // for itself for ever. create() does it too; a server calls it now and then and before it exits.
  static void reap();

  // Waits until there is no instance any more, and ends those that wait for reap(). False when there still
  // are some after this time. Not inside a plugin's call.
  static bool end_all(std::chrono::milliseconds time);

  // Is an instance of this plugin alive that allows no other beside it?
  static bool singleton_alive(const std::string& plugin);

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  // stop() may wait for the plugin's threads: let go of the last holder where blocking is allowed.
  ~Instance();

  const std::string& name() const noexcept { return name_; }
  const Description& description() const noexcept { return code_.description; }
  std::uint32_t execution() const noexcept { return description().execution; }  // as the plugin declares it

  // Does the end of a transfer run code of the plugin?
  bool closes() const noexcept { return plugin().close != nullptr; }

  // Requests that the plugin answered PENDING, that nobody waits for any more, and that it never completed.
  std::size_t forgotten() const { return requests_.forgotten(); }

  // Logs what the plugin did wrong, under the instance's name.
  void blame(std::string_view what) const;

 private:
  friend class Call;
  friend struct HostTable;
  Instance(Code code, std::string name, Settings settings, Services services);
  void begin();
  void find_open_now();
  std::string title() const;
  void run(const char* function, tftpkit_status status, const std::string& explanation) const;
  void give_up(std::uint64_t request_id) const noexcept;
  const tftpkit_plugin& plugin() const noexcept { return code_.plugin; }

  Code code_;
  std::string name_;
  Settings settings_;
  Services services_;
  Requests requests_;
  tftpkit_host table_{};
  void* self_;
  const tftpkit_open_now* open_now_ = nullptr;  // the extension, when the plugin has it
  bool counted_ = false;                        // holds the place of a singleton
  bool created_ = false;
  bool started_ = false;
};

}  // namespace tftpkit::host
