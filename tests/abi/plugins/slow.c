/* Sleeps where the path says, as a dead disk would: "open/MS", "read/MS" (before each of three blocks of 512
 * bytes) and "close/MS"; nothing wakes it. "cancel" waits in read() until cancel() is called, at most 60 s.
 * The content is "pattern/1536". */
#include "content.h"

#include <tftpkit/plugin.h>

#include <pthread.h>
#include <time.h>

enum { block = 512, whole = 3 * block };

typedef struct {
  long read_ms;
  long close_ms;
  int until_cancelled;
  int cancelled;
  uint64_t at;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
} slowness;

static void sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&pause, NULL);
}

static long number_behind(const char* path, const char* prefix) {
  const char* number = after(path, prefix);
  return number == NULL ? 0 : strtol(number, NULL, 10);
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  slowness* made = calloc(1, sizeof *made);
  (void)self;
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->read_ms = number_behind(path, "read/");
  made->close_ms = number_behind(path, "close/");
  made->until_cancelled = strcmp(path, "cancel") == 0;
  pthread_mutex_init(&made->mutex, NULL);
  pthread_cond_init(&made->changed, NULL);
  sleep_ms(number_behind(path, "open/"));
  return tftpkit_answer_stream(source, whole, made);
}

static tftpkit_status wait_for_cancel(slowness* from) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 60;
  pthread_mutex_lock(&from->mutex);
  while (!from->cancelled && pthread_cond_timedwait(&from->changed, &from->mutex, &end) == 0) {
  }
  pthread_mutex_unlock(&from->mutex);
  return TFTPKIT_E_CANCELLED;
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  slowness* from = transfer;
  const uint64_t left = whole - from->at;
  size_t count = left < block ? (size_t)left : block;
  (void)self;
  if (from->until_cancelled) return wait_for_cancel(from);
  if (count > capacity) count = capacity;
  if (count != 0) sleep_ms(from->read_ms);
  fill_content(buffer, from->at, count, 0);
  from->at += count;
  return (int64_t)count;
}

static void cancel_transfer(void* self, void* transfer) {
  slowness* from = transfer;
  (void)self;
  pthread_mutex_lock(&from->mutex);
  from->cancelled = 1;
  pthread_cond_broadcast(&from->changed);
  pthread_mutex_unlock(&from->mutex);
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  slowness* from = transfer;
  (void)self;
  (void)outcome;
  sleep_ms(from->close_ms);
  pthread_cond_destroy(&from->changed);
  pthread_mutex_destroy(&from->mutex);
  free(from);
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_PARALLEL,
                                      .name = "slow",
                                      .version = "1.0",
                                      .summary = "Sleeps where it is told to",
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer,
                                      .cancel = cancel_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
