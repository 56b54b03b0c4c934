// Filter: which requests are meant, by the clean path and the client's address. Of routes and of traces.
#pragma once

#include "config/glob.hpp"
#include "loop/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::serve {

// Networks as the configuration has them, which are valid.
[[nodiscard]] std::vector<loop::Network> networks(const std::vector<std::string>& texts);

class Filter {
 public:
  // Globs and networks as the configuration has them, which are valid. Without any, everything fits.
  Filter(const std::vector<std::string>& patterns, const std::vector<std::string>& clients);

  enum class Verdict : std::uint8_t { fits, other_path, other_client };
  [[nodiscard]] Verdict judge(std::string_view path, const loop::Address& client) const;
  [[nodiscard]] bool fits(std::string_view path, const loop::Address& client) const {
    return judge(path, client) == Verdict::fits;
  }
  // Why it does not fit, or what it takes.
  [[nodiscard]] std::string words(Verdict verdict) const;

 private:
  std::vector<config::Glob> patterns_;
  std::vector<loop::Network> clients_;
};

}  // namespace tftpkit::serve
