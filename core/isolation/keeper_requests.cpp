// The part of Keeper that carries requests and answers, between the host's calls and the process.
#include "isolation/answer.hpp"
#include "isolation/keeper.hpp"
#include "isolation/message.hpp"
#include "isolation/watch.hpp"

#include <utility>

namespace tftpkit::isolation {

namespace {

// Messages for a process that does not take them: a few thousand requests, then it counts as hanging.
constexpr std::size_t most_unsent_bytes = std::size_t{8} << 20;

}  // namespace

tftpkit_status Keeper::open(const tftpkit_request& request) {
  auto message = encoded(open_message(request));
  auto transfer = std::make_shared<Transfer>();
  transfer->id = request.id;
  std::string why;
  {
    const std::lock_guard lock{mutex_};
    if (phase_ == Phase::running) {
      transfer->process = number_;
      transfers_.emplace(request.id, std::move(transfer));
      post(std::move(message));
      return TFTPKIT_PENDING;
    }
    why = phase_ == Phase::starting ? "its process is being started again" : "its process is down: " + why_;
  }
  return tftpkit_fail(host_, TFTPKIT_E_UNAVAILABLE, why.c_str());
}

std::int64_t Keeper::read(Transfer& transfer, std::span<std::byte> into) const {
  if (!transfer.stream) return TFTPKIT_E_INVALID;
  std::string why;
  const std::int64_t got = transfer.stream->read(into, why);
  if (got < 0 && !why.empty()) host_->explain(host_, why.data(), why.size());
  return got;
}

void Keeper::cancel(Transfer& transfer) {
  if (transfer.stream) transfer.stream->cancel();
}

void Keeper::close(Transfer& transfer, const tftpkit_outcome& outcome) {
  std::shared_ptr<Transfer> last;  // unmapping takes its time: after the lock
  const std::lock_guard lock{mutex_};
  last = found(transfer.id);
  transfers_.erase(transfer.id);
  body_bytes_ -= transfer.body_bytes();
  if (transfer.process == number_)
    post(encoded(Close{transfer.id, outcome.end, outcome.bytes, outcome.elapsed_us, outcome.resends}));
}

// The host keeps the request until it is completed: now, since the process does not need it for that.
void Keeper::give_up(std::uint64_t id) {
  {
    const std::lock_guard lock{mutex_};
    if (transfers_.erase(id) == 0) return;
    post(encoded(GiveUp{id}));
  }
  host_->complete(host_, id, TFTPKIT_E_CANCELLED, nullptr, nullptr, nullptr, 0);
}

void Keeper::post(std::vector<std::byte> bytes) {
  if (process_ == nullptr) return;
  if (unsent_.empty() && process_->channel().send(bytes) != SendResult::full) return;
  unsent_bytes_ += bytes.size();
  unsent_.push_back(std::move(bytes));
  wake();
}

// False when the process lets too much lie.
bool Keeper::flush() {
  while (!unsent_.empty()) {
    if (process_->channel().send(unsent_.front()) == SendResult::full) break;
    unsent_bytes_ -= unsent_.front().size();
    unsent_.pop_front();
  }
  return unsent_bytes_ <= most_unsent_bytes;
}

std::shared_ptr<Transfer> Keeper::found(std::uint64_t id) const {
  const auto at = transfers_.find(id);
  return at == transfers_.end() ? nullptr : at->second;
}

bool Keeper::take_speech(std::span<const std::byte> bytes) const {
  if (const auto says = decoded<Says>(bytes)) {
    host_->log(host_, says->level, says->text.data(), says->text.size());
    return true;
  }
  const auto fault = decoded<Fault>(bytes);
  if (fault) static_cast<const host::Instance*>(host_->impl)->blame(fault->text);
  return fault.has_value();
}

bool Keeper::take_from_running(Received received, Watch& watch) {
  if (auto answer = decoded<Answered>(received.bytes))
    return on_answer(std::move(*answer), std::move(received.descriptors));
  if (const auto filled = decoded<Filled>(received.bytes)) return on_filled(*filled);
  if (const auto pong = decoded<Pong>(received.bytes)) {
    watch.heard(pong->longest_call_ms);
    return true;
  }
  const auto question = decoded<LinkQuestion>(received.bytes);
  if (question) on_question(question->ticket, question->peer);
  return question.has_value();
}

// An answer that nobody waits for any more has been given up there too; its descriptors are closed here.
bool Keeper::on_answer(Answered answer, std::vector<host::UniqueFd> descriptors) {
  std::shared_ptr<Transfer> transfer;
  {
    const std::lock_guard lock{mutex_};
    transfer = found(answer.id);
    if (!transfer || transfer->answered || transfer->process != number_) return true;
    transfer->answered = answer.status == TFTPKIT_OK;
  }
  if (answer.status != TFTPKIT_OK) {
    on_refusal(answer);
    return true;
  }
  const auto want_more = [this, id = answer.id](std::uint64_t taken) {
    const std::lock_guard lock{mutex_};
    post(encoded(More{id, taken}));
  };
  const auto source = source_of(answer, descriptors, *transfer, want_more);
  if (!source) {
    fail(answer.id, "its process answered with what the server cannot use");
    return false;
  }
  if (!fits(*transfer)) {
    refuse(answer.id, "the bodies on their way use up the memory_limit of its process");
    return true;
  }
  const tftpkit_status taken = host_->complete(host_, answer.id, TFTPKIT_OK, &*source, nullptr,
                                               answer.text.data(), answer.text.size());
  if (taken == TFTPKIT_OK) {
    if (source->fd >= 0) static_cast<void>(descriptors.front().release());  // the host's now
    return true;
  }
  const std::lock_guard lock{mutex_};
  body_bytes_ -= transfer->body_bytes();
  if (transfers_.erase(answer.id) != 0) post(encoded(Close{.id = answer.id}));
  return true;
}

// Counts the transfer's memory when there is room for it.
bool Keeper::fits(const Transfer& transfer) {
  const std::uint64_t limit = program_.options.memory;
  const std::lock_guard lock{mutex_};
  if (limit != 0 && body_bytes_ + transfer.body_bytes() > limit) return false;
  body_bytes_ += transfer.body_bytes();
  return true;
}

// The process has answered, and the server will not take it.
void Keeper::refuse(std::uint64_t id, const std::string& why) {
  {
    const std::lock_guard lock{mutex_};
    post(encoded(Close{.id = id}));
  }
  fail(id, why);
}

void Keeper::on_refusal(const Answered& answer) {
  {
    const std::lock_guard lock{mutex_};
    if (transfers_.erase(answer.id) == 0) return;
  }
  host_->complete(host_, answer.id, answer.status, nullptr, nullptr, answer.text.data(), answer.text.size());
}

bool Keeper::on_filled(const Filled& filled) {
  std::shared_ptr<Transfer> transfer;
  {
    const std::lock_guard lock{mutex_};
    transfer = found(filled.id);
    if (!transfer || !transfer->answered || transfer->process != number_) return true;
  }
  if (!transfer->stream || !transfer->stream->on_filled(filled.filled, filled.ended && !filled.broken))
    return false;
  if (filled.broken) transfer->stream->on_broken(TFTPKIT_E_IO, filled.why);
  return true;
}

void Keeper::on_question(std::uint64_t ticket, const tftpkit_addr& peer) {
  LinkAddress address;
  address.ticket = ticket;
  if (program_.services.neighbour) address.found = program_.services.neighbour(peer, address.mac.data());
  const std::lock_guard lock{mutex_};
  post(encoded(address));
}

// What has no answer yet fails, and what would still have to come. Bytes that are here stay. How many failed.
std::size_t Keeper::fail_all(const std::string& why) {
  std::vector<std::shared_ptr<Transfer>> all;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, transfer] : transfers_)
      if (transfer->process == number_ && (!transfer->answered || transfer->stream)) all.push_back(transfer);
  }
  for (const auto& transfer : all) {
    if (transfer->stream)
      transfer->stream->on_broken(TFTPKIT_E_UNAVAILABLE, why);
    else
      fail(transfer->id, why);
  }
  return all.size();
}

void Keeper::fail(std::uint64_t id, const std::string& why) {
  {
    const std::lock_guard lock{mutex_};
    if (transfers_.erase(id) == 0) return;
  }
  host_->complete(host_, id, TFTPKIT_E_UNAVAILABLE, nullptr, nullptr, why.data(), why.size());
}

}  // namespace tftpkit::isolation
