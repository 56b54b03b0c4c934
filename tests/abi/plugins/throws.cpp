// Throws out of every call: the path says out of which ("open", "read", "close", "cancel"; "int" throws no
// std::exception out of open), the setting "where" names create, start, stop or destroy. Built as C++14,
// where the types of the calls do not forbid it.
#include <tftpkit/plugin.h>

#include <stdexcept>
#include <string>

namespace {

struct Thrower {
  std::string where;
  char mark = 0;
};

std::string path_of(const tftpkit_request* request) {
  return std::string(request->path.ptr, request->path.len);
}

tftpkit_status create(const tftpkit_host* host, void** instance) {
  tftpkit_str where = {"", 0};
  host->setting(host, "/where", &where);
  Thrower* made = new Thrower;
  made->where.assign(where.ptr, where.len);
  if (made->where == "create") {
    delete made;
    throw std::runtime_error("thrown in create");
  }
  *instance = made;
  return TFTPKIT_OK;
}

void destroy(void* instance) {
  Thrower* self = static_cast<Thrower*>(instance);
  const bool thrown = self->where == "destroy";
  delete self;
  if (thrown) throw std::runtime_error("thrown in destroy");
}

tftpkit_status start(void* instance) {
  if (static_cast<Thrower*>(instance)->where == "start") throw std::runtime_error("thrown in start");
  return TFTPKIT_OK;
}

void stop(void* instance) {
  if (static_cast<Thrower*>(instance)->where == "stop") throw std::runtime_error("thrown in stop");
}

// Where the transfer throws is its mark.
char marks[] = {'r', 'c', 'x', 'o'};

tftpkit_status open_read(void*, const tftpkit_request* request, tftpkit_source* source) {
  const std::string path = path_of(request);
  if (path == "open") throw std::runtime_error("thrown in open_read");
  if (path == "int") throw 42;
  char* mark = path == "read"     ? &marks[0]
               : path == "close"  ? &marks[1]
               : path == "cancel" ? &marks[2]
                                  : &marks[3];
  return tftpkit_answer_stream(source, TFTPKIT_SIZE_UNKNOWN, mark);
}

int64_t read_next(void*, void* transfer, void*, size_t) {
  if (*static_cast<char*>(transfer) == 'r') throw std::runtime_error("thrown in read");
  return 0;
}

void close_transfer(void*, void* transfer, const tftpkit_outcome*) {
  if (*static_cast<char*>(transfer) == 'c') throw std::runtime_error("thrown in close");
}

void cancel_transfer(void*, void* transfer) {
  if (*static_cast<char*>(transfer) == 'x') throw std::runtime_error("thrown in cancel");
}

const char schema[] = "{\"type\": \"object\", \"properties\": {\"where\": {\"type\": \"string\"}}}";

tftpkit_plugin made() {
  tftpkit_plugin plugin = tftpkit_plugin();
  plugin.struct_size = sizeof plugin;
  plugin.abi_version = TFTPKIT_ABI_VERSION;
  plugin.name = "throws";
  plugin.version = "1.0";
  plugin.summary = "Throws out of every call";
  plugin.settings_schema = schema;
  plugin.create = create;
  plugin.destroy = destroy;
  plugin.start = start;
  plugin.stop = stop;
  plugin.open_read = open_read;
  plugin.read = read_next;
  plugin.close = close_transfer;
  plugin.cancel = cancel_transfer;
  return plugin;
}

const tftpkit_plugin plugin = made();

}  // namespace

TFTPKIT_EXPORT_PLUGIN(plugin)
