#include "firmware/inventory.hpp"

#include "config/nearest.hpp"
#include "kit/hex.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

namespace tftpkit::firmware {
namespace {

// Columns with a meaning. Any other is kept under its name for templates.
const std::vector<std::string>& known_columns() {
  static const std::vector<std::string> names = {"mac",      "ip",    "serial",  "uuid", "vendor", "model",
                                                 "hostname", "group", "version", "pin",  "ring",   "asks"};
  return names;
}

std::string line_text(std::size_t line) {
  return "line " + std::to_string(line);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_asks(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    if (const auto name = trimmed(text.substr(0, end)); !name.empty()) names.emplace_back(name);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

// Puts the fields of one line into a device.
class Row {
 public:
  Row(std::size_t line, config::Report& report) : line_(line), report_(report) {}

  void put(const std::string& column, const std::string& value) {
    if (value.empty()) return;
    if (column == "mac")
      put_mac(value);
    else if (column == "ip")
      put_ip(value);
    else if (column == "ring")
      put_ring(value);
    else if (column == "uuid")
      device_.uuid = kit::lower_case(value);
    else if (column == "asks")
      device_.asks = split_asks(value);
    else if (std::string* text = text_of(column))
      *text = value;
    else
      device_.more[column] = value;
  }
  [[nodiscard]] Device take() { return std::move(device_); }

 private:
  void complain(const std::string& column, std::string what, std::string hint) {
    report_.add(line_text(line_) + ", " + column, {std::move(what), std::move(hint)});
  }
  void put_mac(const std::string& value) {
    device_.mac = kit::mac_from(value);
    if (!device_.mac)
      complain("mac", config::in_quotes(value) + " is no MAC address", "write for example 00:15:65:12:34:ab");
  }
  void put_ip(const std::string& value) {
    device_.ip = kit::ip_from(value);
    if (!device_.ip)
      complain("ip", config::in_quotes(value) + " is no IP address",
               "write for example 10.20.0.11 or 2001:db8::11");
  }
  void put_ring(const std::string& value) {
    if (value == "canary")
      device_.ring = Ring::canary;
    else if (value == "hold")
      device_.ring = Ring::hold;
    else
      complain("ring", config::in_quotes(value) + " is no ring", "write canary or hold, or leave it empty");
  }
  std::string* text_of(const std::string& column) {
    const std::array<std::pair<std::string_view, std::string*>, 7> texts = {{{"serial", &device_.serial},
                                                                             {"vendor", &device_.vendor},
                                                                             {"model", &device_.model},
                                                                             {"hostname", &device_.hostname},
                                                                             {"group", &device_.group},
                                                                             {"version", &device_.version},
                                                                             {"pin", &device_.pin}}};
    const auto* at =
        std::find_if(texts.begin(), texts.end(), [&](const auto& one) { return one.first == column; });
    return at == texts.end() ? nullptr : at->second;
  }

  std::size_t line_;
  config::Report& report_;
  Device device_;
};

bool identifies(const std::string& column) {
  constexpr std::array<std::string_view, 5> keys = {"mac", "ip", "serial", "uuid", "hostname"};
  return std::find(keys.begin(), keys.end(), column) != keys.end();
}

bool has_meaning(const std::string& column) {
  return std::find(known_columns().begin(), known_columns().end(), column) != known_columns().end();
}

void check_header(const std::vector<std::string>& header, std::size_t line, config::Report& report) {
  if (std::none_of(header.begin(), header.end(), identifies))
    report.add(line_text(line),
               {"no column says who a device is",
                "begin the file with a header such as mac,serial,ip,vendor,model,hostname,group,version"});
  for (auto one = header.begin(); one != header.end(); ++one) {
    if (one->empty())
      report.add(line_text(line), {"a column has no name", "give every column a name"});
    else if (std::find(header.begin(), one, *one) != one)
      report.add(line_text(line),
                 {"the column " + config::in_quotes(*one) + " is there twice", "remove one of the two"});
    else if (!has_meaning(*one))
      if (const auto near = config::nearest(*one, known_columns()))
        report.add(line_text(line), {"the column " + config::in_quotes(*one) + " is not known",
                                     "did you mean " + config::in_quotes(*near) +
                                         "? A column of your own needs a name that is less like it"});
  }
}

bool no_value(std::string_view line) {
  return trimmed(line).empty() || trimmed(line).front() == '#';
}

}  // namespace

std::optional<std::vector<std::string>> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && line.substr(i + 1, 1) == "\"") {
      fields.back() += line[++i];
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  for (std::string& field : fields)
    field = trimmed(field);
  return fields;
}

Inventory Inventory::from_csv(std::string_view text, config::Report& report) {
  Inventory inventory;
  std::vector<std::string> header;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // spreadsheets put it in front of UTF-8
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (no_value(line)) continue;
    const auto fields = csv_fields(line);
    if (!fields) {
      report.add(line_text(number), {"a quotation mark is not closed", "close it on the same line"});
    } else if (header.empty()) {
      header = *fields;
      check_header(header, number, report);
      std::copy_if(header.begin(), header.end(), std::back_inserter(inventory.more_columns_),
                   [](const std::string& one) { return !has_meaning(one); });
    } else if (fields->size() > header.size()) {
      report.add(line_text(number), {"there are " + std::to_string(fields->size()) + " fields for " +
                                         std::to_string(header.size()) + " columns",
                                     "put a field with a comma into double quotes"});
    } else {
      Row row(number, report);
      for (std::size_t i = 0; i < fields->size(); ++i)
        row.put(header[i], (*fields)[i]);
      inventory.add(row.take(), number, report);
    }
  }
  if (header.empty())
    report.add("",
               {"there is no header", "write one such as mac,serial,ip,vendor,model,hostname,group,version"});
  return inventory;
}

void Inventory::add(Device device, std::size_t line, config::Report& report) {
  const std::size_t at = devices_.size();
  const auto taken = [&](const char* column, const std::string& value) {
    report.add(line_text(line) + ", " + column,
               {value + " belongs to an earlier line already", "give each device one line"});
  };
  if (device.mac && !by_mac_.emplace(*device.mac, at).second) taken("mac", kit::mac_text(*device.mac));
  if (device.ip && !by_ip_.emplace(*device.ip, at).second) taken("ip", kit::ip_text(*device.ip));
  if (!device.serial.empty() && !by_serial_.emplace(device.serial, at).second)
    taken("serial", config::in_quotes(device.serial));
  if (!device.uuid.empty() && !by_uuid_.emplace(device.uuid, at).second)
    taken("uuid", config::in_quotes(device.uuid));
  // Two devices may share a hostname: then it says nothing of who they are, and the first keeps it.
  if (!device.hostname.empty()) by_hostname_.emplace(kit::lower_case(device.hostname), at);
  devices_.push_back(std::move(device));
}

const Device* Inventory::by_mac(const kit::Mac& mac) const {
  return found(by_mac_, mac);
}
const Device* Inventory::by_ip(const kit::Ip& ip) const {
  return found(by_ip_, ip);
}
const Device* Inventory::by_serial(const std::string& serial) const {
  return found(by_serial_, serial);
}
const Device* Inventory::by_uuid(const std::string& uuid) const {
  return found(by_uuid_, kit::lower_case(uuid));
}
const Device* Inventory::by_hostname(const std::string& hostname) const {
  return found(by_hostname_, kit::lower_case(hostname));
}

}  // namespace tftpkit::firmware
