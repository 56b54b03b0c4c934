// What a check comes to, and the two ways out of one that is not passed.
#pragma once

#include <cstdint>
#include <string>

namespace tftpkit::conformance {

enum class Verdict : std::uint8_t { pass, fail, skip };

struct Result {
  Verdict verdict = Verdict::pass;
  std::string what;   // what is wrong; for skip: why the check does not apply
  std::string where;  // fail only: in which call, at which place
  std::string right;  // fail only: what would be right
};

// Thrown by a check.
struct Fails {
  std::string what;
  std::string where;
  std::string right;
};
struct Skips {
  std::string why;
};

}  // namespace tftpkit::conformance
