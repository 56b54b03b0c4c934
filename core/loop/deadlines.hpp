// Deadlines: all deadlines of one loop on one timing wheel behind one alarm, 1 ms apart.
// Knows nothing of what is late; the owner embeds a Deadline and is called on the loop's thread.
#pragma once

#include "loop/loop.hpp"
#include "loop/wheel.hpp"

#include <chrono>
#include <memory>

namespace tftpkit::loop {

class Deadlines;

// Calls back once per set(). May be set, cancelled or destroyed at any time, also inside its own
// callback. Not movable: embed it where it stays.
class Deadline {
 public:
  using OnDue = void (*)(void* owner);
  Deadline(OnDue on_due, void* owner) noexcept : node_{on_due, owner} {}

  // Deadline deadline_ = Deadline::calls<&Session::on_deadline>(this);
  template <auto method, class Owner>
  static Deadline calls(Owner* owner) noexcept {
    return {[](void* self) { (static_cast<Owner*>(self)->*method)(); }, owner};
  }
  [[nodiscard]] bool is_set() const noexcept { return node_.linked(); }

 private:
  friend class Deadlines;
  struct Node : WheelNode {
    Node(OnDue call, void* self) noexcept : on_due{call}, owner{self} {}
    OnDue on_due;
    void* owner;
  };
  Node node_;
};

class Deadlines {
 public:
  explicit Deadlines(Loop& loop);
  ~Deadlines();  // every Deadline must be cancelled or destroyed by then
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Sets or moves: never calls early, and late by at most 1 ms plus the rest of the loop's turn.
  // A time that has passed is due in the next turn, never inside this call.
  void set(Deadline& deadline, TimePoint when) noexcept;
  void set_after(Deadline& deadline, std::chrono::nanoseconds delay) noexcept;
  void cancel(Deadline& deadline) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tftpkit::loop
