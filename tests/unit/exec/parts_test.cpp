// The parts that know no process: the last line, the body, the words for a request.
#include "exec/body.hpp"
#include "exec/last_line.hpp"
#include "exec/question.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <string>

using tftpkit::exec::Body;
using tftpkit::exec::LastLine;

TEST_CASE("The last line is the last with something in it, with or without its newline") {
  LastLine line;
  CHECK(line.text().empty());
  line.add("first\nsecond\n\n  \n");
  CHECK(line.text() == "second");
  line.add("thi");
  line.add("rd");
  CHECK(line.text() == "third");
  line.add("\r\n");
  CHECK(line.text() == "third");
}

TEST_CASE("However long a line is, only its beginning is kept") {
  LastLine line;
  for (int i = 0; i < 1000; ++i)
    line.add(std::string(1000, 'x'));
  CHECK(line.text() == std::string(LastLine::longest, 'x'));
  line.add("\nend\n");
  CHECK(line.text() == "end");
}

TEST_CASE("What a body was given comes out, whether it fits into memory or not") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, Body::most_in_memory, Body::most_in_memory + 1}) {
    CAPTURE(size);
    const std::string spool;
    Body body(spool);
    for (std::size_t at = 0; at < size; at += 1000)
      body.add(std::string(std::min<std::size_t>(1000, size - at), static_cast<char>('a' + at / 1000 % 26)));
    CHECK(body.size() == size);
    const auto answer = body.take();
    CHECK(body.size() == 0);
  }
}

TEST_CASE("A body that has no place for its file says so") {
  const std::string spool = "/nonesuch";
  Body body(spool);
  body.add("fits");
  CHECK_THROWS_WITH_AS(body.add(std::string(100'000, 'x')),
                       doctest::Contains("no file for the answer in /nonesuch"), std::system_error);
}

namespace {

tftpkit_str str(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}

}  // namespace

TEST_CASE("A command is told all of the request in TFTP_ variables, each once") {
  const std::array options{
      tftpkit_option{str("tsize"), str("0")}, tftpkit_option{str("x-vendor"), str("a b")},
      tftpkit_option{str("x_vendor"), str("second")}, tftpkit_option{str("b=d"), str("c")}};
  tftpkit_request request{};
  request.id = 7;
  request.path = str("boot/menu");
  request.wire_path = str("\\boot\\menu\xff");
  request.mode = TFTPKIT_MODE_NETASCII;
  request.blksize = 1428;
  request.windowsize = 4;
  request.peer = {4, 2070, 0, {192, 0, 2, 7}};
  request.local = {6, 69, 0, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  request.options = options.data();
  request.option_count = options.size();
  const std::vector<std::string> expected = {"TFTP_PATH=boot/menu",
                                             "TFTP_WIRE_PATH=\\boot\\menu\xff",
                                             "TFTP_MODE=netascii",
                                             "TFTP_BLKSIZE=1428",
                                             "TFTP_WINDOWSIZE=4",
                                             "TFTP_REQUEST_ID=7",
                                             "TFTP_PEER=192.0.2.7",
                                             "TFTP_PEER_PORT=2070",
                                             "TFTP_LOCAL=fd00::1",
                                             "TFTP_MAC=52:54:00:ab:cd:01",
                                             "TFTP_TSIZE=0",
                                             "TFTP_OPTION_TSIZE=0",
                                             "TFTP_OPTION_X_VENDOR=a b"};
  CHECK(tftpkit::exec::environment_of(request, tftpkit::kit::mac_from("52:54:00:ab:cd:01")) == expected);
}

TEST_CASE("What is not known is no variable") {
  tftpkit_request request{};
  request.path = request.wire_path = str("x");
  for (const std::string& one : tftpkit::exec::environment_of(request, std::nullopt)) {
    CHECK_FALSE(one.starts_with("TFTP_PEER"));
    CHECK_FALSE(one.starts_with("TFTP_MAC"));
  }
}
