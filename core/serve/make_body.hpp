// From the answer of a plugin to a body: which reader, how large a ring.
#pragma once

#include "host/source.hpp"
#include "loop/executor.hpp"
#include "serve/body.hpp"
#include "transfer/negotiation.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

class PluginTransfer;
class SharedFiles;

// Bytes of memory that the body will need beside what the plugin holds.
[[nodiscard]] std::size_t body_memory(const host::Source& source, const transfer::Terms& terms);

struct BodyHome {
  loop::Loop& loop;
  const loop::Lane& disk;
  SharedFiles* files;  // null: every file is read for this body alone
  std::function<void()> on_ready;
};

// `answered` is the transfer whose plugin gave the source; it stays open as long as the body lives.
// Throws std::system_error when a descriptor cannot be used.
std::unique_ptr<Body> make_body(host::Source source, const transfer::Terms& terms,
                                const std::shared_ptr<PluginTransfer>& answered, BodyHome home);

}  // namespace tftpkit::serve
