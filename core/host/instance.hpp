// One configured use of a plugin: its settings, its name and the table through which it talks to us.
// Lives as long as somebody holds it: the destructor calls stop() and destroy(). Knows nothing of routes
// and threads; `serve` decides on which thread calls run.
#pragma once

#include "host/library.hpp"
#include "host/requests.hpp"
#include "host/settings.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tftpkit::observe {
class Log;
}

namespace tftpkit::host {

// What an instance needs from outside. The log must outlive every instance.
struct Services {
  observe::Log& log;
  // Finds the MAC address of a peer on a directly attached link; called from any thread. May be empty.
  std::function<bool(const tftpkit_addr& peer, std::uint8_t mac[6])> neighbour;
  std::string product_version;
};

class Instance {
 public:
  // Calls create() and start() of the plugin on this thread; both may block. Throws Error with the
  // plugin's explanation.
  static std::shared_ptr<Instance> create(std::shared_ptr<Library> library, std::string name,
                                          Settings settings, Services services);

  // Destroys instances whose last holder let go inside a plugin's own call or thread, where stop() could wait
  // for itself for ever. create() does it too; a server calls it now and then and before it exits.
  static void reap();

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  // stop() may wait for the plugin's threads: let go of the last holder where blocking is allowed.
  ~Instance();

  const std::string& name() const noexcept { return name_; }
  const Description& description() const noexcept { return library_->description(); }
  const std::shared_ptr<Library>& library() const noexcept { return library_; }
  std::uint32_t execution() const noexcept { return description().execution; }  // as the plugin declares it

  // Requests that the plugin answered PENDING, that nobody waits for any more, and that it never completed.
  std::size_t forgotten() const { return requests_.forgotten(); }

  // Logs what the plugin did wrong, under the instance's name.
  void blame(std::string_view what) const;

 private:
  friend class Call;
  friend struct HostTable;
  Instance(std::shared_ptr<Library> library, std::string name, Settings settings, Services services);
  void begin();
  std::string title() const;
  void run(const char* function, tftpkit_status status, const std::string& explanation) const;
  const tftpkit_plugin& plugin() const noexcept { return library_->plugin(); }

  std::shared_ptr<Library> library_;
  std::string name_;
  Settings settings_;
  Services services_;
  Requests requests_;
  tftpkit_host table_{};
  void* self_ = nullptr;
  bool counted_ = false;  // holds the place of a singleton
  bool created_ = false;
  bool started_ = false;
};

}  // namespace tftpkit::host
