// GuestTransfer: one request in the process of an isolated instance, from the server's open to its close.
// Puts the plugin's bytes where the server can have them: into the answer, a memory file, or the ring of a
// stream.
#pragma once

#include "isolation/channel.hpp"
#include "isolation/message.hpp"
#include "isolation/shared_memory.hpp"
#include "serve/plugin_transfer.hpp"
#include "serve/reader.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tftpkit::serve {

// All on the loop's thread.
class GuestTransfer : public std::enable_shared_from_this<GuestTransfer> {
 public:
  GuestTransfer(loop::Loop& loop, const isolation::Channel& channel, std::shared_ptr<const Served> served,
                std::uint64_t id);

  void open(host::OpenRequest request);
  // The server has taken so much of the stream and wants to hear of more.
  void more(std::uint64_t taken);
  void close(const host::Ending& ending);
  void give_up();

  [[nodiscard]] std::weak_ptr<const host::Call> call() const noexcept { return transfer_->call(); }

 private:
  void on_answer(host::Answer answer);
  void answer(host::Source source, isolation::Answered& said);
  void answer_buffer(const host::Source& source, isolation::Answered& said);
  void answer_stream(host::Source source, isolation::Answered& said);
  void refuse(const std::string& why);
  void pump();
  [[nodiscard]] Space free_space() const;
  void take(const ReadResult& result);
  void tell();

  loop::Loop& loop_;
  const isolation::Channel& channel_;
  std::uint64_t id_;
  std::shared_ptr<PluginTransfer> transfer_;

  // Of a stream:
  std::shared_ptr<isolation::Mapping> ring_;
  std::unique_ptr<Reader> reader_;
  std::uint64_t filled_ = 0;
  std::uint64_t told_ = 0;
  std::uint64_t taken_ = 0;
  bool asked_ = true;
  bool reading_ = false;
  bool ended_ = false;
  bool told_end_ = false;
  std::optional<std::string> failure_;
};

}  // namespace tftpkit::serve
