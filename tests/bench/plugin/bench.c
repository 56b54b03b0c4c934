/* The plugin of the benchmark: 8 KiB answers in every way that the contract knows: "buffer", "stream", and
 * "pending", which a thread of the plugin's own completes. Declared INLINE; the configuration may ask for the
 * executor instead. */
#include <tftpkit/plugin.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { answer_bytes = 8192, ring_places = 65536 };

typedef struct {
  const tftpkit_host* host;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t came;
  uint64_t asked[ring_places]; /* requests that wait for the thread */
  size_t first, count;
  int stopping;
  unsigned char bytes[answer_bytes];
} bench;

typedef struct {
  size_t at;
} reading;

static void* complete_all(void* self) {
  bench* own = self;
  pthread_mutex_lock(&own->mutex);
  while (!own->stopping) {
    if (own->count == 0) {
      pthread_cond_wait(&own->came, &own->mutex);
      continue;
    }
    const uint64_t id = own->asked[own->first];
    own->first = (own->first + 1) % ring_places;
    own->count--;
    pthread_mutex_unlock(&own->mutex);
    tftpkit_source source;
    memset(&source, 0, sizeof source);
    source.struct_size = (uint32_t)sizeof source;
    source.fd = -1;
    tftpkit_answer_buffer(&source, own->bytes, answer_bytes, NULL);
    (void)own->host->complete(own->host, id, TFTPKIT_OK, &source, NULL, NULL, 0);
    pthread_mutex_lock(&own->mutex);
  }
  pthread_mutex_unlock(&own->mutex);
  return NULL;
}

static tftpkit_status create(const tftpkit_host* host, void** instance) {
  bench* own = calloc(1, sizeof *own);
  if (own == NULL) return TFTPKIT_E_UNAVAILABLE;
  own->host = host;
  pthread_mutex_init(&own->mutex, NULL);
  pthread_cond_init(&own->came, NULL);
  for (size_t i = 0; i < answer_bytes; i++)
    own->bytes[i] = (unsigned char)(i * 2654435761u >> 13);
  *instance = own;
  return TFTPKIT_OK;
}

static void destroy(void* self) {
  bench* own = self;
  pthread_cond_destroy(&own->came);
  pthread_mutex_destroy(&own->mutex);
  free(own);
}

static tftpkit_status start(void* self) {
  bench* own = self;
  return pthread_create(&own->thread, NULL, complete_all, own) == 0 ? TFTPKIT_OK : TFTPKIT_E_UNAVAILABLE;
}

static void stop(void* self) {
  bench* own = self;
  pthread_mutex_lock(&own->mutex);
  own->stopping = 1;
  pthread_cond_signal(&own->came);
  pthread_mutex_unlock(&own->mutex);
  pthread_join(own->thread, NULL);
}

static tftpkit_status answer_later(bench* own, uint64_t id) {
  pthread_mutex_lock(&own->mutex);
  const int room = own->count < ring_places;
  if (room) own->asked[(own->first + own->count++) % ring_places] = id;
  pthread_cond_signal(&own->came);
  pthread_mutex_unlock(&own->mutex);
  return room ? TFTPKIT_PENDING : TFTPKIT_E_UNAVAILABLE;
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  bench* own = self;
  if (strcmp(request->path.ptr, "buffer") == 0)
    return tftpkit_answer_buffer(source, own->bytes, answer_bytes, NULL);
  if (strcmp(request->path.ptr, "pending") == 0) return answer_later(own, request->id);
  if (strcmp(request->path.ptr, "stream") != 0) return TFTPKIT_DECLINED;
  reading* from = calloc(1, sizeof *from);
  if (from == NULL) return TFTPKIT_E_UNAVAILABLE;
  return tftpkit_answer_stream(source, answer_bytes, from);
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  const bench* own = self;
  reading* from = transfer;
  const size_t left = answer_bytes - from->at;
  const size_t count = left < capacity ? left : capacity;
  memcpy(buffer, own->bytes + from->at, count);
  from->at += count;
  return (int64_t)count;
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_INLINE,
                                      .name = "bench",
                                      .version = "1.0",
                                      .summary = "8 KiB in every way of answering",
                                      .create = create,
                                      .destroy = destroy,
                                      .start = start,
                                      .stop = stop,
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
