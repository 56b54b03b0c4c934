#include "config/object_reader.hpp"

#include "config/nearest.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace tftpkit::config {

ObjectReader::ObjectReader(const Json& object, std::string pointer, Report& report)
    : object_(object), pointer_(std::move(pointer)), report_(report) {
  if (!object_.is_object()) {
    report_.add(pointer_, {"expected an object, not " + shown(object_), "write { ... }"});
  }
}

const Json* ObjectReader::member(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

void ObjectReader::expected(const std::string& key, const Json& value, std::string_view what,
                            std::string hint) {
  report_.add(pointer_of(key), {"expected " + std::string(what) + ", not " + shown(value), std::move(hint)});
}

void ObjectReader::flag(const std::string& key, bool& value) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (!found->is_boolean()) return expected(key, *found, "true or false", "");
  value = found->get<bool>();
}

void ObjectReader::text(const std::string& key, std::string& value) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (!found->is_string()) return expected(key, *found, "a string", "put it in quotes");
  value = found->get<std::string>();
}

void ObjectReader::size(const std::string& key, std::uint64_t& bytes, Bounds<std::uint64_t> bounds) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (!found->is_string() && !found->is_number_unsigned()) {
    return expected(key, *found, "a size", "write for example \"64KiB\" or \"1GiB\", or a number of bytes");
  }
  const auto read = found->is_string() ? size_from(found->get_ref<const std::string&>())
                                       : std::variant<std::uint64_t, Complaint>(found->get<std::uint64_t>());
  if (const auto* complaint = std::get_if<Complaint>(&read)) return report_.add(pointer_of(key), *complaint);
  const std::uint64_t number = std::get<std::uint64_t>(read);
  if (number < bounds.low || number > bounds.high) {
    return report_.add(pointer_of(key),
                       {shown(*found) + " is out of range", "write a size from \"" + size_text(bounds.low) +
                                                                "\" to \"" + size_text(bounds.high) + "\""});
  }
  bytes = number;
}

void ObjectReader::duration(const std::string& key, std::chrono::milliseconds& value,
                            Bounds<std::chrono::milliseconds> bounds) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (found->is_number_unsigned() && *found != 0) {
    const std::string number = dumped(*found);
    return report_.add(pointer_of(key), {"a duration needs a unit, and " + number + " has none",
                                         "did you mean \"" + number + "s\" or \"" + number + "ms\"?"});
  }
  if (!found->is_string() && !found->is_number_unsigned()) {
    return expected(key, *found, "a duration", "write for example \"250ms\", \"3s\" or \"5m\"");
  }
  const auto read = duration_from(found->is_string() ? found->get_ref<const std::string&>() : "0");
  if (const auto* complaint = std::get_if<Complaint>(&read)) return report_.add(pointer_of(key), *complaint);
  const auto duration = std::get<std::chrono::milliseconds>(read);
  if (duration < bounds.low || duration > bounds.high) {
    return report_.add(pointer_of(key), {shown(*found) + " is out of range",
                                         "write a duration from \"" + duration_text(bounds.low) + "\" to \"" +
                                             duration_text(bounds.high) + "\""});
  }
  value = duration;
}

std::optional<std::uint64_t> ObjectReader::whole_number(const std::string& key, std::uint64_t low,
                                                        std::uint64_t high) {
  const Json* found = member(key);
  if (found == nullptr) return std::nullopt;
  const std::string right = "write a number from " + std::to_string(low) + " to " + std::to_string(high);
  if (!found->is_number_integer()) {
    expected(key, *found, "a whole number", right);
    return std::nullopt;
  }
  if (found->is_number_unsigned() && found->get<std::uint64_t>() >= low &&
      found->get<std::uint64_t>() <= high) {
    return found->get<std::uint64_t>();
  }
  report_.add(pointer_of(key), {shown(*found) + " is out of range", right});
  return std::nullopt;
}

std::optional<std::size_t> ObjectReader::word_index(const std::string& key,
                                                    std::span<const std::string> names) {
  const Json* found = member(key);
  if (found == nullptr) return std::nullopt;
  const std::string choice = quoted_list(names, "or");
  if (!found->is_string()) {
    expected(key, *found, "one of the words " + choice, "");
    return std::nullopt;
  }
  const auto& text = found->get_ref<const std::string&>();
  const auto at = std::find(names.begin(), names.end(), text);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  const auto near = nearest(text, names);
  report_.add(pointer_of(key), {in_quotes(text) + " is none of the words " + choice,
                                near ? "did you mean " + in_quotes(*near) + "?" : ""});
  return std::nullopt;
}

void ObjectReader::texts(const std::string& key, const EachText& each) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (found->is_string()) return each(found->get_ref<const std::string&>(), pointer_of(key));
  if (!found->is_array()) return expected(key, *found, "a string or an array of strings", "");
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Json& element = (*found)[i];
    const std::string place = below(pointer_of(key), i);
    if (element.is_string()) {
      each(element.get_ref<const std::string&>(), place);
    } else {
      report_.add(place, {"expected a string, not " + shown(element), "put it in quotes"});
    }
  }
}

void ObjectReader::array(const std::string& key, const Each& each) {
  const Json* found = member(key);
  if (found == nullptr) return;
  if (!found->is_array()) return expected(key, *found, "an array", "write [ ... ]");
  for (std::size_t i = 0; i < found->size(); ++i)
    each((*found)[i], below(pointer_of(key), i));
}

bool ObjectReader::require(const std::string& key, std::string example) {
  if (member(key) != nullptr) return true;
  if (object_.is_object())
    report_.add(pointer_, {in_quotes(key) + " is missing", "write for example " + std::move(example)});
  return false;
}

void ObjectReader::finish() {
  if (!object_.is_object()) return;
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    report_.add(pointer_of(key),
                {"unknown key " + in_quotes(key), name_hint(key, known_, "the keys here are")});
  }
}

}  // namespace tftpkit::config
