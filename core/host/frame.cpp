#include "host/frame.hpp"

#include "host/crashes.hpp"

namespace tftpkit::host {

namespace {

thread_local const Frame* innermost = nullptr;

}  // namespace

Frame::Frame(const Instance* instance, std::string* explanation) noexcept
    : instance_(instance), explanation_(explanation), outer_(innermost) {
  if (instance != nullptr && outer_ == nullptr) prepare_thread_for_crash();
  innermost = this;
}

Frame::~Frame() {
  innermost = outer_;
}

const Frame* Frame::current() noexcept {
  return innermost;
}

std::string thrown(const Instance& instance, const char* function, const char* what) {
  std::string text = std::string(function) + "() threw an exception: " + what;
  instance.blame(text);
  return text;
}

}  // namespace tftpkit::host
