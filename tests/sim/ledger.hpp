// The plugins of a simulated world, behind the real host: shelves of files, each with a way to answer and a
// fault, and the ledger of all that the host did with them. Reads, closes and cancels against the contract
// are findings.
#pragma once

#include "files.hpp"
#include "findings.hpp"
#include "host/instance.hpp"
#include "machine.hpp"

#include <tftpkit/plugin.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tftpkit::sim {

// One answer with OK, as the plugin remembers it.
struct Lent {
  const File* file = nullptr;
  std::uint64_t request = 0;
  Address peer;
  TimePoint opened;
  std::vector<std::byte> copy;  // what a BUFFER points to; spoilt at close
  std::size_t position = 0;
  int other_end = -1;    // of a pipe, or a second descriptor of the file
  bool offered = true;   // false once the host did not want it
  bool reading = false;  // a read is under way
  unsigned closes = 0;
  TimePoint closed;
  std::uint32_t end = 0;  // TFTPKIT_END_*
};

class Ledger {
 public:
  Ledger(Machine& machine, Findings& findings, Random random)
      : machine_{machine}, findings_{findings}, random_{random} {}
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void add(File file);
  [[nodiscard]] const File* find(const std::string& path) const;
  // One instance for each shelf, ready for a setup. The ledger outlives them.
  [[nodiscard]] host::Code code(Shelf shelf);

  [[nodiscard]] const std::vector<std::unique_ptr<Lent>>& lent() const noexcept { return lent_; }
  [[nodiscard]] std::uint64_t opens() const noexcept { return opens_; }
  // At the end of everything: each answer was closed once.
  void check_closed();

 private:
  struct Instance {
    Ledger* ledger = nullptr;
    Shelf shelf = at_once;
    const tftpkit_host* host = nullptr;
  };
  static tftpkit_status create(const tftpkit_host* host, void** instance) noexcept;
  static tftpkit_status open_read(void* instance, const tftpkit_request* request,
                                  tftpkit_source* source) noexcept;
  static std::int64_t read(void* instance, void* transfer, void* buffer, std::size_t capacity) noexcept;
  static void close(void* instance, void* transfer, const tftpkit_outcome* outcome) noexcept;
  static void cancel(void* instance, void* transfer) noexcept;

  tftpkit_status answer(const Instance& instance, const tftpkit_request& request, tftpkit_source& source);
  tftpkit_status lend(const tftpkit_request& request, const File& file, tftpkit_source& source);
  void answer_later(const Instance& instance, const tftpkit_request& request, const File& file);
  [[nodiscard]] int memory_file(const File& file);
  void open_file(Lent& lent, tftpkit_source& source);
  void open_pipe(Lent& lent, tftpkit_source& source);
  void feed_pipe(Lent& lent);
  void withdraw(Lent& lent, const tftpkit_source& source);
  void forget_descriptor(Lent& lent);
  void take_time(Lent& lent);
  std::int64_t read_on(Lent& lent, std::span<std::byte> into, const Instance& instance);

  Machine& machine_;
  Findings& findings_;
  Random random_;
  std::unordered_map<std::string, File> files_;
  std::unordered_map<const File*, int> memory_files_;  // of those that stay as they are
  std::vector<std::unique_ptr<Lent>> lent_;
  std::vector<std::unique_ptr<Instance>> instances_;
  std::uint64_t opens_ = 0;
};

}  // namespace tftpkit::sim
