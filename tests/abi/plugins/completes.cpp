// Breaks the rules of complete(), one way in each build: COMPLETES_TWICE, COMPLETES_LATE, COMPLETES_NEVER,
// COMPLETES_BEFORE_RETURN. What the host said to each call goes to the log.
//   completes-twice          "pending": PENDING, then two answers from a thread
//                            "return": one by complete() and DECLINED by the return value
//   completes-late           "MS": answers after so many milliseconds without asking whether anybody waits
//   never-completes          PENDING, and that was it
//   completes-before-return  answers from another thread, waits for the host to take it, then returns PENDING
#include "later.hpp"

#include <tftpkit/plugin.hpp>

#include <cstdlib>

#if defined(COMPLETES_TWICE)
#define NAME "completes-twice"
#elif defined(COMPLETES_LATE)
#define NAME "completes-late"
#elif defined(COMPLETES_NEVER)
#define NAME "never-completes"
#else
#define NAME "completes-before-return"
#endif

class Completes : public tftpkit::Plugin {
 public:
  tftpkit::Answer open(const tftpkit::Request& request) {
    [[maybe_unused]] const std::string path(request.path());
    [[maybe_unused]] const std::uint64_t id = request.id();
#if defined(COMPLETES_TWICE)
    if (path == "return") {
      told("first", answered(id, "first\n"));
      return tftpkit::declined("second");
    }
    later_.run_after(std::chrono::milliseconds(1), [this, id] {
      told("first", answered(id, "first\n"));
      told("second", answered(id, "second\n"));
    });
#elif defined(COMPLETES_LATE)
    later_.run_after(std::chrono::milliseconds(std::atoi(path.c_str())),
                     [this, id] { told("late", answered(id, "late\n")); });
#elif !defined(COMPLETES_NEVER)
    std::thread other([this, id] { told("early", answered(id, "early\n")); });
    other.join();
#endif
    return tftpkit::pending();
  }

  void stop() {
    later_.join();
  }

 private:
  [[maybe_unused]] tftpkit_status answered(std::uint64_t id, const char* line) {
    tftpkit_source source;
    tftpkit_source_init(&source);
    // A mark that close() can free, like those of this layer.
    auto mark = std::make_unique<tftpkit::border::Transfer>();
    tftpkit_answer_text(&source, line);
    source.transfer = mark.get();
    const tftpkit_status status = tftpkit_complete_read(host().table(), id, TFTPKIT_OK, &source, nullptr);
    if (status == TFTPKIT_OK) static_cast<void>(mark.release());
    return status;
  }

  [[maybe_unused]] void told(const char* which, tftpkit_status status) {
    host().log(tftpkit::Level::info, std::string(which) + " complete() returned " + std::to_string(status));
  }

  Later later_;
};
TFTPKIT_PLUGIN_CLASS(Completes, {.name = NAME,
                                 .version = "1.0",
                                 .summary = "Breaks the rules of complete()",
                                 .execution = tftpkit::Execution::parallel})
