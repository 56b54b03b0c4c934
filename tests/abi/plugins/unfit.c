/* Plugins that each fail one check of `tftpkit plugins check` and pass all others; built several times,
 * -DUNFIT_... chooses which. Beneath its fault each serves a stream, a buffer or a later answer as it should.
 */
#include "content.h"

#include <tftpkit/plugin.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* The name of the build, by the build. */
#ifndef NAME
#error "define NAME"
#endif

enum { whole = 5000 };

static inline void sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&pause, NULL);
}

typedef struct {
  uint64_t at;
} reading;

static const char* schema = NULL;
static uint32_t execution = TFTPKIT_EXEC_PARALLEL;
static const tftpkit_host* the_host;

/* ------------------------------------------------------------- the usual: a stream of `whole` bytes */

static inline tftpkit_status open_stream(tftpkit_source* source) {
  reading* from = calloc(1, sizeof *from);
  if (from == NULL) return TFTPKIT_E_NO_SPACE;
  return tftpkit_answer_stream(source, whole, from);
}

static inline int64_t read_usual(reading* from, void* buffer, size_t capacity) {
  const uint64_t left = whole - from->at;
  const size_t count = left < capacity ? (size_t)left : capacity;
  fill_content(buffer, from->at, count, 0);
  from->at += count;
  return (int64_t)count;
}

/* ---------------------------------------------------------------------------------- answers by thread */

#if defined(UNFIT_LATE_COMPLETE) || defined(UNFIT_COMPLETE_BEFORE_RETURN)
/* One thread for each request; stop() waits for them. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int running;

static void* answer_later(void* argument) {
  const uint64_t id = *(uint64_t*)argument;
  tftpkit_source source;
  free(argument);
  sleep_ms(2);
  tftpkit_source_init(&source);
  tftpkit_answer_text(&source, "later\n");
#if defined(UNFIT_LATE_COMPLETE)
  /* Forgets a request that was given up instead of completing it. */
  if (!tftpkit_cancelled(the_host, id)) tftpkit_complete_read(the_host, id, TFTPKIT_OK, &source, NULL);
#else
  tftpkit_complete_read(the_host, id, TFTPKIT_OK, &source, NULL);
  tftpkit_complete_read(the_host, id, TFTPKIT_OK, &source, NULL);
#endif
  pthread_mutex_lock(&mutex);
  running--;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static tftpkit_status open_later(const tftpkit_request* request) {
  pthread_t thread;
  uint64_t* id = malloc(sizeof *id);
  if (id == NULL) return TFTPKIT_E_NO_SPACE;
  *id = request->id;
  pthread_mutex_lock(&mutex);
  running++;
  pthread_mutex_unlock(&mutex);
  pthread_create(&thread, NULL, answer_later, id);
  pthread_detach(thread);
  return TFTPKIT_PENDING;
}

static void stop(void* self) {
  (void)self;
  pthread_mutex_lock(&mutex);
  while (running > 0)
    pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
}
#else
static void stop(void* self) {
  (void)self;
}
#endif

/* ------------------------------------------------------------------------------------- the exported faults
 */

#if defined(UNFIT_EXPORTS_ONLY_ENTRY)
TFTPKIT_EXPORT int a_helper_that_everybody_sees(void);
TFTPKIT_EXPORT int a_helper_that_everybody_sees(void) {
  return 1;
}
#elif defined(UNFIT_NO_UNDEFINED_SYMBOLS)
/* Is in the library that this file does not name; the server happens to have it. */
extern const char* uv_version_string(void);
#endif

/* ------------------------------------------------------------------------------------------- the calls */

static tftpkit_status create(const tftpkit_host* host, void** instance) {
  the_host = host;
  *instance = NULL;
#if defined(UNFIT_CREATE_WITHOUT_SETTINGS)
  tftpkit_str root;
  if (!tftpkit_setting(host, "/root", &root))
    return tftpkit_fail(host, TFTPKIT_E_NOT_FOUND, "/root is missing");
#elif defined(UNFIT_CREATE_DESTROY_100)
  if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return TFTPKIT_E_UNAVAILABLE;
#elif defined(UNFIT_SHORT_STRUCT_HOST)
  /* A member of a later minor, without a look at struct_size. */
  if (*(const uint64_t*)(const void*)((const char*)host + host->struct_size) == 4711)
    return TFTPKIT_E_INTERNAL;
#elif defined(UNFIT_NO_UNDEFINED_SYMBOLS)
  if (uv_version_string() == NULL) return TFTPKIT_E_INTERNAL;
#endif
  return TFTPKIT_OK;
}

#if defined(UNFIT_WRITE_WITHOUT_COMMIT_LEAVES_NOTHING)
/* What is written is there at once. */
static char uploaded[4096];
static size_t uploaded_bytes;
static int has_upload;

static tftpkit_status open_write(void* self, const tftpkit_request* request, tftpkit_sink* sink) {
  (void)self, (void)request, (void)sink;
  has_upload = 1;
  return TFTPKIT_OK;
}
static tftpkit_status write_on(void* self, void* transfer, const void* data, size_t len) {
  (void)self, (void)transfer;
  if (len > sizeof uploaded - uploaded_bytes) return TFTPKIT_E_NO_SPACE;
  memcpy(uploaded + uploaded_bytes, data, len);
  uploaded_bytes += len;
  return TFTPKIT_OK;
}
#define WRITES .open_write = open_write, .write = write_on,
#else
#define WRITES
#endif

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  (void)self, (void)source;
#if defined(UNFIT_WRITE_WITHOUT_COMMIT_LEAVES_NOTHING)
  if (strcmp(path, "tftpkit-check-upload") == 0)
    return has_upload ? tftpkit_answer_buffer(source, uploaded, uploaded_bytes, NULL) : TFTPKIT_DECLINED;
#endif
#if defined(UNFIT_HOSTILE_PATHS)
  volatile char copy[256];
  for (size_t i = 0; i <= request->path.len; i++)
    copy[i] = path[i];
  if (copy[0] == '\0') return TFTPKIT_DECLINED;
#endif
  if (strcmp(path, "any/name") != 0)
#if defined(UNFIT_UNKNOWN_PATH)
    return TFTPKIT_E_INTERNAL;
#else
    return TFTPKIT_DECLINED;
#endif
#if defined(UNFIT_BUFFER_STAYS_CONSTANT)
  static char line[32];
  static int requests;
  return tftpkit_answer_buffer(source, line,
                               (size_t)snprintf(line, sizeof line, "request %06d\n", ++requests), NULL);
#elif defined(UNFIT_LATE_COMPLETE) || defined(UNFIT_COMPLETE_BEFORE_RETURN)
  return open_later(request);
#elif defined(UNFIT_PARALLEL_OPENS)
    static int busy;
  if (__atomic_add_fetch(&busy, 1, __ATOMIC_SEQ_CST) > 1) source = NULL;
  sleep_ms(1);
  __atomic_sub_fetch(&busy, 1, __ATOMIC_SEQ_CST);
  return source == NULL ? TFTPKIT_E_UNAVAILABLE : open_stream(source);
#elif defined(UNFIT_INLINE_IS_FAST)
    sleep_ms(15);
  return open_stream(source);
#elif defined(UNFIT_SIZE_MATCHES_BYTES)
    open_stream(source);
  source->size = whole + 1;
  return TFTPKIT_OK;
#else
    return open_stream(source);
#endif
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  (void)self;
#if defined(UNFIT_READ_1_BYTE)
  if (capacity < 2) return 0;
#elif defined(UNFIT_READ_HUGE)
  if (capacity > 1000000) return TFTPKIT_E_IO;
#elif defined(UNFIT_CANCEL_UNBLOCKS)
  static int slept; /* the first read of the process only, so that other checks come through */
  if (!slept) {
    slept = 1;
    sleep_ms(3000);
  }
#endif
  return read_usual(transfer, buffer, capacity);
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  reading* from = transfer;
  (void)self;
  (void)outcome;
#if defined(UNFIT_CLOSE_AFTER_EVERY_PREFIX)
  if (from->at < whole && from->at > 0) return;
#endif
  free(from);
}

static void cancel_transfer(void* self, void* transfer) {
  (void)self;
  (void)transfer;
}

/* ---------------------------------------------------------------------------------- the descriptor */

static tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,          WRITES.name = NAME, .version = "1.0",
                                .summary = "Fails one check", .create = create,   .stop = stop,
                                .open_read = open_read,       .read = read_next,  .close = close_transfer,
                                .cancel = cancel_transfer};

#if defined(UNFIT_ENTRY_STABLE)
static tftpkit_plugin another;
#endif
#if defined(UNFIT_ENTRY_IS_PURE)
static void* idle(void* argument) {
  for (;;)
    pause();
  return argument;
}
#endif

TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void);
TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void) {
#if defined(UNFIT_SCHEMA_IS_VALID)
  schema = "{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\", \"default\": \"many\"}}}";
#elif defined(UNFIT_CREATE_WITHOUT_SETTINGS)
  schema = "{\"type\": \"object\", \"properties\": {\"root\": {\"type\": \"string\"}}}";
#elif defined(UNFIT_INLINE_IS_FAST)
  execution = TFTPKIT_EXEC_INLINE;
#endif
  plugin.settings_schema = schema;
  plugin.execution = execution;
#if defined(UNFIT_ENTRY_IS_PURE)
  static pthread_t thread;
  if (thread == 0) pthread_create(&thread, NULL, idle, NULL);
#elif defined(UNFIT_ENTRY_STABLE)
  static int calls;
  another = plugin;
  return ++calls % 2 == 1 ? &plugin : &another;
#endif
  return &plugin;
}
