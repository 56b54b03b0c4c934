// Answers PENDING and completes from another thread. "after/MS" after MS milliseconds with the line "after MS
// ms"; "at-once" already inside open(), as "block/MS", which keeps its thread for so long; "decline/MS" and
// "fail/MS" after MS with DECLINED and with an explained failure.
#include "later.hpp"

#include <tftpkit/plugin.hpp>

#include <chrono>
#include <cstdlib>
#include <thread>

class Delayed : public tftpkit::Plugin {
 public:
  tftpkit::Answer open(const tftpkit::Request& request) {
    const std::string path(request.path());
    const tftpkit::Pending answer = defer(request);
    if (path == "at-once") {
      answer.complete(tftpkit::text("at once\n"));
      return tftpkit::pending();
    }
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return tftpkit::declined();
    const std::string verb = path.substr(0, slash);
    if (verb != "block" && verb != "after" && verb != "decline" && verb != "fail") return tftpkit::declined();
    const int ms = std::atoi(path.c_str() + slash + 1);
    if (verb == "block") {
      std::this_thread::sleep_for(std::chrono::milliseconds(ms));
      answer.complete(tftpkit::text("blocked\n"));
      return tftpkit::pending();
    }
    later_.run_after(std::chrono::milliseconds(ms), [answer, verb, ms] { answer.complete(made(verb, ms)); });
    return tftpkit::pending();
  }

  void stop() { later_.join(); }

 private:
  static tftpkit::Answer made(const std::string& verb, int ms) {
    if (verb == "after") return tftpkit::text("after " + std::to_string(ms) + " ms\n");
    if (verb == "decline") return tftpkit::declined("not mine after all");
    return tftpkit::error(tftpkit::Status::unavailable, "the backend is down");
  }

  Later later_;
};
TFTPKIT_PLUGIN_CLASS(Delayed, {.name = "pending",
                               .version = "1.0",
                               .summary = "Answers later, from a thread",
                               .execution = tftpkit::Execution::inline_})
