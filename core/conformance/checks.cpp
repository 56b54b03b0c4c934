#include "conformance/checks.hpp"

#include "config/settings.hpp"

#include <array>
#include <utility>

namespace tftpkit::conformance {

namespace {

constexpr std::array<Check, 23> table{{
    {"entry-is-pure", "the entry does nothing but return the descriptor", entry_is_pure},
    {"entry-stable", "every call of the entry returns the same descriptor", entry_stable},
    {"exports-only-entry", "the file exports its entry and nothing else", exports_only_entry},
    {"no-undefined-symbols", "all that it needs is in the libraries that it names", no_undefined_symbols},
    {"no-gnu-unique", "no symbol makes two versions of it share data", no_gnu_unique},
    {"name-matches-file", "the plugin is called like its file", name_matches_file},
    {"schema-is-valid", "the settings schema is a schema, and its defaults suit it", schema_is_valid},
    {"create-without-settings", "create() begins, or says what is missing", create_without_settings},
    {"create-destroy-100", "a hundred instances leave nothing behind", create_destroy_100},
    {"unknown-path", "a name that is not there is declined or not found", unknown_path},
    {"hostile-paths", "no name, however odd, does harm", hostile_paths},
    {"read-1-byte", "a buffer of one byte gets the same bytes", read_1_byte},
    {"read-huge", "a buffer of 16 MiB gets the same bytes", read_huge},
    {"size-matches-bytes", "as many bytes come as were announced", size_matches_bytes},
    {"buffer-stays-constant", "the bytes of a BUFFER stay until close()", buffer_stays_constant},
    {"close-after-every-prefix", "a transfer may end at any point and leaves nothing",
     close_after_every_prefix},
    {"cancel-unblocks", "cancel() makes a read() that waits return", cancel_unblocks},
    {"late-complete", "answers that nobody waits for any more do no harm", late_complete},
    {"complete-before-return", "one answer for each request, however early", complete_before_return},
    {"parallel-opens", "requests at once get what they get one by one", parallel_opens},
    {"inline-is-fast", "calls on the network thread take no time", inline_is_fast},
    {"write-without-commit-leaves-nothing", "an upload that breaks off leaves no trace",
     write_without_commit_leaves_nothing},
    {"short-struct-host", "nothing is read beyond the struct_size of a 1.0 host", short_struct_host},
}};

}  // namespace

std::span<const Check> all_checks() noexcept {
  return table;
}

std::shared_ptr<host::Library> loaded(const Subject& subject) {
  subject.note("loading it and calling its entry");
  try {
    return host::Library::load(subject.file);
  } catch (const host::Error& error) {
    throw Fails{error.what(), "loading", "a plugin that \"tftpkit plugins inspect\" finds ok"};
  }
}

host::Settings settings_of(const Subject& subject, const host::Description& plugin) {
  const config::Origin origin{"--set", "", std::filesystem::current_path()};
  auto settings =
      config::check_settings(subject.settings.value_or("{}"), plugin.settings_schema, origin, plugin.name);
  if (settings) return std::move(*settings);
  const std::string problems = config::text(settings.problems());
  throw Skips{subject.settings ? problems : "it needs settings, give them with --set: " + problems};
}

std::unique_ptr<Stage> begun(const Subject& subject, const host::Library& library, Stage::Memory memory) {
  auto stage = std::make_unique<Stage>(library.plugin(), settings_of(subject, library.description()),
                                       subject.note, memory);
  if (const auto trouble = stage->try_begin()) throw Skips{"no instance begins: " + *trouble};
  return stage;
}

std::vector<std::string> paths_of(const Subject& subject) {
  if (!subject.paths.empty()) return subject.paths;
  return {"any/name", "hello.txt"};
}

std::string path_answered(Stage& stage, const Subject& subject, std::string_view with_what,
                          const std::function<bool(Asked&)>& wanted) {
  std::string answers;
  for (const auto& path : paths_of(subject)) {
    Asked asked{stage, path};
    const auto status = asked.open();
    if (wanted(asked)) return path;
    answers += (answers.empty() ? "" : ", ") + path + ": ";
    answers += status == TFTPKIT_OK ? host::words(asked.source()->kind) : host::text(status);
  }
  throw Skips{"no path was answered with " + std::string{with_what} + " (" + answers +
              "); name one with --path"};
}

}  // namespace tftpkit::conformance
