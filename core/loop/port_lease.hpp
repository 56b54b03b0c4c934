// PortLease: one socket's place on a transfer port of Ports. Destroying it gives the place back.
#pragma once

#include <utility>

namespace tftpkit::loop {

class Address;
struct Port;

class PortLease {
 public:
  PortLease() noexcept = default;
  PortLease(Port* port, unsigned place) noexcept : port_{port}, place_{place} {}
  PortLease(PortLease&& other) noexcept : port_{std::exchange(other.port_, nullptr)}, place_{other.place_} {}
  PortLease& operator=(PortLease&& other) noexcept;
  ~PortLease() { give_back(); }
  explicit operator bool() const noexcept { return port_ != nullptr; }
  [[nodiscard]] const Address& address() const noexcept;  // only of a lease that is held

 private:
  void give_back() noexcept;
  Port* port_ = nullptr;
  unsigned place_ = 0;
};

}  // namespace tftpkit::loop
