#include "isolation/instance.hpp"

#include "host/source.hpp"

#include <string>
#include <utility>

namespace tftpkit::isolation {

namespace {

Keeper& keeper(void* self) noexcept {
  return *static_cast<Keeper*>(self);
}

Transfer& transfer_of(void* mark) noexcept {
  return *static_cast<Transfer*>(mark);
}

// The keeper is in *instance already: it is what the table is for.
tftpkit_status create(const tftpkit_host* host, void** instance) noexcept {
  keeper(*instance).attach(host);
  return TFTPKIT_OK;
}

tftpkit_status start(void* self) noexcept {
  return keeper(self).start() ? TFTPKIT_OK : TFTPKIT_E_UNAVAILABLE;
}

void stop(void* self) noexcept {
  keeper(self).stop();
}

tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source*) noexcept {
  return keeper(self).open(*request);
}

std::int64_t read(void* self, void* transfer, void* buffer, std::size_t capacity) noexcept {
  return keeper(self).read(transfer_of(transfer), {static_cast<std::byte*>(buffer), capacity});
}

void close(void* self, void* transfer, const tftpkit_outcome* outcome) noexcept {
  keeper(self).close(transfer_of(transfer), *outcome);
}

void cancel(void*, void* transfer) noexcept {
  Keeper::cancel(transfer_of(transfer));
}

void give_up(void* self, std::uint64_t request) noexcept {
  keeper(self).give_up(request);
}

tftpkit_plugin stand_in() noexcept {
  tftpkit_plugin table{};
  table.struct_size = static_cast<std::uint32_t>(sizeof table);
  table.abi_version = TFTPKIT_ABI_VERSION;
  table.create = create;
  table.start = start;
  table.stop = stop;
  table.open_read = open_read;
  table.read = read;
  table.close = close;
  table.cancel = cancel;
  return table;
}

}  // namespace

Isolated isolated_instance(const host::Description& description, Program program) {
  const std::string name = program.instance;
  const host::Services services = program.services;
  const auto keeper = std::make_shared<Keeper>(std::move(program));
  host::Code code;
  code.description = description;
  code.description.flags &= ~std::uint32_t{TFTPKIT_PLUGIN_SINGLETON};
  code.plugin = stand_in();
  code.self = keeper.get();
  code.give_up = give_up;
  code.owner = keeper;
  try {
    return {host::Instance::create(std::move(code), name, {}, services), keeper};
  } catch (const host::Error&) {
    throw host::Error(host::State::ok, "instance \"" + name + "\" (plugin " + description.name + " " +
                                           description.version + "): " + keeper->why());
  }
}

}  // namespace tftpkit::isolation
