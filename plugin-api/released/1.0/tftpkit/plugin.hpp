// tftpkit/plugin.hpp - the plugin ABI of tftpkit for C++20
//
// A thin layer over <tftpkit/plugin.h>, which stays the contract: a class with open() that returns a value.
// Nothing of it is linked; all is compiled into the plugin. Exceptions stop at the border: what() becomes the
// explanation.
//
//   #include <tftpkit/plugin.hpp>
//   struct Hello : tftpkit::Plugin {
//     tftpkit::Answer open(const tftpkit::Request&) { return tftpkit::text("Hello from a plugin!\n"); }
//   };
//   TFTPKIT_PLUGIN_CLASS(Hello, {.name = "hello", .version = "1.0"})
//
//   c++ -std=c++20 -shared -fPIC -fvisibility=hidden hello.cpp -o hello.so
//
// Members that a plugin class may have beside open(); each is found by its signature:
//
//   Class(tftpkit::Host)   settings are read and checked here; throw what is wrong
//   void start()           threads and connections begin here
//   void stop()            and are gone when this returns
//   void closed(std::uint64_t request_id, const tftpkit::Outcome&)   a transfer has ended
#pragma once

#include <tftpkit/plugin.h>

#include <array>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

namespace tftpkit {

// Why a request fails; what the client sees is told beside TFTPKIT_E_* in plugin.h.
enum class Status : std::int32_t {
  internal = TFTPKIT_E_INTERNAL,
  not_found = TFTPKIT_E_NOT_FOUND,
  access = TFTPKIT_E_ACCESS,
  no_space = TFTPKIT_E_NO_SPACE,
  unsupported = TFTPKIT_E_UNSUPPORTED,
  exists = TFTPKIT_E_EXISTS,
  option = TFTPKIT_E_OPTION,
  io = TFTPKIT_E_IO,
  unavailable = TFTPKIT_E_UNAVAILABLE,
  timeout = TFTPKIT_E_TIMEOUT,
  cancelled = TFTPKIT_E_CANCELLED,
};

enum class Execution : std::uint32_t {
  serial = TFTPKIT_EXEC_SERIAL,
  parallel = TFTPKIT_EXEC_PARALLEL,
  inline_ = TFTPKIT_EXEC_INLINE,
};

enum class Level : std::uint32_t {
  debug = TFTPKIT_LOG_DEBUG,
  info = TFTPKIT_LOG_INFO,
  warning = TFTPKIT_LOG_WARNING,
  error = TFTPKIT_LOG_ERROR,
};

using Outcome = tftpkit_outcome;
using Address = tftpkit_addr;

// Throw it from anywhere inside a plugin to fail with a status of one's choice; any other exception is
// Status::internal, out of read() Status::io.
class Failure : public std::runtime_error {
 public:
  Failure(Status status, const std::string& text) : std::runtime_error(text), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

inline std::string_view view_of(const tftpkit_str& text) noexcept {
  return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

// What the host offers to one instance. A small value: copy it. Usable from any thread until the plugin
// object is gone.
class Host {
 public:
  explicit Host(const tftpkit_host* table = nullptr) noexcept : table_(table) {}

  std::string_view instance_name() const noexcept { return table_->instance_name; }
  std::string_view product_version() const noexcept { return table_->product_version; }

  void log(Level level, std::string_view text) const noexcept {
    table_->log(table_, static_cast<std::uint32_t>(level), text.data(), text.size());
  }
  bool log_enabled(Level level) const noexcept {
    return table_->log_enabled(table_, static_cast<std::uint32_t>(level)) != 0;
  }

  // By JSON pointer. The text lives as long as the plugin object; `pointer` ends with a NUL.
  std::optional<std::string_view> setting(const char* pointer) const noexcept {
    tftpkit_str value{nullptr, 0};
    if (table_->setting(table_, pointer, &value) == 0) return std::nullopt;
    return view_of(value);
  }
  std::optional<std::int64_t> setting_int(const char* pointer) const noexcept {
    std::int64_t value = 0;
    if (table_->setting_int(table_, pointer, &value) == 0) return std::nullopt;
    return value;
  }
  std::size_t setting_count(const char* pointer) const noexcept {
    return table_->setting_count(table_, pointer);
  }

  bool cancelled(std::uint64_t request_id) const noexcept {
    return table_->cancelled(table_, request_id) != 0;
  }
  // The peer's MAC address, when it is on a directly attached link.
  std::optional<std::array<std::uint8_t, 6>> link_address(std::uint64_t request_id) const noexcept {
    std::array<std::uint8_t, 6> mac{};
    if (table_->peer_link_address(table_, request_id, mac.data()) != TFTPKIT_OK) return std::nullopt;
    return mac;
  }
  const void* extension(const char* name) const noexcept { return table_->extension(table_, name); }

  const tftpkit_host* table() const noexcept { return table_; }

 private:
  const tftpkit_host* table_;
};

// What a client asks for. A view: whoever keeps it beyond open() copies what is needed.
class Request {
 public:
  explicit Request(const tftpkit_request& request) noexcept : request_(&request) {}

  std::uint64_t id() const noexcept { return request_->id; }
  std::string_view path() const noexcept { return view_of(request_->path); }
  std::string_view wire_path() const noexcept { return view_of(request_->wire_path); }
  bool netascii() const noexcept { return request_->mode == TFTPKIT_MODE_NETASCII; }
  std::uint32_t blksize() const noexcept { return request_->blksize; }
  std::uint32_t windowsize() const noexcept { return request_->windowsize; }
  std::uint32_t answer_within_ms() const noexcept { return request_->answer_within_ms; }
  const Address& peer() const noexcept { return request_->peer; }
  const Address& local() const noexcept { return request_->local; }
  std::span<const tftpkit_option> options() const noexcept {
    return {request_->options, request_->option_count};
  }
  // The value of an option; `name` in lower case.
  std::optional<std::string_view> option(std::string_view name) const noexcept {
    for (const tftpkit_option& one : options())
      if (view_of(one.name) == name) return view_of(one.value);
    return std::nullopt;
  }
  const tftpkit_request& raw() const noexcept { return *request_; }

 private:
  const tftpkit_request* request_;
};

namespace border {

// What belongs to one transfer until close().
struct Transfer {
  virtual ~Transfer() = default;
  virtual std::int64_t read(std::span<std::byte>) { return TFTPKIT_E_UNSUPPORTED; }
  virtual void cancel() {}
  std::uint64_t request_id = 0;
};

struct Owned : Transfer {
  explicit Owned(std::string content) : bytes(std::move(content)) {}
  std::string bytes;
};

template <typename Object>
struct Streaming final : Transfer {
  explicit Streaming(Object given) : object(std::move(given)) {}
  std::int64_t read(std::span<std::byte> into) override {
    return static_cast<std::int64_t>(object.read(into));
  }
  void cancel() override {
    if constexpr (requires { object.cancel(); }) object.cancel();
  }
  Object object;
};

inline tftpkit_source blank() noexcept {
  tftpkit_source source;
  tftpkit_source_init(&source);
  return source;
}

template <typename Plugin>
struct Calls;

}  // namespace border

// What open() returns. Made by the functions below; owns what it carries until the host has taken it.
class Answer {
 public:
  Answer(Answer&& other) noexcept
      : status_(other.status_), text_(std::move(other.text_)), source_(other.source_),
        transfer_(std::move(other.transfer_)) {
    other.source_.fd = -1;
  }
  Answer& operator=(Answer&& other) noexcept {
    std::swap(status_, other.status_);
    std::swap(text_, other.text_);
    std::swap(source_, other.source_);
    std::swap(transfer_, other.transfer_);
    return *this;
  }
  ~Answer() {
    if (source_.fd >= 0) ::close(source_.fd);
  }

  // For what this layer does not cover: any status, with a filled-in source where it is TFTPKIT_OK.
  Answer(tftpkit_status status, std::string text, const tftpkit_source& source = border::blank(),
         std::unique_ptr<border::Transfer> transfer = nullptr)
      : status_(status), text_(std::move(text)), source_(source), transfer_(std::move(transfer)) {}

 private:
  template <typename Plugin>
  friend struct border::Calls;
  friend class Pending;

  // Ready for the host; what it carries is still owned here until keep_nothing().
  void fill(tftpkit_source& source, std::uint64_t request_id) {
    if (!transfer_) transfer_ = std::make_unique<border::Transfer>();
    transfer_->request_id = request_id;
    const std::uint32_t size = source.struct_size;
    source = source_;
    source.struct_size = size;
    source.transfer = transfer_.get();
  }
  void keep_nothing() noexcept {
    source_.fd = -1;
    static_cast<void>(transfer_.release());
  }

  tftpkit_status status_;
  std::string text_;
  tftpkit_source source_;
  std::unique_ptr<border::Transfer> transfer_;
};

// These bytes, which the answer owns.
inline Answer text(std::string content) {
  auto owned = std::make_unique<border::Owned>(std::move(content));
  tftpkit_source source = border::blank();
  tftpkit_answer_buffer(&source, owned->bytes.data(), owned->bytes.size(), nullptr);
  return {TFTPKIT_OK, {}, source, std::move(owned)};
}
inline Answer bytes(std::span<const std::byte> content) {
  return text(std::string(reinterpret_cast<const char*>(content.data()), content.size()));
}

// Bytes that stay where and as they are until the plugin object is gone; nothing is copied.
inline Answer view(std::span<const std::byte> content) {
  tftpkit_source source = border::blank();
  tftpkit_answer_buffer(&source, content.data(), content.size(), nullptr);
  return {TFTPKIT_OK, {}, source};
}
inline Answer view(std::string_view content) {
  return view(std::as_bytes(std::span(content)));
}

// "Not mine": the next instance of the route is asked.
inline Answer declined(std::string why = {}) {
  return {TFTPKIT_DECLINED, std::move(why)};
}

inline Answer error(Status status, std::string why) {
  return {static_cast<tftpkit_status>(status), std::move(why)};
}

// An open descriptor, which becomes the host's: a regular file from `offset`, anything else in order until it
// ends.
inline Answer file(int fd, std::uint64_t size = TFTPKIT_SIZE_UNKNOWN, std::uint64_t offset = 0) {
  tftpkit_source source = border::blank();
  tftpkit_answer_fd(&source, fd, size, nullptr);
  source.fd_offset = offset;
  return {TFTPKIT_OK, {}, source};
}

// A regular file by its path on this machine. One that does not exist is declined.
inline Answer file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const int open_error = errno;
  if (fd < 0) {
    std::string why = path + ": " + std::strerror(open_error);
    const bool missing = open_error == ENOENT || open_error == ENOTDIR || open_error == ENAMETOOLONG;
    if (missing) return declined(std::move(why));
    return error(open_error == EACCES || open_error == EPERM ? Status::access : Status::io, std::move(why));
  }
  struct stat seen {};
  if (::fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode))
    return file(fd, static_cast<std::uint64_t>(seen.st_size));
  ::close(fd);
  return error(Status::access, path + " is not a regular file");
}

// An object with `std::size_t read(std::span<std::byte>)` that gives the next bytes and 0 at the end. It
// lives until the transfer ends. When it has cancel(), that is called from another thread to make a slow
// read() return soon.
template <typename Object>
requires requires(Object object, std::span<std::byte> into) {
  { object.read(into) } -> std::convertible_to<std::size_t>;
}
Answer stream(Object object, std::uint64_t size = TFTPKIT_SIZE_UNKNOWN) {
  tftpkit_source source = border::blank();
  tftpkit_answer_stream(&source, size, nullptr);
  return {TFTPKIT_OK, {}, source, std::make_unique<border::Streaming<Object>>(std::move(object))};
}

// Another clean path, which the instances that follow in the route resolve.
inline Answer redirect(std::string path) {
  auto owned = std::make_unique<border::Owned>(std::move(path));
  tftpkit_source source = border::blank();
  tftpkit_answer_redirect(&source, owned->bytes.c_str(), nullptr);
  return {TFTPKIT_OK, {}, source, std::move(owned)};
}

// The answer follows through Pending::complete().
inline Answer pending() {
  return {TFTPKIT_PENDING, {}};
}

// The right to answer one request later, from any thread, also before open() has returned. A small value:
// copy it.
class Pending {
 public:
  Pending(Host host, std::uint64_t request_id) noexcept : host_(host), id_(request_id) {}

  std::uint64_t request_id() const noexcept { return id_; }
  // Has the client gone, or its time run out?
  bool cancelled() const noexcept { return host_.cancelled(id_); }

  // False when nobody waits any more or the host found the answer malformed: what it carried is freed here.
  bool complete(Answer answer) const {
    tftpkit_source source = border::blank();
    const bool ok = answer.status_ == TFTPKIT_OK;
    if (ok) answer.fill(source, id_);
    const tftpkit_host* table = host_.table();
    const tftpkit_status taken = table->complete(table, id_, answer.status_, ok ? &source : nullptr, nullptr,
                                                 answer.text_.data(), answer.text_.size());
    if (taken == TFTPKIT_OK) answer.keep_nothing();
    return taken == TFTPKIT_OK;
  }

 private:
  Host host_;
  std::uint64_t id_;
};

// The base of every plugin class.
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // From start() and open() on. A constructor that needs it takes a Host.
  const Host& host() const noexcept { return host_; }
  // To be made before open() returns pending().
  Pending defer(const Request& request) const noexcept { return {host_, request.id()}; }

 protected:
  ~Plugin() = default;

 private:
  template <typename Type>
  friend struct border::Calls;
  Host host_;
};

// What a plugin says about itself. Texts must live as long as the program: literals.
struct About {
  const char* name = nullptr;     // [a-z][a-z0-9-]*, as the file without ".so"
  const char* version = nullptr;  // the plugin's own
  const char* summary = nullptr;
  const char* license = nullptr;  // SPDX
  const char* homepage = nullptr;
  Execution execution = Execution::serial;
  const char* settings_schema = nullptr;  // JSON Schema, draft 7
  bool singleton = false;
};

namespace border {

constexpr bool good_name(const char* name) {
  if (name == nullptr || name[0] < 'a' || name[0] > 'z') return false;
  for (const char* at = name; *at != '\0'; ++at)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-')) return false;
  return true;
}

// The C functions of one plugin class. `instance` is a Type, `transfer` a Transfer.
template <typename Type>
struct Calls {
  static_assert(std::derived_from<Type, Plugin>, "a plugin class derives from tftpkit::Plugin");
  static_assert(
      requires(Type & plugin, const Request& request) {
        { plugin.open(request) } -> std::same_as<Answer>;
      },
      "a plugin class has: tftpkit::Answer open(const tftpkit::Request&)");

  static constexpr bool has_start = requires(Type & plugin) { plugin.start(); };
  static constexpr bool has_stop = requires(Type & plugin) { plugin.stop(); };
  static constexpr bool has_closed = requires(Type & plugin, std::uint64_t id, const Outcome& outcome) {
    plugin.closed(id, outcome);
  };

  static Type& of(void* instance) noexcept { return *static_cast<Type*>(instance); }

  static void explain(const tftpkit_host* host, std::string_view why) noexcept {
    if (!why.empty()) host->explain(host, why.data(), why.size());
  }

  // Runs `body`; turns whatever it throws into a status and its explanation.
  template <typename Body>
  static tftpkit_status stopped_here(const tftpkit_host* host, Status otherwise, Body body) noexcept {
    try {
      return body();
    } catch (const Failure& failure) {
      explain(host, failure.what());
      return static_cast<tftpkit_status>(failure.status());
    } catch (const std::exception& exception) {
      explain(host, exception.what());
    } catch (...) {
      explain(host, "an exception of an unknown type");
    }
    return static_cast<tftpkit_status>(otherwise);
  }

  // For what cannot fail towards the host: the log gets to know.
  template <typename Body>
  static void swallowed(const Host& host, Body body) noexcept {
    try {
      body();
    } catch (const std::exception& exception) {
      host.log(Level::error, exception.what());
    } catch (...) {
      host.log(Level::error, "an exception of an unknown type");
    }
  }

  static tftpkit_status create(const tftpkit_host* table, void** instance) noexcept {
    return stopped_here(table, Status::internal, [&] {
      std::unique_ptr<Type> made;
      if constexpr (std::constructible_from<Type, Host>)
        made = std::make_unique<Type>(Host(table));
      else
        made = std::make_unique<Type>();
      static_cast<Plugin&>(*made).host_ = Host(table);
      *instance = made.release();
      return tftpkit_status{TFTPKIT_OK};
    });
  }

  static void destroy(void* instance) noexcept { delete static_cast<Type*>(instance); }

  static tftpkit_status start(void* instance) noexcept {
    return stopped_here(of(instance).host().table(), Status::internal, [&] {
      if constexpr (has_start) of(instance).start();
      return tftpkit_status{TFTPKIT_OK};
    });
  }

  static void stop(void* instance) noexcept {
    if constexpr (has_stop) swallowed(of(instance).host(), [&] { of(instance).stop(); });
  }

  static tftpkit_status open_read(void* instance, const tftpkit_request* request,
                                  tftpkit_source* source) noexcept {
    const tftpkit_host* table = of(instance).host().table();
    return stopped_here(table, Status::internal, [&] {
      Answer answer = of(instance).open(Request(*request));
      explain(table, answer.text_);
      if (answer.status_ == TFTPKIT_OK) {
        answer.fill(*source, request->id);
        answer.keep_nothing();
      }
      return answer.status_;
    });
  }

  static std::int64_t read(void* instance, void* transfer, void* buffer, std::size_t capacity) noexcept {
    std::int64_t got = 0;
    const tftpkit_status status = stopped_here(of(instance).host().table(), Status::io, [&] {
      got = static_cast<Transfer*>(transfer)->read({static_cast<std::byte*>(buffer), capacity});
      return tftpkit_status{TFTPKIT_OK};
    });
    return status == TFTPKIT_OK ? got : status;
  }

  static void close(void* instance, void* transfer, const tftpkit_outcome* outcome) noexcept {
    std::unique_ptr<Transfer> ended(static_cast<Transfer*>(transfer));
    if constexpr (has_closed)
      swallowed(of(instance).host(), [&] { of(instance).closed(ended->request_id, *outcome); });
    swallowed(of(instance).host(), [&] { ended.reset(); });
  }

  static void cancel(void* instance, void* transfer) noexcept {
    swallowed(of(instance).host(), [&] { static_cast<Transfer*>(transfer)->cancel(); });
  }
};

template <typename Type>
constexpr tftpkit_plugin descriptor(const About& about) {
  tftpkit_plugin plugin{};
  plugin.struct_size = static_cast<std::uint32_t>(sizeof plugin);
  plugin.abi_version = TFTPKIT_ABI_VERSION;
  plugin.execution = static_cast<std::uint32_t>(about.execution);
  plugin.flags = about.singleton ? std::uint32_t{TFTPKIT_PLUGIN_SINGLETON} : 0U;
  plugin.name = about.name;
  plugin.version = about.version;
  plugin.summary = about.summary;
  plugin.license = about.license;
  plugin.homepage = about.homepage;
  plugin.settings_schema = about.settings_schema;
  plugin.create = Calls<Type>::create;
  plugin.destroy = Calls<Type>::destroy;
  plugin.start = Calls<Type>::start;
  plugin.stop = Calls<Type>::stop;
  plugin.open_read = Calls<Type>::open_read;
  plugin.read = Calls<Type>::read;
  plugin.close = Calls<Type>::close;
  plugin.cancel = Calls<Type>::cancel;
  return plugin;
}

}  // namespace border
}  // namespace tftpkit

// TFTPKIT_PLUGIN_CLASS(Class, {.name = "...", .version = "...", ...}): once for each shared object, outside
// of namespaces.
#define TFTPKIT_PLUGIN_CLASS(Type, ...)                                                                      \
  namespace {                                                                                                \
  constexpr ::tftpkit::About tftpkit_about __VA_ARGS__;                                                      \
  static_assert(::tftpkit::border::good_name(tftpkit_about.name), "the name is [a-z][a-z0-9-]*");            \
  static_assert(tftpkit_about.version != nullptr, "the plugin needs a version");                             \
  constexpr tftpkit_plugin tftpkit_descriptor = ::tftpkit::border::descriptor<Type>(tftpkit_about);          \
  }                                                                                                          \
  TFTPKIT_EXPORT_PLUGIN(tftpkit_descriptor)
