// The settings of one instance, already checked, defaulted and normalised.
// Filled in by room config, read by the host table; knows neither JSON nor schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace tftpkit::host {

// Keys are JSON pointers: "" is the whole object, "/rules/0/match" one of its values.
struct Settings {
  std::string json = "{}";                                // the whole normalised object
  std::map<std::string, std::string, std::less<>> texts;  // scalars as text, objects and arrays as JSON
  std::map<std::string, std::int64_t, std::less<>>
      integers;                                            // integers, 0/1, sizes in bytes, durations in ms
  std::map<std::string, std::size_t, std::less<>> counts;  // elements of arrays, members of objects
};

}  // namespace tftpkit::host
