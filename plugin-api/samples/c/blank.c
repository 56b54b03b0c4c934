/* blank: images of any size, made while they are read. blank/16MiB.img and blank/1000.img are so many zero
 * bytes: to measure what a network, a loader or a disk can do, and to fill a partition, without a file on the
 * server.
 *
 * scenario/... is what every sample answers in the same way; ../README.md has the list. */
#include <tftpkit/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const tftpkit_host* host;
  char greeting[256]; /* with its newline */
} blank;

typedef struct {
  uint64_t at;
  uint64_t size;
  int zeros;
  unsigned char* content; /* of a buffer */
} transfer;

static unsigned char pattern(uint64_t at) {
  return (unsigned char)(at * 7 % 251);
}

/* "16MiB" or "1000" in front of `end`; 0 when it is something else. */
static int parse_size(const char* text, const char* end, uint64_t* size) {
  static const struct {
    const char* name;
    uint64_t bytes;
  } units[] = {{"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
  char* unit = NULL;
  const size_t length = strlen(text);
  size_t i;
  if (*text < '0' || *text > '9' || length > 40 || length < strlen(end)) return 0;
  if (strcmp(text + length - strlen(end), end) != 0) return 0;
  *size = strtoull(text, &unit, 10);
  for (i = 0; i < sizeof units / sizeof units[0]; i++) {
    const size_t name = strlen(units[i].name);
    if (strncmp(unit, units[i].name, name) != 0 || strcmp(unit + name, end) != 0) continue;
    if (*size > (UINT64_MAX >> 1) / units[i].bytes) return 0;
    *size *= units[i].bytes;
    return 1;
  }
  return 0;
}

static const char* after(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

static tftpkit_status create(const tftpkit_host* host, void** instance) {
  blank* self = calloc(1, sizeof *self);
  tftpkit_str greeting = {"", 0};
  if (self == NULL) return TFTPKIT_E_NO_SPACE;
  tftpkit_setting(host, "/greeting", &greeting);
  if (greeting.len == 0 || greeting.len > sizeof self->greeting - 2) {
    free(self);
    return tftpkit_fail(host, TFTPKIT_E_OPTION,
                        "/greeting is empty or too long: give a line of at most 254 bytes");
  }
  self->host = host;
  snprintf(self->greeting, sizeof self->greeting, "%s\n", greeting.ptr);
  *instance = self;
  return TFTPKIT_OK;
}

static void destroy(void* instance) {
  free(instance);
}

static transfer* transfer_of(uint64_t size, int zeros) {
  transfer* made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->size = size;
  made->zeros = zeros;
  return made;
}

static tftpkit_status streamed(tftpkit_source* source, uint64_t size, int zeros) {
  transfer* made = transfer_of(size, zeros);
  return made == NULL ? TFTPKIT_E_NO_SPACE : tftpkit_answer_stream(source, size, made);
}

static tftpkit_status in_memory(tftpkit_source* source, const void* bytes, uint64_t size) {
  transfer* made = transfer_of(size, 0);
  uint64_t at;
  if (made == NULL || (made->content = malloc((size_t)size + 1)) == NULL) {
    free(made);
    return TFTPKIT_E_NO_SPACE;
  }
  for (at = 0; at < size; at++)
    made->content[at] = bytes != NULL ? ((const unsigned char*)bytes)[at] : pattern(at);
  return tftpkit_answer_buffer(source, made->content, (size_t)size, made);
}

static tftpkit_status peer(tftpkit_source* source, const tftpkit_request* request) {
  const uint8_t* b = request->peer.bytes;
  char line[32];
  if (request->peer.family != 4) return TFTPKIT_DECLINED;
  return in_memory(source, line,
                   (uint64_t)snprintf(line, sizeof line, "%d.%d.%d.%d\n", b[0], b[1], b[2], b[3]));
}

static tftpkit_status scenario(blank* self, const tftpkit_request* request, const char* name,
                               tftpkit_source* source) {
  uint64_t size = 0;
  const char* number = after(name, "bytes/");
  if (number != NULL && parse_size(number, "", &size) && size <= 1u << 20)
    return in_memory(source, NULL, size);
  number = after(name, "stream/");
  if (number != NULL && parse_size(number, "", &size)) return streamed(source, size, 0);
  if (strcmp(name, "greeting") == 0) return tftpkit_answer_text(source, self->greeting);
  if (strcmp(name, "peer") == 0) return peer(source, request);
  if (strcmp(name, "redirect") == 0) return tftpkit_answer_redirect(source, "elsewhere", NULL);
  if (strcmp(name, "refuse") == 0) return tftpkit_fail(self->host, TFTPKIT_E_ACCESS, "not for you");
  if (strcmp(name, "fail") == 0) return tftpkit_fail(self->host, TFTPKIT_E_INTERNAL, "C has no exceptions");
  return TFTPKIT_DECLINED;
}

static tftpkit_status open_read(void* instance, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  const char* name = after(path, "scenario/");
  uint64_t size = 0;
  if (name != NULL) return scenario(instance, request, name, source);
  name = after(path, "blank/");
  if (name == NULL || !parse_size(name, ".img", &size)) return TFTPKIT_DECLINED;
  return streamed(source, size, 1);
}

static int64_t read_next(void* instance, void* mark, void* buffer, size_t capacity) {
  transfer* from = mark;
  const uint64_t left = from->size - from->at;
  const size_t count = left < capacity ? (size_t)left : capacity;
  unsigned char* into = buffer;
  size_t i;
  (void)instance;
  for (i = 0; i < count; i++)
    into[i] = from->zeros ? 0 : pattern(from->at + i);
  from->at += count;
  return (int64_t)count;
}

static void close_transfer(void* instance, void* mark, const tftpkit_outcome* outcome) {
  transfer* ended = mark;
  (void)instance;
  (void)outcome;
  if (ended != NULL) free(ended->content);
  free(ended);
}

static const char schema[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": "
                             "{\"greeting\": {\"type\": \"string\","
                             " \"default\": \"Hello\", \"description\": \"what scenario/greeting says\"}}}";

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_PARALLEL,
                                      .name = "sample-c",
                                      .version = "1.0",
                                      .summary = "Zero images of any size",
                                      .license = "MIT",
                                      .settings_schema = schema,
                                      .create = create,
                                      .destroy = destroy,
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
