/* For tests that replace, break and crash plugins. A number N is a stream of N bytes, the marker over and
 * over; tests make generations by patching the marker in a copy of the built file. With a marker that begins
 * with "fails" create() fails. "crash", "crash-read", "crash-thread", "overflow", "abort" and "exit" end the
 * process. Each instance has a thread, which destroy() ends. DROPPED_SINGLETON: there can be only one.
 */
#include <tftpkit/plugin.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const volatile char marker[] = "generation-000000"; /* volatile: read from the file as it is */
enum { marker_length = sizeof marker - 1 };

typedef struct {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int over;
} dropped;

typedef struct {
  uint64_t at;
  uint64_t size;
  int crashes;
} reading;

static int* volatile nowhere; /* volatile: the compiler does not know that it stays NULL */
static volatile unsigned long deep = ~0UL;

static void crash(void) {
  *nowhere = 0;
}

static int overflow(unsigned long depth) {
  volatile char room[4096];
  room[0] = (char)depth;
  return depth < deep ? overflow(depth + 1) + room[0] : 0;
}

static void* crash_here(void* unused) {
  crash();
  return unused;
}

static void* wait_for_the_end(void* instance) {
  dropped* self = instance;
  pthread_mutex_lock(&self->mutex);
  while (!self->over)
    pthread_cond_wait(&self->changed, &self->mutex);
  pthread_mutex_unlock(&self->mutex);
  return NULL;
}

static tftpkit_status create(const tftpkit_host* host, void** instance) {
  if (marker[0] == 'f') return tftpkit_fail(host, TFTPKIT_E_UNAVAILABLE, "told to fail in create");
  dropped* self = calloc(1, sizeof *self);
  if (self == NULL) return TFTPKIT_E_NO_SPACE;
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  if (pthread_create(&self->thread, NULL, wait_for_the_end, self) != 0) {
    free(self);
    return TFTPKIT_E_UNAVAILABLE;
  }
  *instance = self;
  return TFTPKIT_OK;
}

static void destroy(void* instance) {
  dropped* self = instance;
  pthread_mutex_lock(&self->mutex);
  self->over = 1;
  pthread_cond_signal(&self->changed);
  pthread_mutex_unlock(&self->mutex);
  pthread_join(self->thread, NULL);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  (void)self;
  if (strcmp(path, "crash") == 0) crash();
  if (strcmp(path, "overflow") == 0) return overflow(0);
  if (strcmp(path, "abort") == 0) abort();
  if (strcmp(path, "exit") == 0) exit(0);
  if (strcmp(path, "crash-thread") == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, crash_here, NULL) == 0) pthread_join(thread, NULL);
  }
  reading* from = calloc(1, sizeof *from);
  if (from == NULL) return TFTPKIT_E_NO_SPACE;
  from->crashes = strcmp(path, "crash-read") == 0;
  from->size = from->crashes ? 1000 : strtoull(path, NULL, 10);
  if (from->size != 0) return tftpkit_answer_stream(source, from->size, from);
  free(from);
  return TFTPKIT_DECLINED;
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  reading* from = transfer;
  unsigned char* into = buffer;
  size_t count = 0;
  (void)self;
  if (from->crashes) crash();
  for (; count < capacity && from->at < from->size; count++, from->at++)
    into[count] = (unsigned char)marker[from->at % marker_length];
  return (int64_t)count;
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  (void)self, (void)outcome;
  free(transfer);
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
#ifdef DROPPED_SINGLETON
                                      .name = "dropped-alone", .flags = TFTPKIT_PLUGIN_SINGLETON,
#else
                                      .name = "dropped",
#endif
                                      .version = "1.0",        .execution = TFTPKIT_EXEC_PARALLEL,
                                      .create = create,        .destroy = destroy,
                                      .open_read = open_read,  .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
