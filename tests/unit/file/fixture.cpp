// Scratch directories and instances.
#include "fixture.hpp"

#include <doctest/doctest.h>
#include <tftpkit/open_now.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace file_test {
namespace fs = std::filesystem;

Scratch::Scratch() {
  fs::create_directory(root());
  ::chmod(root().c_str(), 0755);
}

void Scratch::link(const std::string& path, const std::string& target) const {
  fs::create_directories((root() / path).parent_path());
  fs::create_symlink(target, root() / path);
}

Plugin::Plugin(Texts settings, Way way) : host(std::move(settings)), peer(ipv4(10, 0, 0, 5)) {
  const tftpkit_status status = tftpkit::file::create_instance(host.table(), &instance_, way == Way::steps);
  const std::string why = host.take_explanation();
  REQUIRE_MESSAGE(status == TFTPKIT_OK, why);
}

Plugin::~Plugin() {
  if (instance_ != nullptr) tftpkit::file::descriptor().destroy(instance_);
}

Reply Plugin::open(std::string_view path) {
  return ask(path, [this](const tftpkit_request& request, tftpkit_source& source) {
    return tftpkit::file::descriptor().open_read(instance_, &request, &source);
  });
}

std::optional<Reply> Plugin::open_now(std::string_view path) {
  const auto* now =
      static_cast<const tftpkit_open_now*>(tftpkit::file::descriptor().extension(TFTPKIT_OPEN_NOW));
  REQUIRE((now != nullptr));
  int32_t answered = 0;
  const Reply reply = ask(path, [&](const tftpkit_request& request, tftpkit_source& source) {
    return now->open_read(instance_, &request, &source, &answered);
  });
  return answered != 0 ? std::optional(reply) : std::nullopt;
}

Reply Plugin::ask(std::string_view path, const Ask& ask) {
  const std::string name(path);
  tftpkit_request request{};
  request.struct_size = sizeof request;
  request.op = TFTPKIT_OP_READ;
  request.id = 7;
  request.announced_size = TFTPKIT_SIZE_UNKNOWN;
  request.path = {name.c_str(), name.size()};
  request.wire_path = request.path;
  request.mode = TFTPKIT_MODE_OCTET;
  request.peer = peer;
  tftpkit_source source{};
  tftpkit_source_init(&source);

  Reply reply;
  reply.status = ask(request, source);
  reply.text = host.take_explanation();
  if (reply.status != TFTPKIT_OK) {
    CHECK(source.fd == -1);
    return reply;
  }
  CHECK(source.kind == TFTPKIT_SOURCE_FD);
  reply.size = source.size;
  reply.fd_flags = ::fcntl(source.fd, F_GETFD);
  reply.content.resize(65536);
  const ssize_t got = ::pread(source.fd, reply.content.data(), reply.content.size(), 0);
  reply.content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  ::close(source.fd);
  return reply;
}

Texts serving(const Scratch& scratch, Texts more) {
  more["/root"] = scratch.root().string();
  return more;
}

tftpkit_addr ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  tftpkit_addr address{};
  address.family = 4;
  address.port = 2001;
  address.bytes[0] = a;
  address.bytes[1] = b;
  address.bytes[2] = c;
  address.bytes[3] = d;
  return address;
}

std::string refusal_of_settings(Texts settings) {
  FakeHost host(std::move(settings));
  void* instance = nullptr;
  const tftpkit_status status = tftpkit::file::descriptor().create(host.table(), &instance);
  if (status == TFTPKIT_OK) {
    tftpkit::file::descriptor().destroy(instance);
    return "";
  }
  CHECK(status == TFTPKIT_E_OPTION);
  return host.take_explanation();
}

}  // namespace file_test
