#include "firmware/read_action.hpp"

#include "config/nearest.hpp"

#include <algorithm>
#include <array>

namespace tftpkit::firmware {
namespace {

using config::in_quotes;
using config::Json;
using config::ObjectReader;
using config::Report;

constexpr std::size_t longest_message = 256;  // what fits into an ERROR packet that every client can take

// A pattern that stands for a path: what is plain in it has to be clean.
Pattern read_path(const std::string& text, const std::string& pointer, const std::vector<std::string>& names,
                  Report& report) {
  const std::size_t before = report.size();
  Pattern pattern = read_pattern(text, pointer, names, report);
  const auto any_value = [](std::string_view) { return std::optional<std::string>("x"); };
  if (report.size() == before && !is_clean_path(pattern.filled(any_value).value_or("")))
    report.add(pointer, {in_quotes(text) + " is not a path of the kind that a client could ask for",
                         "write it without a slash in front, without .., with / between the parts"});
  return pattern;
}

std::vector<Pattern> read_paths(ObjectReader& reader, const std::string& key,
                                const std::vector<std::string>& names) {
  std::vector<Pattern> patterns;
  reader.texts(key, [&](const std::string& text, const std::string& pointer) {
    patterns.push_back(read_path(text, pointer, names, reader.report()));
  });
  if (reader.member(key) != nullptr && reader.member(key)->is_array() && reader.member(key)->empty())
    reader.report().add(reader.pointer_of(key), {"the list is empty", "name at least one"});
  return patterns;
}

Refusal read_refusal(const Json& object, const std::string& pointer, Report& report) {
  ObjectReader reader(object, pointer, report);
  Refusal refusal;
  constexpr std::array<unsigned, 6> codes = {0, 1, 2, 3, 4, 8};
  if (reader.require("code", "\"code\": 1"))
    reader.number("code", refusal.code, config::Bounds<unsigned>{0, 8});
  if (std::find(codes.begin(), codes.end(), refusal.code) == codes.end())
    report.add(
        reader.pointer_of("code"),
        {std::to_string(refusal.code) + " is no error for who wants to read",
         "the codes are 0 (other), 1 (not found), 2 (not allowed), 3 (full), 4 (illegal) and 8 (options)"});
  if (reader.require("message", "\"message\": \"unknown phone\"")) reader.text("message", refusal.message);
  if (refusal.message.size() > longest_message)
    report.add(reader.pointer_of("message"), {"it is too long for an ERROR packet",
                                              "write at most " + std::to_string(longest_message) + " bytes"});
  reader.finish();
  return refusal;
}

void check_releases(const ImageChoice& choice, const Channel& channel, const std::string& pointer,
                    const Known& known, Report& report) {
  if (!choice.model.is_plain()) return;
  for (const std::string& release : {channel.stable, channel.canary})
    if (!release.empty() && known.catalogue->find(choice.model.text(), release) == nullptr)
      report.add(pointer,
                 {"the channel " + in_quotes(channel.name) + " leads to " + in_quotes(release) +
                      ", which the catalogue does not have for the model " + in_quotes(choice.model.text()),
                  "add it to /catalogue"});
}

ImageChoice read_image(const Json& object, const std::string& pointer, const Known& known,
                       const Channel* channel, Report& report) {
  ObjectReader reader(object, pointer, report);
  ImageChoice choice;
  std::string model;
  std::string version;
  if (reader.require("model", "\"model\": \"nxos\"")) reader.text("model", model);
  choice.model = read_pattern(model, reader.pointer_of("model"), known.names, report);
  reader.text("version", version);
  if (reader.member("version") != nullptr)
    choice.version = read_pattern(version, reader.pointer_of("version"), known.names, report);
  reader.finish();
  if (choice.version.has_value() == (channel != nullptr)) {
    report.add(pointer, {channel != nullptr ? "both a version and a channel say which image it is"
                                            : "nothing says which version it is",
                         "give either \"version\" here or \"channel\" beside \"image\""});
  } else if (channel != nullptr) {
    check_releases(choice, *channel, pointer, known, report);
  } else if (choice.model.is_plain() && choice.version->is_plain() && !model.empty() &&
             known.catalogue->find(model, version) == nullptr) {
    report.add(pointer, {"the catalogue has no " + in_quotes(model) + " " + in_quotes(version),
                         "add it to /catalogue"});
  }
  return choice;
}

std::optional<std::size_t> read_channel(ObjectReader& reader, const std::vector<Channel>& channels) {
  std::string name;
  reader.text("channel", name);
  if (reader.member("channel") == nullptr || name.empty()) return std::nullopt;
  std::vector<std::string> names;
  names.reserve(channels.size());
  for (const Channel& channel : channels)
    names.push_back(channel.name);
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  const std::string hint = config::name_hint(name, names, "the channels are");
  reader.report().add(reader.pointer_of("channel"), {"there is no channel " + in_quotes(name),
                                                     hint.empty() ? "add it to /channels" : hint});
  return std::nullopt;
}

Values read_values(ObjectReader& reader) {
  Values values;
  const Json* object = reader.member("values");
  if (object == nullptr) return values;
  ObjectReader inside(*object, reader.pointer_of("values"), reader.report());
  if (object->is_object())
    for (const auto& [name, ignored] : object->items())
      inside.text(name, values[name]);
  return values;
}

void check_kinds(const Action& action, const std::string& pointer, ObjectReader& reader) {
  const bool gives = !action.files.empty() || !action.templates.empty();
  const int kinds =
      (gives || reader.member("file") != nullptr || reader.member("template") != nullptr ? 1 : 0) +
      (action.image ? 1 : 0) + (action.refusal ? 1 : 0) + (action.decline ? 1 : 0);
  if (kinds == 0)
    reader.report().add(pointer, {"the rule gives nothing",
                                  "add \"file\", \"template\", \"image\", \"refuse\" or \"decline\": true"});
  if (kinds > 1)
    reader.report().add(pointer,
                        {"the rule gives more than one kind of answer",
                         "keep one of \"file\" and \"template\", \"image\", \"refuse\", \"decline\""});
}

}  // namespace

Pattern read_pattern(const std::string& text, const std::string& pointer,
                     const std::vector<std::string>& names, Report& report) {
  auto parsed = Pattern::from(text);
  if (const auto* complaint = std::get_if<config::Complaint>(&parsed)) {
    report.add(pointer, {in_quotes(text) + ": " + complaint->what, complaint->hint});
    return {};
  }
  for (const std::string& name : std::get<Pattern>(parsed).names())
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string hint = name == "image" ? "add the \"channel\" that says which"
                                               : config::name_hint(name, names, "known are");
      report.add(pointer,
                 {in_quotes("{" + name + "}") + " stands for nothing here",
                  hint.empty() ? "capture it from the name, or add a column to the inventory" : hint});
    }
  return std::get<Pattern>(std::move(parsed));
}

Action read_action(const Json& object, const std::string& pointer, const Known& known, Report& report) {
  ObjectReader reader(object, pointer, report);
  Action action;
  action.channel = read_channel(reader, *known.channels);
  std::vector<std::string> names = known.names;
  if (reader.member("channel") != nullptr) names.emplace_back("image");
  action.files = read_paths(reader, "file", names);
  action.templates = read_paths(reader, "template", names);
  if (action.files.size() + action.templates.size() > 1 && !action.files.empty() && !known.files_known)
    report.add(reader.pointer_of("file"),
               {"nothing tells which of the candidates exists, so the first would always be taken",
                "set \"root\" in the settings of the instance, or name one file"});
  if (const Json* image = reader.member("image"))
    action.image = read_image(*image, reader.pointer_of("image"), known,
                              action.channel ? &(*known.channels)[*action.channel] : nullptr, report);
  if (const Json* refusal = reader.member("refuse"))
    action.refusal = read_refusal(*refusal, reader.pointer_of("refuse"), report);
  reader.flag("decline", action.decline);
  static const std::vector<std::pair<std::string, bool>> missing = {{"refuse", false}, {"next", true}};
  reader.word("missing", action.next_when_missing, std::span(missing));
  reader.text("profile", action.profile);
  action.values = read_values(reader);
  if (object.is_object()) check_kinds(action, pointer, reader);
  reader.finish();
  return action;
}

}  // namespace tftpkit::firmware
