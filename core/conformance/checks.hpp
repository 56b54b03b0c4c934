// The checks of the kit by name, and what each is given. A check returns when it is passed and throws Fails
// or Skips otherwise; it may also crash, exit or hang, so it runs in a process of its own (kit.hpp).
#pragma once

#include "conformance/result.hpp"
#include "conformance/stage.hpp"
#include "host/library.hpp"
#include "host/settings.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::conformance {

// What is checked, and with what.
struct Subject {
  std::filesystem::path file;
  std::optional<std::string> settings;  // JSON text; none: {}
  std::vector<std::string> paths;       // that the plugin answers; none: some that any plugin might
  Stage::Note note;
};

struct Check {
  std::string_view name;
  std::string_view meaning;
  void (*run)(const Subject& subject);
};

// In the order in which they run and are listed.
[[nodiscard]] std::span<const Check> all_checks() noexcept;

// The file and its entry.
void entry_is_pure(const Subject& subject);
void entry_stable(const Subject& subject);
void exports_only_entry(const Subject& subject);
void no_undefined_symbols(const Subject& subject);
void no_gnu_unique(const Subject& subject);
void name_matches_file(const Subject& subject);
void schema_is_valid(const Subject& subject);

// Instances.
void create_without_settings(const Subject& subject);
void create_destroy_100(const Subject& subject);
void short_struct_host(const Subject& subject);

// Names and bytes.
void unknown_path(const Subject& subject);
void hostile_paths(const Subject& subject);
void read_1_byte(const Subject& subject);
void read_huge(const Subject& subject);
void size_matches_bytes(const Subject& subject);
void buffer_stays_constant(const Subject& subject);
void close_after_every_prefix(const Subject& subject);

// Threads and time.
void cancel_unblocks(const Subject& subject);
void late_complete(const Subject& subject);
void complete_before_return(const Subject& subject);
void parallel_opens(const Subject& subject);
void inline_is_fast(const Subject& subject);

// Uploads.
void write_without_commit_leaves_nothing(const Subject& subject);

// What they share.
[[nodiscard]] std::shared_ptr<host::Library> loaded(const Subject& subject);  // throws Fails
// The subject's settings as the plugin gets them; Skips when they do not suit its schema.
[[nodiscard]] host::Settings settings_of(const Subject& subject, const host::Description& plugin);
// An instance that has begun; Skips when it does not begin: that is create-destroy-100's to tell.
[[nodiscard]] std::unique_ptr<Stage> begun(const Subject& subject, const host::Library& library,
                                           Stage::Memory memory = Stage::Memory::usual);
[[nodiscard]] std::vector<std::string> paths_of(const Subject& subject);
// The first path whose answer is what `wanted` says; Skips with the answers of all of them otherwise.
[[nodiscard]] std::string path_answered(Stage& stage, const Subject& subject, std::string_view with_what,
                                        const std::function<bool(Asked&)>& wanted);

}  // namespace tftpkit::conformance
