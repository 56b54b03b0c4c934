// Programs that are started once: what they may answer, and what becomes of such as misbehave.
#include "exec/reply.hpp"
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using exec_test::Instance;
using exec_test::Texts;
using tftpkit::exec::Reply;
using tftpkit::exec::reply_from;

namespace {

// Python that is asked: `answer(q)` is called for each request, `say(**members)` writes a line, `body` behind
// it.
const std::string prelude = R"(#!/usr/bin/python3
import json, os, socket, sys, time
def say(body=b"", sent=None, **members):
    line = (json.dumps(members) + "\n").encode() + body
    if sent is None:
        while line:
            line = line[os.write(1, line):]
    else:
        socket.send_fds(socket.socket(fileno=os.dup(1)), [line], [sent])
def each(answer):
    for line in sys.stdin:
        answer(json.loads(line))
)";

class Serving {
 public:
  explicit Serving(const std::string& code, Texts more = {}) {
    scratch.file("program", prelude + code);
    std::filesystem::permissions(scratch.path("program"), std::filesystem::perms(0755));
    more.merge(Texts{{"/mode", "serve"},
                     {"/command/0", scratch.path("program").string()},
                     {"/directory", scratch.path().string()}});
    instance.emplace(more);
  }
  test_support::Scratch scratch;
  std::optional<Instance> instance;
};

std::string fault_of(const std::string& line) {
  try {
    static_cast<void>(reply_from(line));
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
  return "";
}

}  // namespace

TEST_CASE("Each kind of answer is understood") {
  CHECK(reply_from(R"({"id": 7, "size": 3})").kind == Reply::Kind::bytes);
  CHECK(reply_from(R"({"id": 7, "size": 3})").size == 3);
  CHECK(reply_from(R"({"id": 7, "text": "a\n"})").text == "a\n");
  CHECK(reply_from(R"({"id": 7, "file": "/x"})").kind == Reply::Kind::file);
  CHECK(reply_from(R"({"id": 7, "fd": true})").kind == Reply::Kind::descriptor);
  CHECK(reply_from(R"({"id": 7, "redirect": "b"})").kind == Reply::Kind::redirect);
  CHECK(reply_from(R"({"id": 7, "decline": "why"})").text == "why");
  CHECK(reply_from(R"({"id": 7, "error": "why", "status": "not-found"})").status ==
        tftpkit::Status::not_found);
  CHECK(reply_from(R"({"id": 18446744073709551615, "error": "why"})").id == UINT64_MAX);
}

TEST_CASE("What is no answer is told with what would be right") {
  CHECK(fault_of("hello").find("line 1") != std::string::npos);
  CHECK(fault_of(R"({"size": 3})").find("\"id\" is missing") != std::string::npos);
  CHECK(fault_of(R"({"id": -1, "size": 3})").find("/id") != std::string::npos);
  CHECK(fault_of(R"({"id": 7})") == "it says no answer; write exactly one of \"size\", \"text\", \"file\", "
                                    "\"fd\", \"redirect\", \"decline\" or "
                                    "\"error\"");
  CHECK(fault_of(R"({"id": 7, "size": 3, "text": "x"})").find("more than one answer") != std::string::npos);
  CHECK(fault_of(R"({"id": 7, "siz": 3, "text": "x"})").find("did you mean \"size\"?") != std::string::npos);
  CHECK(fault_of(R"({"id": 7, "size": -3})").find("/size") != std::string::npos);
  CHECK(fault_of(R"({"id": 7, "fd": false})").find("leave it out") != std::string::npos);
  CHECK(fault_of(R"({"id": 7, "error": "x", "status": "bad"})").find("/status") != std::string::npos);
  CHECK(fault_of(R"([7])").find("expected an object") != std::string::npos);
}

TEST_CASE("A program is asked with all of the request and answers in each of its ways") {
  Serving serving(R"(
def answer(q):
    i, path = q["id"], q["path"]
    if path == "question":
        text = json.dumps({k: q[k] for k in q if k != "id"}, sort_keys=True)
        say(id=i, text=text)
    elif path == "bytes":
        say(id=i, size=200000, body=b"x" * 200000)
    elif path == "empty":
        say(id=i, size=0)
    elif path == "file":
        say(id=i, file=os.getcwd() + "/program")
    elif path == "fd":
        fd = os.memfd_create("x")
        os.write(fd, b"from a descriptor")
        say(id=i, fd=True, sent=fd)
    elif path == "redirect":
        say(id=i, redirect="other/name")
    elif path == "error":
        say(id=i, error="no such board", status="not-found")
    else:
        say(id=i, decline="not mine")
each(answer)
)");
  Instance& instance = *serving.instance;
  instance.host.mac = {0x52, 0x54, 0, 0xab, 0xcd, 1};
  CHECK(
      instance.fetch("question").content ==
      R"({"blksize": 1428, "mac": "52:54:00:ab:cd:01", "mode": "octet", "options": {"tsize": "0"}, )"
      R"("path": "question", "peer": "192.0.2.7", "peer_port": 2070, "windowsize": 1, "wire_path": "question"})");
  CHECK(instance.fetch("bytes").content == std::string(200'000, 'x'));
  CHECK(instance.fetch("empty").status == TFTPKIT_OK);
  CHECK(instance.fetch("file").content.starts_with("#!/usr/bin/python3"));
  CHECK(instance.fetch("fd").content == "from a descriptor");
  CHECK(instance.fetch("redirect").content == "other/name");
  CHECK(instance.fetch("error").status == TFTPKIT_E_NOT_FOUND);
  CHECK(instance.fetch("x").status == TFTPKIT_DECLINED);
  CHECK(instance.fetch("x").text == "not mine");
}

TEST_CASE("Answers may come in any order, and many requests wait in one program") {
  Serving serving(R"(
kept = []
def answer(q):
    kept.append(q)
    if len(kept) == 10:
        for q in reversed(kept):
            say(id=q["id"], text=q["path"])
        kept.clear()
each(answer)
)");
  std::vector<std::uint64_t> requests;
  for (int i = 0; i < 50; ++i)
    requests.push_back(serving.instance->ask("n/" + std::to_string(i)));
  for (std::size_t i = 0; i < requests.size(); ++i)
    CHECK(serving.instance->answer(requests[i]).content == "n/" + std::to_string(i));
}

TEST_CASE("Several programs share the requests") {
  Serving serving("each(lambda q: (time.sleep(0.05), say(id=q['id'], text=str(os.getpid()))))",
                  {{"/programs", "3"}, {"/concurrency", "1"}});
  std::vector<std::uint64_t> requests;
  for (int i = 0; i < 12; ++i)
    requests.push_back(serving.instance->ask("x"));
  std::set<std::string> pids;
  for (const std::uint64_t request : requests)
    pids.insert(serving.instance->answer(request).content);
  CHECK(pids.size() == 3);
}

TEST_CASE("A program that ends fails what it has, and the next one serves") {
  Serving serving(R"(
def answer(q):
    if q["path"] == "end":
        print("so be it", file=sys.stderr)
        sys.exit(3)
    if q["path"] == "warn":
        print("running low", file=sys.stderr, flush=True)
    if q["path"] == "last":
        say(id=q["id"], text="last words")
        os._exit(0)
    say(id=q["id"], text="good")
each(answer)
)");
  Instance& instance = *serving.instance;
  CHECK(instance.fetch("warn").content == "good");
  CHECK(instance.host.wait_logged("the program says: running low"));
  const auto end = instance.fetch("end");
  CHECK(end.status == TFTPKIT_E_UNAVAILABLE);
  CHECK(end.text == "the program ended with exit status 3");
  CHECK(instance.host.wait_logged(
      "the program ended with exit status 3; its last line: so be it; started again in 0.1 s"));
  CHECK(instance.fetch("x").content == "good");
  CHECK(instance.fetch("last").content == "last words");
  CHECK(instance.fetch("x").content == "good");
}

TEST_CASE("What breaks the protocol ends the program, and the log says what it wrote") {
  for (const auto& [code, told] : std::vector<std::pair<std::string, std::string>>{
           {"os.write(1, b'hello\\n')", "it wrote no answer: line 1"},
           {"say(id=q['id'] + 100, text='x')", "which it has not or has answered already"},
           {"say(id=q['id'], text='x'); say(id=q['id'], text='x')",
            "which it has not or has answered already"},
           {"os.write(1, b'x' * 300000)", "a line of more than 256 KiB"},
           {"os.close(1)", "it closed its standard output"}}) {
    const std::string words = told;  // clang 14 captures no parts
    CAPTURE(words);
    Serving serving("def answer(q):\n    if q['path'] == 'good': return say(id=q['id'], text='good')\n    " +
                    code + "\n    time.sleep(1000)\neach(answer)\n");
    serving.instance->ask("bad");
    CHECK(serving.instance->host.wait_logged(words));
    CHECK(serving.instance->fetch("good").content == "good");
  }
}

TEST_CASE("An answer without what it promises fails that request alone") {
  Serving serving(R"(
def answer(q):
    i, path = q["id"], q["path"]
    if path == "large":
        say(id=i, size=2000000, body=b"x" * 2000000)
    elif path == "relative":
        say(id=i, file="program")
    elif path == "missing":
        say(id=i, file="/nonesuch")
    elif path == "directory":
        say(id=i, file="/")
    elif path == "none":
        say(id=i, fd=True)
    else:
        say(id=i, text=str(os.getpid()))
each(answer)
)",
                  {{"/max_size", "1000000"}});
  Instance& instance = *serving.instance;
  const std::string pid = instance.fetch("x").content;
  CHECK(instance.fetch("large").status == TFTPKIT_E_NO_SPACE);
  for (const char* path : {"relative", "missing", "directory", "none"})
    CHECK(instance.fetch(path).status == TFTPKIT_E_IO);
  CHECK(instance.fetch("x").content == pid);
}

TEST_CASE("A slow answer is passed over when others come, and a silent program is ended") {
  Serving serving(R"(
import threading
def answer(q):
    def later():
        time.sleep(1.6)
        say(id=q["id"], text="late")
        open("late", "w")
    if q["path"] == "slow": threading.Thread(target=later).start()
    elif q["path"] == "hang": time.sleep(1000)
    else: say(id=q["id"], text=str(os.getpid()))
each(answer)
)",
                  {{"/time_limit", "1000"}});
  Instance& instance = *serving.instance;
  const std::string pid = instance.fetch("x").content;
  const auto slow = instance.ask("slow");
  while (!std::filesystem::exists(serving.scratch.path("late"))) {
    CHECK(instance.fetch("x").content == pid);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(instance.answer(slow).status == TFTPKIT_E_TIMEOUT);
  CHECK(instance.fetch("x").content == pid);
  CHECK(instance.fetch("hang").text == "the program took longer than its limit of 1 s");
  CHECK(instance.host.wait_logged("it said nothing for 1 s"));
  const auto again = instance.fetch("x");
  CHECK(again.status == TFTPKIT_OK);
  CHECK(again.content != pid);
}

TEST_CASE("A program that always ends is started ever more rarely, and requests fail at once meanwhile") {
  Serving serving("print('no database', file=sys.stderr); sys.exit(1)");
  Instance& instance = *serving.instance;
  CHECK(instance.host.wait_logged("its last line: no database; started again in 0.8 s"));
  const auto answer = instance.fetch("x");
  CHECK(answer.status == TFTPKIT_E_UNAVAILABLE);
  CHECK(answer.text == "the program ended with exit status 1");
}

TEST_CASE("What a client gave up is answered, and the program goes on") {
  Serving serving("each(lambda q: say(id=q['id'], text='good') if q['path'] == 'good' else None)");
  Instance& instance = *serving.instance;
  const auto request = instance.ask("never");
  instance.host.give_up(request);
  CHECK(instance.answer(request).status == TFTPKIT_E_CANCELLED);
  CHECK(instance.fetch("good").content == "good");
}

TEST_CASE("Stopping closes the program's input, and it may end by itself") {
  Serving serving("each(lambda q: None)\nopen('ended', 'w').write('by itself')\n");
  const auto request = serving.instance->ask("x");
  serving.instance->stop();
  CHECK(serving.instance->answer(request).text == "the server stops");
  CHECK(std::filesystem::exists(serving.scratch.path("ended")));
}

TEST_CASE("A program that cannot be started at all fails the start") {
  const test_support::Scratch scratch;
  scratch.file("tool", "no first line\n");
  std::filesystem::permissions(scratch.path("tool"), std::filesystem::perms(0755));
  CHECK(exec_test::refusal_of_start({{"/mode", "serve"}, {"/command/0", scratch.path("tool").string()}})
            .find("cannot be run (a script needs a first line such as #!/bin/sh)") != std::string::npos);
}
