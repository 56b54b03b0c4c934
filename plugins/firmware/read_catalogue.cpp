#include "firmware/read_catalogue.hpp"

#include "config/nearest.hpp"
#include "firmware/read_conditions.hpp"
#include "kit/hex.hpp"

#include <algorithm>
#include <limits>

namespace tftpkit::firmware {
namespace {

using config::in_quotes;

constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

std::string required_text(ObjectReader& reader, const std::string& key, const std::string& example) {
  std::string text;
  if (!reader.require(key, in_quotes(key) + ": " + in_quotes(example))) return text;
  reader.text(key, text);
  if (text.empty())
    reader.report().add(reader.pointer_of(key), {"it is empty", "write for example " + in_quotes(example)});
  return text;
}

void check_clean(ObjectReader& reader, const std::string& key, const std::string& path) {
  if (!path.empty() && !is_clean_path(path))
    reader.report().add(reader.pointer_of(key),
                        {in_quotes(path) + " is not a path of the kind that a client could ask for",
                         "write it without a slash in front and without .."});
}

Image read_image(const Json& object, const std::string& pointer, config::Report& report) {
  ObjectReader reader(object, pointer, report);
  Image image;
  image.model = required_text(reader, "model", "nxos");
  image.version = required_text(reader, "version", "9.3.12");
  image.file = required_text(reader, "file", "images/nxos.9.3.12.bin");
  check_clean(reader, "file", image.file);
  image.sha256 = kit::lower_case(required_text(reader, "sha256", "the 64 digits that sha256sum prints"));
  if (!image.sha256.empty() && (image.sha256.size() != 64 || !kit::is_hex(image.sha256)))
    report.add(reader.pointer_of("sha256"), {in_quotes(image.sha256) + " is no SHA-256 hash",
                                             "write the 64 digits that sha256sum FILE prints"});
  std::uint64_t size = 0;
  reader.size("size", size, {0, largest});
  if (reader.member("size") != nullptr) image.size = size;
  reader.finish();
  return image;
}

void check_unique(const Image& image, const std::string& pointer, const Catalogue& catalogue,
                  config::Report& report) {
  if (const Image* other = catalogue.find(image.model, image.version))
    report.add(pointer, {in_quotes(image.model) + " " + in_quotes(image.version) +
                             " is in the catalogue already (" + other->place + ")",
                         "remove one of the two"});
  else if (const Image* same = catalogue.by_file(image.file); same != nullptr && same->sha256 != image.sha256)
    report.add(pointer + "/sha256", {in_quotes(image.file) + " has another hash in " + same->place,
                                     "a file has one hash: correct the wrong one"});
}

std::optional<Step> read_step(const Json& object, const std::string& pointer, config::Report& report) {
  ObjectReader reader(object, pointer, report);
  static_cast<void>(reader.require("model", "\"model\": \"c2960x\""));
  auto globs = read_globs(reader, "model");
  const std::string below = required_text(reader, "below", "12.2");
  const std::string via = required_text(reader, "via", "12.2");
  reader.finish();
  if (globs.empty() || below.empty() || via.empty()) return std::nullopt;
  if (std::is_lt(compare_versions(via, below))) {
    report.add(reader.pointer_of("via"), {in_quotes(via) + " is itself below " + in_quotes(below) +
                                              ", so the device would never get on",
                                          "go via a version that is not below"});
    return std::nullopt;
  }
  return Step{std::move(globs.front()), below, via, pointer};
}

}  // namespace

void read_catalogue(ObjectReader& top, const std::string& file, Catalogue& catalogue) {
  top.array("catalogue", [&](const Json& object, const std::string& pointer) {
    Image image = read_image(object, pointer, top.report());
    image.place = file + ": " + pointer;
    check_unique(image, pointer, catalogue, top.report());
    catalogue.images.push_back(std::move(image));
  });
  top.array("upgrades", [&](const Json& object, const std::string& pointer) {
    auto step = read_step(object, pointer, top.report());
    if (!step) return;
    step->place = file + ": " + pointer;
    catalogue.steps.push_back(std::move(*step));
  });
}

void check_steps(const Catalogue& catalogue, const std::string& file, config::Report& report) {
  for (const Step& step : catalogue.steps) {
    const std::string in_this_file = file + ": ";
    if (!step.place.starts_with(in_this_file)) continue;
    const bool there = std::any_of(catalogue.images.begin(), catalogue.images.end(), [&](const Image& image) {
      return step.model.matches(image.model) && image.version == step.via;
    });
    if (!there)
      report.add(step.place.substr(in_this_file.size()) + "/via",
                 {"the catalogue has no version " + in_quotes(step.via) + " of a model " +
                      in_quotes(step.model.pattern()),
                  "add it to /catalogue"});
  }
}

void read_channels(ObjectReader& top, std::vector<Channel>& channels) {
  const Json* object = top.member("channels");
  if (object == nullptr) return;
  ObjectReader all(*object, top.pointer_of("channels"), top.report());
  if (!object->is_object()) return;
  for (const auto& [name, members] : object->items()) {
    ObjectReader reader(members, all.pointer_of(name), top.report());
    Channel channel;
    channel.name = name;
    channel.stable = required_text(reader, "stable", "9.3.12");
    reader.text("canary", channel.canary);
    channel.share = read_share(reader);
    if (channel.canary.empty() && channel.share.percent > 0)
      top.report().add(all.pointer_of(name), {"a share of the devices shall get a canary, and there is none",
                                              "add \"canary\", or leave \"percent\" out"});
    reader.finish();
    const bool twice = std::any_of(channels.begin(), channels.end(),
                                   [&](const Channel& one) { return one.name == channel.name; });
    if (twice)
      top.report().add(all.pointer_of(name),
                       {"another file has this channel already", "give it another name"});
    channels.push_back(std::move(channel));
  }
}

void read_uploads(ObjectReader& top, std::vector<Upload>& uploads) {
  top.array("uploads", [&](const Json& object, const std::string& pointer) {
    ObjectReader reader(object, pointer, top.report());
    Upload upload;
    upload.id = required_text(reader, "id", "polycom-logs");
    upload.names = read_globs(reader, "name");
    upload.expression = read_expression(reader, "regex");
    upload.directory = required_text(reader, "directory", "uploads/polycom");
    check_clean(reader, "directory", upload.directory);
    if (reader.require("max_size", "\"max_size\": \"1MiB\""))
      reader.size("max_size", upload.max_size, {1, largest});
    if (reader.member("name") == nullptr && reader.member("regex") == nullptr)
      top.report().add(pointer, {"nothing says which names are taken", "add \"name\" or \"regex\""});
    reader.finish();
    uploads.push_back(std::move(upload));
  });
}

}  // namespace tftpkit::firmware
