// What the load program is asked to do: one work, for some seconds or some number of transfers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace load {

struct Options {
  std::string server = "127.0.0.1";
  std::uint16_t port = 0;
  std::string from;     // first local address; empty: the kernel's choice for the first 20,000 clients
  std::string name;     // file asked for; "%" in it becomes the number of the transfer
  std::string content;  // file with the bytes that must come; empty: an ERROR must come
  unsigned clients = 1;
  double seconds = 1;           // no new transfer afterwards, and those under way are left
  std::uint64_t transfers = 0;  // all of them, within `seconds`; 0: as many as fit
  unsigned blksize = 512;       // 512 and windowsize 1: asked for without options
  unsigned windowsize = 1;
  unsigned rtt_ms = 0;     // an artificial link: round trip
  double loss = 0;         // and the share of packets lost, each way
  std::uint64_t seed = 1;  // of the losses
  bool copies = false;     // the newest block coming again is acknowledged again, as RFC 1350 has it
  bool hold = false;       // stop behind the first answers, say so, go on at end of stdin
  double patience = 1;     // seconds without news before something is sent again

  [[nodiscard]] bool lockstep_512() const noexcept { return blksize == 512 && windowsize == 1; }
};

Options read_options(int argc, char** argv);  // exits with a message on mistakes

}  // namespace load
