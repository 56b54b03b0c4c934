/* One wrong answer for each name; see the table below. "right" is right. Behind "later/" the same answer
 * comes by complete() from within open instead of by the return value. */
#include "content.h"

#include <tftpkit/plugin.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  const tftpkit_host* host;
} wrong;

static tftpkit_status null_data(tftpkit_source* source) {
  return tftpkit_answer_buffer(source, NULL, 10, NULL);
}

static tftpkit_status unsized_buffer(tftpkit_source* source) {
  tftpkit_answer_text(source, "text");
  source->size = TFTPKIT_SIZE_UNKNOWN;
  return TFTPKIT_OK;
}

static tftpkit_status huge_buffer(tftpkit_source* source) {
  tftpkit_answer_text(source, "text");
  source->size = TFTPKIT_SIZE_UNKNOWN - 1;
  return TFTPKIT_OK;
}

static tftpkit_status unknown_kind(tftpkit_source* source) {
  source->kind = 77;
  return TFTPKIT_OK;
}

static tftpkit_status closed_fd(tftpkit_source* source) {
  const int fd = fcntl(0, F_DUPFD_CLOEXEC, 900);
  if (fd >= 0) close(fd);
  return tftpkit_answer_fd(source, fd < 0 ? 900 : fd, TFTPKIT_SIZE_UNKNOWN, NULL);
}

static tftpkit_status negative_fd(tftpkit_source* source) {
  return tftpkit_answer_fd(source, -1, 10, NULL);
}

static tftpkit_status standard_fd(tftpkit_source* source) {
  return tftpkit_answer_fd(source, 0, 10, NULL);
}

static tftpkit_status directory_fd(tftpkit_source* source) {
  return tftpkit_answer_fd(source, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), TFTPKIT_SIZE_UNKNOWN, NULL);
}

static tftpkit_status path_fd(tftpkit_source* source) {
  return tftpkit_answer_fd(source, open("/dev/null", O_PATH | O_CLOEXEC), TFTPKIT_SIZE_UNKNOWN, NULL);
}

static tftpkit_status write_only_fd(tftpkit_source* source) {
  return tftpkit_answer_fd(source, open("/dev/null", O_WRONLY | O_CLOEXEC), TFTPKIT_SIZE_UNKNOWN, NULL);
}

static int file_of(uint64_t size) {
  const int fd = memfd_create("content", MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) return -1;
  return fd;
}

static tftpkit_status offset_beyond(tftpkit_source* source) {
  tftpkit_answer_fd(source, file_of(100), TFTPKIT_SIZE_UNKNOWN, NULL);
  source->fd_offset = 101;
  return TFTPKIT_OK;
}

static tftpkit_status size_beyond(tftpkit_source* source) {
  tftpkit_answer_fd(source, file_of(100), 60, NULL);
  source->fd_offset = 50;
  return TFTPKIT_OK;
}

static tftpkit_status pipe_offset(tftpkit_source* source) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return TFTPKIT_E_UNAVAILABLE;
  close(ends[1]);
  tftpkit_answer_fd(source, ends[0], TFTPKIT_SIZE_UNKNOWN, NULL);
  source->fd_offset = 5;
  return TFTPKIT_OK;
}

static tftpkit_status empty_redirect(tftpkit_source* source) {
  return tftpkit_answer_redirect(source, "", NULL);
}

static tftpkit_status null_redirect(tftpkit_source* source) {
  return tftpkit_answer_redirect(source, NULL, NULL);
}

static tftpkit_status unclean_redirect(tftpkit_source* source) {
  return tftpkit_answer_redirect(source, "a/../../etc/shadow", NULL);
}

static tftpkit_status long_redirect(tftpkit_source* source) {
  static char path[5000];
  memset(path, 'x', sizeof path - 1);
  return tftpkit_answer_redirect(source, path, NULL);
}

static tftpkit_status zero_struct_size(tftpkit_source* source) {
  tftpkit_answer_text(source, "text");
  source->struct_size = 0;
  return TFTPKIT_OK;
}

static tftpkit_status huge_struct_size(tftpkit_source* source) {
  tftpkit_answer_text(source, "text");
  source->struct_size = 0xffffffffu;
  return TFTPKIT_OK;
}

static tftpkit_status unknown_flags(tftpkit_source* source) {
  tftpkit_answer_text(source, "text");
  source->flags = 4;
  return TFTPKIT_OK;
}

static tftpkit_status unknown_status(tftpkit_source* source) {
  (void)source;
  return 4711;
}

static tftpkit_status stale_status(tftpkit_source* source) {
  (void)source;
  return TFTPKIT_E_STALE;
}

static tftpkit_status reads_too_much(tftpkit_source* source) {
  return tftpkit_answer_stream(source, 2000, NULL);
}

static tftpkit_status reads_unknown(tftpkit_source* source) {
  static char mark;
  return tftpkit_answer_stream(source, 2000, &mark);
}

static tftpkit_status right(tftpkit_source* source) {
  return tftpkit_answer_text(source, "right\n");
}

static const struct {
  const char* name;
  tftpkit_status (*answer)(tftpkit_source*);
} answers[] = {
    {"null-data", null_data},
    {"unsized-buffer", unsized_buffer},
    {"huge-buffer", huge_buffer},
    {"unknown-kind", unknown_kind},
    {"closed-fd", closed_fd},
    {"negative-fd", negative_fd},
    {"standard-fd", standard_fd},
    {"directory-fd", directory_fd},
    {"path-fd", path_fd},
    {"write-only-fd", write_only_fd},
    {"offset-beyond", offset_beyond},
    {"size-beyond", size_beyond},
    {"pipe-offset", pipe_offset},
    {"empty-redirect", empty_redirect},
    {"null-redirect", null_redirect},
    {"unclean-redirect", unclean_redirect},
    {"long-redirect", long_redirect},
    {"zero-struct-size", zero_struct_size},
    {"huge-struct-size", huge_struct_size},
    {"unknown-flags", unknown_flags},
    {"unknown-status", unknown_status},
    {"stale-status", stale_status},
    {"reads-too-much", reads_too_much}, /* read() says one byte more than there was room for */
    {"reads-unknown", reads_unknown},   /* read() returns -7777 */
    {"right", right},
};

static void say(const wrong* self, const char* what, long number) {
  char line[80];
  const int length = snprintf(line, sizeof line, "%s %ld", what, number);
  self->host->log(self->host, TFTPKIT_LOG_INFO, line, (size_t)length);
}

/* What a plugin does whose offer was not taken: it closes its descriptor. */
static tftpkit_status by_complete(const wrong* self, uint64_t id, tftpkit_status status,
                                  tftpkit_source* source) {
  const tftpkit_status said =
      tftpkit_complete_read(self->host, id, status, status == TFTPKIT_OK ? source : NULL, NULL);
  if (said != TFTPKIT_OK && source->kind == TFTPKIT_SOURCE_FD && source->fd > 2) close(source->fd);
  say(self, "complete() returned", said);
  return TFTPKIT_PENDING;
}

static tftpkit_status open_read(void* instance, const tftpkit_request* request, tftpkit_source* source) {
  const wrong* self = instance;
  const char* later = after(request->path.ptr, "later/");
  const char* name = later != NULL ? later : request->path.ptr;
  if (strcmp(name, "null-source") == 0) {
    say(self, "complete() returned", tftpkit_complete_read(self->host, request->id, TFTPKIT_OK, NULL, NULL));
    return TFTPKIT_PENDING;
  }
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    if (strcmp(name, answers[i].name) != 0) continue;
    tftpkit_source offered;
    tftpkit_source_init(&offered);
    if (later == NULL) return answers[i].answer(source);
    const tftpkit_status status = answers[i].answer(&offered);
    return by_complete(self, request->id, status, &offered);
  }
  return TFTPKIT_DECLINED;
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  (void)self;
  (void)buffer;
  return transfer == NULL ? (int64_t)capacity + 1 : -7777;
}

static void close_transfer(void* instance, void* transfer, const tftpkit_outcome* outcome) {
  wrong* self = instance;
  (void)transfer;
  say(self, "closed with", (long)outcome->end);
}

static tftpkit_status create(const tftpkit_host* host, void** instance) {
  wrong* self = calloc(1, sizeof *self);
  if (self == NULL) return TFTPKIT_E_NO_SPACE;
  self->host = host;
  *instance = self;
  return TFTPKIT_OK;
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,    .name = "wrong-answers",
                                      .version = "1.0",       .summary = "Answers wrongly in every way",
                                      .create = create,       .destroy = free,
                                      .open_read = open_read, .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
