// Where this thread is inside a plugin: whose call is under way and where its explanation goes. And the one
// way to call a plugin's function, which lets no exception out. Internal to this room.
#pragma once

#include "host/instance.hpp"

#include <exception>
#include <string>

namespace tftpkit::host {

class Frame {
 public:
  // `explanation` must outlive the frame. Without an instance: inside a host function that a plugin called.
  Frame(const Instance* instance, std::string* explanation) noexcept;
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame();

  // The innermost frame of this thread, or null outside of any plugin.
  static const Frame* current() noexcept;

  const Instance* instance() const noexcept { return instance_; }
  std::string* explanation() const noexcept { return explanation_; }
  const Frame* outer() const noexcept { return outer_; }

 private:
  const Instance* instance_;
  std::string* explanation_;
  const Frame* outer_;
};

// The text for an exception that left a plugin's function; logs it as the plugin's fault.
std::string thrown(const Instance& instance, const char* function, const char* what);

// `function` is taken without its noexcept on purpose: through a noexcept pointer the compiler would leave no
// way to catch what a plugin throws that was not built by a C++17 compiler.
template <typename Result, typename... Types, typename... Given>
Result guarded(const Instance& instance, const char* name, std::string& explanation, Result otherwise,
               Result (*function)(Types...), Given... given) {
  try {
    const Frame frame(&instance, &explanation);
    return function(given...);
  } catch (const std::exception& error) {
    explanation = thrown(instance, name, error.what());
  } catch (...) {
    explanation = thrown(instance, name, "of an unknown type");
  }
  return otherwise;
}

template <typename... Types, typename... Given>
void guarded(const Instance& instance, const char* name, void (*function)(Types...), Given... given) {
  std::string ignored;
  try {
    const Frame frame(&instance, &ignored);
    function(given...);
  } catch (const std::exception& error) {
    thrown(instance, name, error.what());
  } catch (...) {
    thrown(instance, name, "of an unknown type");
  }
}

}  // namespace tftpkit::host
