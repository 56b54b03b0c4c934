// The C ABI of the plugin: descriptor, life of an instance, and the border at which exceptions stop.
#include "plugin.hpp"

#include "answer.hpp"
#include "schema.hpp"

#include <tftpkit/open_now.h>

#include <exception>
#include <new>

namespace tftpkit::file {
namespace {

struct Instance {
  Instance(const tftpkit_host& h, bool without_openat2) : host(h), answers(h, without_openat2) {}

  const tftpkit_host& host;
  Answers answers;
};

tftpkit_status fail(const tftpkit_host& host, tftpkit_status status, const char* text) noexcept {
  return tftpkit_fail(&host, status, text);
}

tftpkit_status create(const tftpkit_host* host, void** instance) TFTPKIT_NOEXCEPT {
  return create_instance(host, instance, false);
}

void destroy(void* instance) TFTPKIT_NOEXCEPT {
  delete static_cast<Instance*>(instance);
}

void log_trace(const tftpkit_host& host, const tftpkit_request& request, const Verdict& verdict,
               const std::string& trace) {
  if (host.log_enabled(&host, TFTPKIT_LOG_DEBUG) == 0) return;
  const std::string line =
      "request " + std::to_string(request.id) + ": \"" + std::string(request.path.ptr, request.path.len) +
      "\" was looked for as " + (trace.empty() ? "nothing" : trace) + ": " +
      (verdict.status == TFTPKIT_OK ? "found, " + std::to_string(verdict.size) + " bytes" : verdict.text);
  host.log(&host, TFTPKIT_LOG_DEBUG, line.data(), line.size());
}

// `answered` becomes 0 when it has to be there now and is not.
tftpkit_status open(void* self, const tftpkit_request* request, tftpkit_source* source, Haste haste,
                    std::int32_t& answered) noexcept {
  const Instance& instance = *static_cast<const Instance*>(self);
  try {
    std::string trace;
    Verdict verdict = instance.answers.open(*request, trace, haste);
    answered = verdict.later ? 0 : 1;
    if (verdict.later) return TFTPKIT_DECLINED;
    log_trace(instance.host, *request, verdict, trace);
    if (verdict.status == TFTPKIT_OK)
      return tftpkit_answer_fd(source, verdict.fd.release(), verdict.size, nullptr);
    return fail(instance.host, verdict.status, verdict.text.c_str());
  } catch (const std::bad_alloc&) {
    return fail(instance.host, TFTPKIT_E_UNAVAILABLE, "out of memory");
  } catch (const std::exception& error) {
    return fail(instance.host, TFTPKIT_E_INTERNAL, error.what());
  }
}

tftpkit_status open_read(void* self, const tftpkit_request* request,
                         tftpkit_source* source) TFTPKIT_NOEXCEPT {
  std::int32_t answered = 0;
  return open(self, request, source, Haste::none, answered);
}

tftpkit_status open_read_now(void* self, const tftpkit_request* request, tftpkit_source* source,
                             std::int32_t* answered) TFTPKIT_NOEXCEPT {
  return open(self, request, source, Haste::now, *answered);
}

constexpr tftpkit_open_now open_now{static_cast<std::uint32_t>(sizeof(tftpkit_open_now)), 0, open_read_now};

const void* extension(const char* name) TFTPKIT_NOEXCEPT {
  return std::string_view(name) == TFTPKIT_OPEN_NOW ? &open_now : nullptr;
}

constexpr tftpkit_plugin make_descriptor() noexcept {
  tftpkit_plugin plugin{};
  plugin.struct_size = static_cast<std::uint32_t>(sizeof plugin);
  plugin.abi_version = TFTPKIT_ABI_VERSION;
  plugin.execution = TFTPKIT_EXEC_PARALLEL;
  plugin.name = "file";
  plugin.version = "1.0.0";
  plugin.summary = "Serves the files below a directory, read-only";
  plugin.license = "MIT";
  plugin.settings_schema = settings_schema;
  plugin.create = create;
  plugin.destroy = destroy;
  plugin.open_read = open_read;
  plugin.extension = extension;
  return plugin;
}

constinit const tftpkit_plugin the_descriptor = make_descriptor();

}  // namespace

const tftpkit_plugin& descriptor() noexcept {
  return the_descriptor;
}

tftpkit_status create_instance(const tftpkit_host* host, void** instance, bool without_openat2) noexcept {
  try {
    *instance = new Instance(*host, without_openat2);
    return TFTPKIT_OK;
  } catch (const SettingsError& error) {
    return fail(*host, TFTPKIT_E_OPTION, error.what());
  } catch (const std::exception& error) {
    return fail(*host, TFTPKIT_E_INTERNAL, error.what());
  }
}

}  // namespace tftpkit::file

TFTPKIT_EXPORT_PLUGIN(tftpkit::file::descriptor())
