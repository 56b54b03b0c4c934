// Access: who may ask at all, by the client's address. Decides; whoever asked it says nothing to the client.
#pragma once

#include "config/config.hpp"
#include "loop/address.hpp"
#include "serve/step.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tftpkit::serve {

class Access {
 public:
  // Networks as the configuration has them, which are valid.
  explicit Access(const config::AccessConfig& config);

  [[nodiscard]] bool admits(const loop::Address& client) const noexcept {
    return !denying(client) && (allow_.empty() || allowing(client));
  }
  // The decision in words; nothing when there was none to take, because everybody may ask.
  [[nodiscard]] std::optional<Step> step(const loop::Address& client) const;

 private:
  [[nodiscard]] const loop::Network* denying(const loop::Address& client) const noexcept;
  [[nodiscard]] const loop::Network* allowing(const loop::Address& client) const noexcept;

  std::vector<loop::Network> allow_;
  std::vector<loop::Network> deny_;
};

}  // namespace tftpkit::serve
