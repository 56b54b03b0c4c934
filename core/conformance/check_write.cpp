// The check of uploads: one that breaks off before commit() leaves no trace, in no file and in no answer.
#include "conformance/checks.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

namespace tftpkit::conformance {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_entries = 10'000;
constexpr std::size_t most_bytes = std::size_t{1} << 20;

// "path size mtime" of all that lies below a directory.
void list(const fs::path& directory, std::set<std::string>& entries) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(directory, ignored), end;
       at != end && entries.size() < most_entries; at.increment(ignored)) {
    std::error_code gone;
    const bool is_file = at->is_regular_file(gone);
    entries.insert(at->path().string() +
                   (is_file ? " of " + std::to_string(at->file_size(gone)) + " bytes" : "") + " from " +
                   std::to_string(at->last_write_time(gone).time_since_epoch().count()));
  }
}

// What lies in the directories that the settings name.
std::set<std::string> files_of(const host::Settings& settings) {
  std::set<std::string> entries;
  for (const auto& [pointer, text] : settings.texts) {
    std::error_code ignored;
    if (text.starts_with('/') && fs::is_directory(text, ignored)) list(text, entries);
  }
  return entries;
}

std::string answer_of(Stage& stage, const std::string& path) {
  if (stage.plugin().open_read == nullptr) return {};
  Asked asked{stage, path};
  const auto status = asked.open();
  std::string answer = std::string{host::text(status)} + "\n" + asked.content(most_bytes);
  asked.close();
  return answer;
}

// A write request that is begun, gets some bytes and is closed without commit().
void break_off(Stage& stage, const std::string& path) {
  host::OpenRequest wanted;
  wanted.id = ~std::uint64_t{0};
  wanted.path = path;
  wanted.wire_path = path;
  wanted.answer_within = patience;
  host::HeldRequest held{std::move(wanted)};
  tftpkit_request request = held.view();
  request.op = TFTPKIT_OP_WRITE;
  request.announced_size = 28;
  tftpkit_sink sink{};
  sink.struct_size = sizeof sink;
  const auto& plugin = stage.plugin();
  stage.note("open_write() for \"" + path + "\"");
  const auto status = plugin.open_write(stage.self(), &request, &sink);
  if (status == TFTPKIT_PENDING) throw Skips{"it answers writes later; that is not checked yet"};
  if (status != TFTPKIT_OK)
    throw Skips{"it refuses to write \"" + path + "\" (" + std::string{host::text(status)} +
                "); name another path with --path"};
  stage.note("write() for \"" + path + "\"");
  const std::string_view line = "tftpkit check\n";
  for (int i = 0; i < 2; ++i)
    if (plugin.write(stage.self(), sink.transfer, line.data(), line.size()) != TFTPKIT_OK) break;
  tftpkit_outcome outcome{};
  outcome.struct_size = sizeof outcome;
  outcome.end = TFTPKIT_END_CLIENT;
  stage.note("close() without commit() for \"" + path + "\"");
  if (plugin.close != nullptr) plugin.close(stage.self(), sink.transfer, &outcome);
}

}  // namespace

void write_without_commit_leaves_nothing(const Subject& subject) {
  const auto library = loaded(subject);
  if (library->plugin().open_write == nullptr) throw Skips{"the plugin takes no writes"};
  const host::Settings settings = settings_of(subject, library->description());
  const auto stage = begun(subject, *library);
  const std::string path = subject.paths.empty() ? "tftpkit-check-upload" : subject.paths.front();
  const std::string where = "open_write(), write(), close() without commit() for \"" + path + "\"";
  const std::string right = "keep what is written apart until commit(), and let it go in close()";
  const auto files = files_of(settings);
  const std::string before = answer_of(*stage, path);
  break_off(*stage, path);
  if (answer_of(*stage, path) != before) throw Fails{"it is read otherwise than before", where, right};
  for (const auto& entry : files_of(settings))
    if (!files.contains(entry)) throw Fails{"there is now " + entry, where, right};
}

}  // namespace tftpkit::conformance
