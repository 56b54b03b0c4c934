#include "kit/lease_files.hpp"

#include "config/text_file.hpp"

#include <system_error>

namespace tftpkit::kit {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest = 256U << 20U;

// Kea cleans its file up in the background: what is not in the file is in these, older ones first.
std::vector<fs::path> parts_of(const fs::path& file) {
  std::error_code error;
  const std::string name = file.string();
  const bool cleaned = fs::exists(name + ".completed", error);
  std::vector<fs::path> parts;
  for (const char* suffix : {cleaned ? ".completed" : ".2", ".1"})
    if (fs::exists(name + suffix, error)) parts.emplace_back(name + suffix);
  parts.push_back(file);
  return parts;
}

config::Checked<std::shared_ptr<const Leases>> load(const LeaseFile& file) {
  const auto leases = std::make_shared<Leases>();
  config::Report report(file.file.string());
  const auto own = config::text_of_file(file.file, largest, report);
  if (!own) return report.take();
  const bool kea = file.format == LeaseFormat::kea ||
                   (file.format == LeaseFormat::automatic && lease_format_of(*own) == LeaseFormat::kea);
  for (const fs::path& part : kea ? parts_of(file.file) : std::vector<fs::path>{file.file}) {
    const auto text = part == file.file ? own : config::text_of_file(part, largest, report);
    if (text) read_leases(*text, file.format, *leases);
  }
  return std::shared_ptr<const Leases>(leases);
}

}  // namespace

LeaseFiles::LeaseFiles(Host host, const std::vector<LeaseFile>& files) {
  for (const LeaseFile& file : files) {
    // A DHCP server that has given no lease yet may have made no file.
    const auto first = std::make_shared<bool>(true);
    auto load_file = [host, file, first]() -> config::Checked<std::shared_ptr<const Leases>> {
      std::error_code error;
      const bool missing = std::exchange(*first, false) && !fs::exists(file.file, error);
      if (!missing) return load(file);
      host.log(Level::warning,
               file.file.string() + " does not exist yet: no client is known by it until it does");
      return std::make_shared<const Leases>();
    };
    Watched<Leases>::Ways ways{"the lease file", {file.file}, load_file};
    files_.push_back(std::make_unique<Watched<Leases>>(host, std::move(ways)));
    files_.back()->load_first();
    const auto leases = files_.back()->now();
    if (leases->skipped_count() != 0)
      host.log(Level::warning, file.file.string() + ": " + std::to_string(leases->skipped_count()) +
                                   " lines are no leases, first line " +
                                   std::to_string(leases->first_skipped()) + "; is \"format\" right?");
  }
}

void LeaseFiles::start() {
  for (const auto& file : files_)
    file->start();
}

void LeaseFiles::stop() {
  for (const auto& file : files_)
    file->stop();
}

std::vector<std::shared_ptr<const Leases>> LeaseFiles::now() const {
  std::vector<std::shared_ptr<const Leases>> leases;
  leases.reserve(files_.size());
  for (const auto& file : files_)
    leases.push_back(file->now());
  return leases;
}

}  // namespace tftpkit::kit
