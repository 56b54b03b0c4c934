// Wheel: a hierarchical timing wheel over abstract ticks. Pure: time is an argument, nothing is
// allocated, nodes are owned by the caller. Set, move and cancel cost O(1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace tftpkit::loop {

// Embed in what has a deadline. A node that is destroyed leaves its wheel.
class WheelNode {
 public:
  WheelNode() noexcept = default;
  WheelNode(const WheelNode&) = delete;
  WheelNode& operator=(const WheelNode&) = delete;
  ~WheelNode() { unlink(); }

  [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }
  [[nodiscard]] std::uint64_t tick() const noexcept { return tick_; }

 private:
  friend class Wheel;
  void unlink() noexcept;
  void link_before(WheelNode& position) noexcept;

  WheelNode* next_ = nullptr;
  WheelNode* previous_ = nullptr;
  std::uint64_t tick_ = 0;
};

class Wheel {
 public:
  using Tick = std::uint64_t;

  explicit Wheel(Tick now) noexcept;
  ~Wheel();

  // Puts or moves `node`: due at `tick`, or at the next tick when that has passed.
  void set(WheelNode& node, Tick tick) noexcept;
  static void cancel(WheelNode& node) noexcept { node.unlink(); }

  // Moves the hand to `now` and takes out what is due. Then next_due() hands the nodes over one by
  // one, in order of their ticks; between two calls any node may be set, cancelled or destroyed.
  void advance(Tick now) noexcept;
  [[nodiscard]] WheelNode* next_due() noexcept;

  // When advance() has something to do: never later than the earliest node, possibly earlier
  // (a coarse slot must be sorted into finer ones). Nothing when the wheel is empty.
  [[nodiscard]] std::optional<Tick> next_event() noexcept;
  [[nodiscard]] Tick now() const noexcept { return now_; }

 private:
  // 11 levels of 64 slots hold every 64-bit tick, so no tick is too far and nothing wraps.
  static constexpr unsigned slot_bits = 6, slots = 1U << slot_bits, levels = 11;

  struct Slot {
    unsigned level, index;
    Tick start;
  };
  struct List : WheelNode {};

  void place(WheelNode& node) noexcept;
  [[nodiscard]] std::optional<Slot> next_slot() noexcept;
  [[nodiscard]] List& list(unsigned level, unsigned index) noexcept { return lists_[level * slots + index]; }
  void empty_slot(const Slot& slot) noexcept;

  Tick now_;
  std::array<std::uint64_t, levels> used_{};  // a set bit may be stale: its list is empty
  std::array<List, std::size_t{levels} * slots> lists_;
  List due_;
};

}  // namespace tftpkit::loop
