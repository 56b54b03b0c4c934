#include "config/isolation.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tftpkit::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t least_memory = 16ULL << 20;
constexpr std::uint64_t most_memory = 1ULL << 44;

SandboxConfig from_object(const Json& value, const std::string& pointer, Report& report,
                          const std::filesystem::path& base_dir) {
  ObjectReader reader(value, pointer, report);
  SandboxConfig sandbox;
  reader.text("user", sandbox.user);
  reader.flag("network", sandbox.network);
  reader.texts("read", [&](const std::string& text, const std::string& place) {
    if (text.empty()) return report.add(place, {"the path is empty", ""});
    sandbox.read.push_back((base_dir / text).lexically_normal());
  });
  reader.finish();
  return sandbox;
}

std::optional<SandboxConfig> read_sandbox(ObjectReader& instance, const std::filesystem::path& base_dir) {
  const Json* value = instance.member("sandbox");
  if (value == nullptr || (value->is_boolean() && !value->get<bool>())) return std::nullopt;
  const std::string pointer = instance.pointer_of("sandbox");
  if (value->is_boolean()) return SandboxConfig{};
  if (value->is_object()) return from_object(*value, pointer, instance.report(), base_dir);
  instance.report().add(pointer, {"expected true, false or an object, not " + shown(*value), "write true"});
  return std::nullopt;
}

}  // namespace

std::optional<IsolationConfig> read_isolation(ObjectReader& instance, const std::filesystem::path& base_dir) {
  static const std::vector<std::pair<std::string, bool>> words = {{"none", false}, {"process", true}};
  bool apart = false;
  instance.word<bool>("isolation", apart, words);
  IsolationConfig isolation;
  instance.size("memory_limit", isolation.memory_bytes, {0, most_memory});
  instance.duration("call_limit", isolation.call_limit, {100ms, 1h});
  isolation.sandbox = read_sandbox(instance, base_dir);
  if (isolation.memory_bytes != 0 && isolation.memory_bytes < least_memory)
    instance.report().add(
        instance.pointer_of("memory_limit"),
        {"no process can live in less than 16MiB", "write at least \"16MiB\", or 0 for no limit"});
  if (apart) return isolation;
  for (const char* key : {"memory_limit", "call_limit", "sandbox"})
    if (instance.member(key) != nullptr)
      instance.report().add(instance.pointer_of(key), {"it is for an instance in a process of its own",
                                                       "add \"isolation\": \"process\" to the instance"});
  return std::nullopt;
}

}  // namespace tftpkit::config
