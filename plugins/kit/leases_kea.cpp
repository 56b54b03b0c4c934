// Kea's memfile: a CSV file to which a row is appended whenever a lease changes. The last row of an address
// counts; a lifetime of zero deletes it, and state 0 is the only one in which the address is in use.
#include "kit/lease_lines.hpp"
#include "kit/leases.hpp"

#include <algorithm>

namespace tftpkit::kit {
namespace {

constexpr std::int64_t infinite_lifetime = 0xffffffff;

struct Columns {
  std::size_t address, hwaddr, lifetime, expire, hostname, state, least;
};

std::optional<Columns> columns_of(std::string_view header) {
  const auto names = fields_of(header, ',');
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  const Columns columns{column("address"),
                        column("hwaddr"),
                        column("valid_lifetime"),
                        column("expire"),
                        column("hostname"),
                        column("state"),
                        0};
  const std::size_t last = std::max({columns.address, columns.hwaddr, columns.lifetime, columns.expire});
  if (last >= names.size()) return std::nullopt;
  return Columns{columns.address,  columns.hwaddr, columns.lifetime, columns.expire,
                 columns.hostname, columns.state,  last + 1};
}

std::string_view at(const std::vector<std::string_view>& fields, std::size_t column) {
  return column < fields.size() ? fields[column] : std::string_view();
}

// Kea writes a comma in a value as "&#x2c".
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const bool coded =
        text.starts_with("&#x") && text.size() >= 5 && hex_value(text[3]) >= 0 && hex_value(text[4]) >= 0;
    plain += coded ? static_cast<char>(hex_value(text[3]) * 16 + hex_value(text[4])) : text[0];
    text.remove_prefix(coded ? 5 : 1);
  }
  return plain;
}

void read_row(const std::vector<std::string_view>& fields, const Columns& columns, std::size_t number,
              Leases& leases) {
  const auto ip = ip_from(at(fields, columns.address));
  const auto lifetime = whole_number(at(fields, columns.lifetime));
  const auto expire = whole_number(at(fields, columns.expire));
  if (fields.size() < columns.least || !ip || !lifetime || !expire) return leases.skipped(number);
  const auto mac = mac_from(at(fields, columns.hwaddr));
  const std::string_view state = at(fields, columns.state);
  if (*lifetime == 0 || !mac || (!state.empty() && state != "0")) return leases.remove(*ip);
  Lease lease;
  lease.ip = *ip;
  lease.mac = *mac;
  lease.hostname = unescaped(at(fields, columns.hostname));
  lease.expires = *lifetime == infinite_lifetime ? Lease::never : *expire;
  leases.put(std::move(lease));
}

}  // namespace

void read_kea_leases(std::string_view text, Leases& leases) {
  std::optional<Columns> columns;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.empty()) return;
    if (line.starts_with("address,")) {
      columns = columns_of(line);
      if (!columns) leases.skipped(number);
    } else if (columns) {
      read_row(fields_of(line, ','), *columns, number, leases);
    } else {
      leases.skipped(number);
    }
  });
}

}  // namespace tftpkit::kit
