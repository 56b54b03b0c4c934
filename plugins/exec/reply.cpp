#include "exec/reply.hpp"

#include "config/nearest.hpp"
#include "config/object_reader.hpp"

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tftpkit::exec {
namespace {

using Kind = Reply::Kind;

constexpr std::array kinds = {
    std::pair("size", Kind::bytes),        std::pair("text", Kind::text),
    std::pair("file", Kind::file),         std::pair("fd", Kind::descriptor),
    std::pair("redirect", Kind::redirect), std::pair("decline", Kind::declined),
    std::pair("error", Kind::failed),
};

const std::array<std::pair<std::string, Status>, 7> statuses = {{
    {"internal", Status::internal},
    {"not-found", Status::not_found},
    {"access", Status::access},
    {"no-space", Status::no_space},
    {"io", Status::io},
    {"unavailable", Status::unavailable},
    {"timeout", Status::timeout},
}};

std::string quoted_kinds() {
  std::vector<std::string> names;
  names.reserve(kinds.size());
  for (const auto& [name, kind] : kinds)
    names.emplace_back(name);
  return config::quoted_list(names, "or");
}

// The one member that says what kind of answer it is.
void read_kind(config::ObjectReader& reader, Reply& reply) {
  std::size_t found = 0;
  for (const auto& [name, kind] : kinds) {
    if (reader.member(name) == nullptr) continue;
    ++found;
    reply.kind = kind;
    bool with = true;
    if (kind == Kind::bytes)
      reader.number<std::uint64_t>(name, reply.size, {0, std::numeric_limits<std::int64_t>::max()});
    else if (kind == Kind::descriptor)
      reader.flag(name, with);
    else
      reader.text(name, reply.text);
    if (!with) reader.report().add(reader.pointer_of(name), {"it is false", "leave it out"});
  }
  if (found != 1)
    reader.report().add("", {found == 0 ? "it says no answer" : "it says more than one answer",
                             "write exactly one of " + quoted_kinds()});
}

}  // namespace

Reply reply_from(std::string_view line) {
  config::Report report("");
  Reply reply;
  if (const auto object = config::parse(line, "", report)) {
    config::ObjectReader reader(*object, "", report);
    if (reader.require("id", "7"))
      reader.number<std::uint64_t>("id", reply.id, {0, std::numeric_limits<std::uint64_t>::max()});
    read_kind(reader, reply);
    if (reply.kind == Kind::failed) reader.word<Status>("status", reply.status, statuses);
    reader.finish();
  }
  if (!report.empty()) throw std::invalid_argument(config::text(report.take().front()));
  return reply;
}

}  // namespace tftpkit::exec
