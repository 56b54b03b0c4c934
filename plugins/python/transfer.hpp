// What belongs to one answer until its close(): the Python objects behind it, and the piece of a stream that
// is being handed out. Python is asked for large pieces; in between nobody waits for the GIL.
#pragma once

#include "interpreter.hpp"

#include <tftpkit/plugin.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace tftpkit::python {

class Script;

class Transfer final : public border::Transfer {
 public:
  // `content`: the bytes or text that the answer points into, or the function that reads the next piece.
  // `closer`: to be called at the end, or None. `script` stays at least as long.
  struct Parts {
    std::shared_ptr<const Script> script;
    Object content;
    Object closer;
    std::uint64_t size = TFTPKIT_SIZE_UNKNOWN;
    std::size_t piece = 0;  // bytes that Python is asked for, at most
  };
  explicit Transfer(Parts parts);
  ~Transfer() override;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  std::int64_t read(std::span<std::byte> into) override;
  void end(const Outcome& outcome);

  [[nodiscard]] PyObject* content() const noexcept { return parts_.content.get(); }

 private:
  void fetch();
  std::size_t next_size();

  Parts parts_;
  Object piece_;           // bytes
  std::string_view rest_;  // of the piece
  std::uint64_t left_;     // of a known size
  std::size_t asked_ = 0;  // last time
  bool ended_ = false;
};

}  // namespace tftpkit::python
