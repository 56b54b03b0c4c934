#include "loop/wheel.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace tftpkit::loop {

void WheelNode::unlink() noexcept {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

void WheelNode::link_before(WheelNode& position) noexcept {
  next_ = &position;
  previous_ = position.previous_;
  previous_->next_ = this;
  position.previous_ = this;
}

Wheel::Wheel(Tick now) noexcept : now_{now} {
  const auto close = [](List& head) { head.next_ = head.previous_ = &head; };
  std::for_each(lists_.begin(), lists_.end(), close);
  close(due_);
}

Wheel::~Wheel() {
  const auto let_go = [](List& head) {
    while (head.next_ != &head)
      head.next_->unlink();
  };
  std::for_each(lists_.begin(), lists_.end(), let_go);
  let_go(due_);
}

void Wheel::set(WheelNode& node, Tick tick) noexcept {
  node.unlink();
  node.tick_ = std::max(tick, now_ + 1);
  place(node);
}

// The level is that of the highest digit (of 6 bits) in which the tick differs from the hand. So within a
// level all slots in use are ahead of the hand, and a lower level is always due before a higher one.
void Wheel::place(WheelNode& node) noexcept {
  const Tick differs = node.tick_ ^ now_;
  const unsigned level =
      differs == 0 ? 0 : (63U - static_cast<unsigned>(std::countl_zero(differs))) / slot_bits;
  const unsigned index = static_cast<unsigned>(node.tick_ >> (slot_bits * level)) & (slots - 1);
  used_[level] |= std::uint64_t{1} << index;
  node.link_before(list(level, index));
}

std::optional<Wheel::Slot> Wheel::next_slot() noexcept {
  for (unsigned level = 0; level < levels; ++level) {
    while (used_[level] != 0) {
      const auto index = static_cast<unsigned>(std::countr_zero(used_[level]));
      if (const List& head = list(level, index); head.next_ != &head) {
        const unsigned shift = slot_bits * level;
        const Tick above = shift + slot_bits >= 64 ? 0 : now_ >> (shift + slot_bits) << (shift + slot_bits);
        return Slot{level, index, above | (Tick{index} << shift)};
      }
      used_[level] &= used_[level] - 1;
    }
  }
  return std::nullopt;
}

std::optional<Wheel::Tick> Wheel::next_event() noexcept {
  if (due_.next_ != &due_) return now_;
  const auto slot = next_slot();
  return slot ? std::optional{std::max(slot->start, now_)} : std::nullopt;
}

// Nodes of the finest level are due at their slot's tick; others are sorted anew, seen from there.
void Wheel::empty_slot(const Slot& slot) noexcept {
  List& head = list(slot.level, slot.index);
  used_[slot.level] &= ~(std::uint64_t{1} << slot.index);
  List taken;
  taken.next_ = taken.previous_ = &taken;
  taken.link_before(head);
  head.unlink();
  head.next_ = head.previous_ = &head;
  while (taken.next_ != &taken) {
    WheelNode& node = *taken.next_;
    node.unlink();
    if (node.tick_ <= now_)
      node.link_before(due_);
    else
      place(node);
  }
}

void Wheel::advance(Tick now) noexcept {
  assert(now >= now_ && "time went backwards");
  while (const auto slot = next_slot()) {
    if (slot->start > now) break;
    now_ = std::max(now_, slot->start);
    empty_slot(*slot);
  }
  now_ = std::max(now_, now);
}

WheelNode* Wheel::next_due() noexcept {
  if (due_.next_ == &due_) return nullptr;
  WheelNode* node = due_.next_;
  node->unlink();
  return node;
}

}  // namespace tftpkit::loop
