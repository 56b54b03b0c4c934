#include "isolation/message.hpp"

namespace tftpkit::isolation {

namespace {

void fields(auto& io, auto& settings) {
  io(settings.json), io(settings.texts), io(settings.integers), io(settings.counts);
}

}  // namespace

std::vector<std::byte> encoded_settings(const host::Settings& settings) {
  Encoder encoder;
  fields(encoder, settings);
  return encoder.take();
}

std::optional<host::Settings> decoded_settings(std::span<const std::byte> bytes) {
  Decoder decoder{bytes};
  host::Settings settings;
  fields(decoder, settings);
  if (!decoder.complete()) return std::nullopt;
  return settings;
}

}  // namespace tftpkit::isolation
