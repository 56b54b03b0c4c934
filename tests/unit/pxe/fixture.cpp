#include "fixture.hpp"

#include "kit/ip.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace pxe_test {

const std::string_view example = R"({
  "default": "menu",
  "profiles": {
    "debian12": {"title": "Debian 12", "kernel": "debian12/linux", "initrd": "debian12/initrd.gz", "args": "quiet"},
    "rescue": {"title": "Rescue system", "kernel": "rescue/vmlinuz", "initrd": "rescue/initrd"},
    "install": {"title": "Install", "kernel": "install/linux", "initrd": "install/initrd.gz"},
    "local": {"title": "Boot from disk", "local": true},
    "menu": {"title": "What to start", "menu": ["local", "debian12", "rescue"]}
  },
  "groups": {"rack7": {"networks": ["10.77.8.0/24"], "profile": "rescue"}},
  "machines": {
    "web1": {"mac": "52:54:00:ab:cd:01", "uuid": "12345678-9abc-def0-1122-334455667788", "profile": "debian12",
             "look": {"serial": "ttyS0"}},
    "db9": {"mac": "52:54:00:00:00:09", "profile": "local", "once": "install"}
  }
})";

Texts settings_for(const Scratch& scratch, Texts more) {
  Texts settings = {{"/inventory", scratch.path("inventory.json").string()},
                    {"/state", scratch.path("state.json").string()}};
  for (auto& [key, text] : more)
    settings[key] = text;
  return settings;
}

Plugin::Plugin(const Scratch& scratch, Texts settings) : host(settings_for(scratch, std::move(settings))) {
  const tftpkit_plugin& plugin = tftpkit::pxe::descriptor();
  const tftpkit_status status = plugin.create(host.table(), &instance_);
  const std::string why = host.take_explanation();
  REQUIRE_MESSAGE(status == TFTPKIT_OK, why);
  REQUIRE(plugin.start(instance_) == TFTPKIT_OK);
  running_ = true;
}

Plugin::~Plugin() {
  stop();
  if (instance_ != nullptr) tftpkit::pxe::descriptor().destroy(instance_);
}

void Plugin::stop() {
  if (std::exchange(running_, false)) tftpkit::pxe::descriptor().stop(instance_);
}

Reply Plugin::open(std::string_view path, std::string_view from, const Options& options) {
  const std::string name(path);
  std::vector<tftpkit_option> raw;
  for (const auto& [key, value] : options)
    raw.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
  tftpkit_request request{};
  request.struct_size = sizeof request;
  request.op = TFTPKIT_OP_READ;
  request.id = next_id_++;
  request.announced_size = TFTPKIT_SIZE_UNKNOWN;
  request.path = request.wire_path = {name.c_str(), name.size()};
  request.mode = TFTPKIT_MODE_OCTET;
  request.options = raw.data();
  request.option_count = static_cast<std::uint32_t>(raw.size());
  if (const auto ip = tftpkit::kit::ip_from(from)) {
    request.peer.family = request.local.family = ip->v6 ? 6 : 4;
    std::copy(ip->bytes.begin(), ip->bytes.end(), request.peer.bytes);
    std::copy_n(ip->bytes.begin(), 3, request.local.bytes);
    request.local.bytes[3] = 254;
  }
  tftpkit_source source{};
  tftpkit_source_init(&source);
  Reply reply;
  reply.id = request.id;
  reply.status = tftpkit::pxe::descriptor().open_read(instance_, &request, &source);
  reply.why = host.take_explanation();
  if (reply.status != TFTPKIT_OK) return reply;
  reply.transfer = source.transfer;
  if (source.kind == TFTPKIT_SOURCE_REDIRECT) {
    reply.redirect.assign(source.redirect.ptr, source.redirect.len);
  } else {
    CHECK(source.kind == TFTPKIT_SOURCE_BUFFER);
    CHECK(source.size > 0);
    reply.content.assign(static_cast<const char*>(source.data), static_cast<std::size_t>(source.size));
  }
  return reply;
}

void Plugin::close(const Reply& reply, std::uint32_t end) {
  if (reply.status != TFTPKIT_OK) return;
  tftpkit_outcome outcome{};
  outcome.struct_size = sizeof outcome;
  outcome.end = end;
  tftpkit::pxe::descriptor().close(instance_, reply.transfer, &outcome);
}

Reply Plugin::get(std::string_view path, std::string_view from, const Options& options) {
  Reply reply = open(path, from, options);
  close(reply, TFTPKIT_END_DELIVERED);
  return reply;
}

std::string refusal(std::string_view inventory, bool with_state) {
  const Scratch scratch;
  scratch.file("inventory.json", inventory);
  Texts settings = settings_for(scratch);
  if (!with_state) settings.erase("/state");
  FakeHost host(std::move(settings));
  void* instance = nullptr;
  if (tftpkit::pxe::descriptor().create(host.table(), &instance) == TFTPKIT_OK) {
    tftpkit::pxe::descriptor().destroy(instance);
    return "";
  }
  return host.take_explanation() + "\n" + host.all_logged();
}

}  // namespace pxe_test
