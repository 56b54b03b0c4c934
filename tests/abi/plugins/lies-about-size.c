/* Announces another number of bytes than it gives. N is what comes:
 *   stream-short/N  announces N + 100        stream-long/N  announces N - 100 (N at least 100)
 *   pipe-short/N    the same by a pipe       pipe-long/N    (N at most 60000)
 *   fd-long/N       a file of N bytes announced as N + 100: refused when it answers
 *   fd-part/N       a file of N + 100 bytes announced as N: no lie, the first N are meant
 *   fd-shrinks/N    a file of N bytes that is cut to N / 2 when "cut" is asked for; "cut" itself is declined
 */
#include "content.h"

#include <tftpkit/plugin.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int cut_fd = -1;
static uint64_t cut_to;

typedef struct {
  uint64_t at;
  uint64_t size;
} reading;

static int filled(int fd, uint64_t size) {
  unsigned char part[4096];
  for (uint64_t at = 0; at < size;) {
    const size_t count = size - at < sizeof part ? (size_t)(size - at) : sizeof part;
    fill_content(part, at, count, 0);
    if (write(fd, part, count) != (ssize_t)count) return 0;
    at += count;
  }
  return 1;
}

static tftpkit_status answer_stream(tftpkit_source* source, uint64_t size, uint64_t announced) {
  reading* from = calloc(1, sizeof *from);
  if (from == NULL) return TFTPKIT_E_NO_SPACE;
  from->size = size;
  return tftpkit_answer_stream(source, announced, from);
}

static tftpkit_status answer_pipe(tftpkit_source* source, uint64_t size, uint64_t announced) {
  int ends[2];
  if (size > 60000 || pipe2(ends, O_CLOEXEC) != 0) return TFTPKIT_E_UNAVAILABLE;
  filled(ends[1], size);
  close(ends[1]);
  return tftpkit_answer_fd(source, ends[0], announced, NULL);
}

static tftpkit_status answer_file(tftpkit_source* source, uint64_t size, uint64_t announced, int shrinks) {
  const int fd = memfd_create("content", MFD_CLOEXEC);
  if (fd < 0 || !filled(fd, size)) return TFTPKIT_E_UNAVAILABLE;
  if (shrinks) {
    if (cut_fd >= 0) close(cut_fd);
    cut_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    cut_to = size / 2;
  }
  return tftpkit_answer_fd(source, fd, announced, NULL);
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  const char* number = strchr(path, '/');
  const uint64_t size = number == NULL ? 0 : strtoull(number + 1, NULL, 10);
  (void)self;
  if (after(path, "stream-short/")) return answer_stream(source, size, size + 100);
  if (after(path, "stream-long/")) return answer_stream(source, size, size - 100);
  if (after(path, "pipe-short/")) return answer_pipe(source, size, size + 100);
  if (after(path, "pipe-long/")) return answer_pipe(source, size, size - 100);
  if (after(path, "fd-long/")) return answer_file(source, size, size + 100, 0);
  if (after(path, "fd-part/")) return answer_file(source, size + 100, size, 0);
  if (after(path, "fd-shrinks/")) return answer_file(source, size, size, 1);
  if (strcmp(path, "cut") == 0 && cut_fd >= 0 && ftruncate(cut_fd, (off_t)cut_to) != 0) return TFTPKIT_E_IO;
  return TFTPKIT_DECLINED;
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  reading* from = transfer;
  const uint64_t left = from->size - from->at;
  const size_t count = left < capacity ? (size_t)left : capacity;
  (void)self;
  fill_content(buffer, from->at, count, 0);
  from->at += count;
  return (int64_t)count;
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static void destroy(void* self) {
  (void)self;
  if (cut_fd >= 0) close(cut_fd);
  cut_fd = -1;
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .flags = TFTPKIT_PLUGIN_SINGLETON,
                                      .name = "lies-about-size",
                                      .version = "1.0",
                                      .summary = "Announces wrong sizes",
                                      .destroy = destroy,
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
