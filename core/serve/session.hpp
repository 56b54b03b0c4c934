// Session: one transfer from request to end. Owns its socket, its place in time, the plugin's answer and
// the sender, and carries events between them. Lives on one loop; its worker holds it until ended.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/executor.hpp"
#include "loop/peer_socket.hpp"
#include "observe/counters.hpp"
#include "observe/log.hpp"
#include "serve/admission.hpp"
#include "serve/asked.hpp"
#include "serve/body.hpp"
#include "serve/opening.hpp"
#include "serve/setup.hpp"
#include "serve/shared_file.hpp"
#include "serve/verdict.hpp"
#include "transfer/negotiation.hpp"
#include "transfer/sender.hpp"
#include "wire/packet.hpp"
#include "wire/request.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::serve {

class Session;

// What a session needs from its worker.
struct SessionHome {
  loop::Loop& loop;
  loop::Deadlines& deadlines;
  loop::Ports& ports;
  loop::Lane disk;  // reads of files that are not in the page cache
  SharedFiles files;
  observe::Log& log;
  observe::Counters& counters;
  std::function<void(Session&)> on_ended;  // take it out of the table; it may be destroyed afterwards
  std::vector<std::byte> no_memory;        // the ERROR that says so, made while there was some
  // One burst under construction: shared, because nothing of it outlives a call.
  std::array<loop::Segment, 128> segments;
};

class Session final : public std::enable_shared_from_this<Session>, private loop::PeerEvents {
 public:
  Session(SessionHome& home, const std::shared_ptr<const Setup>& setup, Asked asked,
          Admission::Ticket ticket);
  ~Session();

  // The session that this client's new request may replace: it ends when the client goes on with ours, and
  // goes on itself when ours comes to nothing (a request that the network had doubled or delayed).
  void replaces(const std::shared_ptr<Session>& previous);
  [[nodiscard]] std::shared_ptr<Session> replaced() const { return previous_.lock(); }

  // An errno when there is no port for it: the session has ended then, and its worker tells the client. So it
  // has when this throws std::bad_alloc.
  [[nodiscard]] int start();

  // The client's own repeat of a request that is being served: same name and mode, nothing acknowledged yet.
  [[nodiscard]] bool is_repeat(const wire::Request& request) const;
  // Has the client acknowledged anything?
  [[nodiscard]] bool proven() const noexcept { return sender_ && sender_->proven(); }
  void on_repeated_request();

  // Ends now; `text` tells the client why.
  void shut_down(const std::string& text);
  // The client has turned to another request before it acknowledged anything of this one.
  void drop();

  [[nodiscard]] const Asked& asked() const noexcept { return asked_; }

 private:
  [[nodiscard]] int open_socket();
  void agree();
  [[nodiscard]] OnStep traced() const;
  void open_source();
  void on_resolved(Resolution resolution);
  void on_found(Found found);
  void on_not_found(const NotFound& not_found);

  void on_packet(std::span<const std::byte> packet) override;
  void on_refused() override;
  void on_writable() override;
  void understand(std::span<const std::byte> packet);
  void on_ack(std::uint16_t wire_block);
  void on_client_error(const wire::Error& error);
  void on_deadline();
  void on_time();
  void on_silent_plugin();

  void pump();
  bool feed();
  void watch_source();
  bool send(const transfer::Burst& burst);
  loop::Sent send_blocks(const transfer::Burst& burst);
  bool after_send(const loop::Sent& sent);
  void arm();
  void settle_previous(bool client_goes_on);

  template <class Step>
  void with_memory(Step step);
  void out_of_memory();
  [[nodiscard]] bool may_send_error() const;
  void refuse(const wire::Reject& reject, const Verdict& verdict, const std::string& why);
  void end(const Verdict& verdict, const std::string& why);
  void log_end(const Verdict& verdict, const std::string& why) const;
  void send_error(const wire::Reject& reject);

  SessionHome& home_;
  std::shared_ptr<const Terms> terms_;  // and not the instances: those that are not asked may end
  Candidates candidates_;               // until they are asked
  Asked asked_;
  Admission::Ticket ticket_;
  loop::TimePoint began_;
  std::weak_ptr<Session> previous_;
  bool challenged_ = false;  // a newer request of the same client waits for its proof

  std::optional<loop::PeerSocket> socket_;
  loop::Deadline deadline_;
  transfer::Agreement agreement_;
  OnStep on_step_;  // empty unless this request is traced
  std::shared_ptr<Opening> opening_;
  Chain chain_;
  std::unique_ptr<Body> body_;
  std::vector<std::byte> oack_;
  std::optional<transfer::Sender> sender_;
  std::uint64_t fed_ = 0;                                // bytes that the source has brought
  loop::TimePoint source_due_ = loop::TimePoint::max();  // when it has to have brought more
  std::string client_text_;                              // of the client's ERROR
  bool blocked_ = false;                                 // the socket takes nothing at the moment
  bool ended_ = false;
};

}  // namespace tftpkit::serve
