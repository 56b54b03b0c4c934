// Compiled once for all sources of the binary: CLI11 alone costs each of them seconds. Nobody includes this
// file.

#include <CLI/CLI.hpp>
