/* Does to its own process what no plugin may do: the first part of the path says what. "good/N", "stream/N"
 * and "file/N" answer rightly with "pattern/N" (BUFFER, STREAM, FD), and "pid" with the number of the
 * process. "try/WHAT" tells what became of something that a sandbox forbids. There can be only one in a
 * process. */
#include "content.h"

#include <tftpkit/plugin.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { gigabyte = 1 << 30, largest_same = 24 << 20 };

static const tftpkit_host* host;
static int alive;
static unsigned char same[largest_same];

typedef struct {
  uint64_t at;
  uint64_t size;
  const char* act; /* in read() or close(), or NULL */
  char text[512];
} transfer_state;

static void crash(void) {
  volatile uintptr_t nowhere = 16;
  *(volatile int*)nowhere = 1;
}

static void* crash_in_a_thread(void* unused) {
  crash();
  return unused;
}

static void sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&pause, NULL);
}

static void spin(void) {
  for (volatile unsigned turn = 0;; turn++) {
  }
}

/* Page by page, so that the memory is really there. */
static void touch(unsigned char* bytes) {
  for (size_t at = 0; at < gigabyte; at += 4096)
    bytes[at] = 1;
}

static tftpkit_status take_memory(void) {
  unsigned char* bytes = malloc(gigabyte);
  if (bytes == NULL) return tftpkit_fail(host, TFTPKIT_E_NO_SPACE, "there is no gigabyte");
  touch(bytes);
  sleep_ms(3000);
  free(bytes);
  return TFTPKIT_E_IO;
}

static tftpkit_status take_shared_memory(void) {
  unsigned char* bytes = mmap(NULL, gigabyte, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) return tftpkit_fail(host, TFTPKIT_E_NO_SPACE, "there is no shared gigabyte");
  touch(bytes);
  sleep_ms(3000);
  munmap(bytes, gigabyte);
  return TFTPKIT_E_IO;
}

/* Whatever it is connected to gets bytes that mean nothing there. */
static void write_garbage(void) {
  unsigned char bytes[3000];
  for (int fd = 3; fd < 64; fd++) {
    struct stat seen;
    if (fstat(fd, &seen) != 0 || !S_ISSOCK(seen.st_mode)) continue;
    fill_content(bytes, 7, sizeof bytes, 0);
    bytes[0] = 103;
    (void)!write(fd, bytes, sizeof bytes);
  }
}

static void close_everything(void) {
  for (int fd = 0; fd < 1024; fd++)
    close(fd);
}

/* Ends the process or the request in its own way; what returns is the status of the request. */
static tftpkit_status act(const char* what) {
  pthread_t thread;
  if (strcmp(what, "segv") == 0) crash();
  if (strcmp(what, "thread") == 0 && pthread_create(&thread, NULL, crash_in_a_thread, NULL) == 0)
    sleep_ms(60000);
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "exit") == 0) exit(0);
  if (strcmp(what, "spin") == 0) spin();
  if (strcmp(what, "stop") == 0) raise(SIGSTOP);
  if (strcmp(what, "memory") == 0) return take_memory();
  if (strcmp(what, "shared-memory") == 0) return take_shared_memory();
  if (strcmp(what, "garbage") == 0) write_garbage();
  if (strcmp(what, "close-all") == 0) close_everything();
  sleep_ms(60000);
  return TFTPKIT_E_IO;
}

/* ------------------------------------------------------------------ what a sandbox forbids */

static int try_exec(void) {
  char* const arguments[] = {(char*)"true", NULL};
  execv("/bin/true", arguments);
  return errno;
}

static int try_fork(void) {
  const pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) _exit(0);
  waitpid(pid, NULL, 0);
  return 0;
}

static int try_thread(void) {
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, (void* (*)(void*))getenv, (void*)"HOME");
  if (error == 0) pthread_join(thread, NULL);
  return error;
}

static int try_write(const char* path) {
  const int fd = open(path, O_WRONLY | O_CREAT, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int try_read(const char* path) {
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int try_socket(int family) {
  const int fd = socket(family, SOCK_DGRAM, 0);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int result(long returned) {
  return returned < 0 ? errno : 0;
}

static int try_it(const char* what) {
  if (strcmp(what, "exec") == 0) return try_exec();
  if (strcmp(what, "fork") == 0) return try_fork();
  if (strcmp(what, "thread") == 0) return try_thread();
  if (strcmp(what, "write") == 0) return try_write("/tmp/tftpkit-misbehaves");
  if (strcmp(what, "read-passwd") == 0) return try_read("/etc/passwd");
  if (strcmp(what, "read-root") == 0) return try_read("/root");
  if (strcmp(what, "inet") == 0) return try_socket(AF_INET);
  if (strcmp(what, "unix") == 0) return try_socket(AF_UNIX);
  if (strcmp(what, "kill-parent") == 0) return result(kill(getppid(), 0));
  if (strcmp(what, "kill-self") == 0) return result(kill(getpid(), 0));
  if (strcmp(what, "ptrace") == 0) return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
  if (strcmp(what, "personality") == 0) return result(personality(0xffffffff)); /* only asks */
  if (strcmp(what, "setuid") == 0) return result(setuid(0));
  if (strcmp(what, "mkdir") == 0) return result(mkdir("/tmp/tftpkit-misbehaves-dir", 0700));
  if (after(what, "read/") != NULL) return try_read(after(what, "read"));
  return -1;
}

static size_t descriptors_text(char* text, size_t most) {
  size_t used = 0;
  for (int fd = 0; fd < 1024 && used < most; fd++)
    if (fcntl(fd, F_GETFD) >= 0) used += (size_t)snprintf(text + used, most - used, "%d ", fd);
  return used;
}

static int describe(const char* path, char* text, size_t most) {
  if (strcmp(path, "pid") == 0) return snprintf(text, most, "%d\n", (int)getpid()) > 0;
  if (strcmp(path, "descriptors") == 0) return descriptors_text(text, most) > 0;
  const char* what = after(path, "try/");
  if (what == NULL) return 0;
  const int error = try_it(what);
  const char* name = error == 0 ? "ok" : strerrorname_np(error);
  return snprintf(text, most, "%s\n", name == NULL ? "?" : name) > 0;
}

/* ------------------------------------------------------------------ the plugin */

static tftpkit_status create(const tftpkit_host* given, void** instance) {
  (void)instance;
  if (alive != 0) return tftpkit_fail(given, TFTPKIT_E_INTERNAL, "there can be only one in a process");
  alive = 1;
  host = given;
  int64_t ms = 0;
  tftpkit_str what = {NULL, 0};
  if (tftpkit_setting_int(host, "/start_ms", &ms)) sleep_ms((long)ms);
  if (tftpkit_setting(host, "/at_start", &what) && what.len != 0) return act(what.ptr);
  return TFTPKIT_OK;
}

static void destroy(void* self) {
  (void)self;
  alive = 0;
}

static tftpkit_status answer_file(tftpkit_source* source, uint64_t size, transfer_state* made) {
  unsigned char* bytes = malloc((size_t)size + 1);
  const int fd = memfd_create("content", MFD_CLOEXEC);
  if (bytes == NULL || fd < 0) return TFTPKIT_E_NO_SPACE;
  fill_content(bytes, 0, (size_t)size, 0);
  const int whole = write(fd, bytes, (size_t)size) == (ssize_t)size;
  free(bytes);
  return whole ? tftpkit_answer_fd(source, fd, size, made) : TFTPKIT_E_IO;
}

static tftpkit_status answer_buffer(tftpkit_source* source, uint64_t size, transfer_state* made) {
  unsigned char* bytes = malloc((size_t)size + 1);
  if (bytes == NULL) return TFTPKIT_E_NO_SPACE;
  fill_content(bytes, 0, (size_t)size, 0);
  return tftpkit_answer_buffer(source, bytes, size, made); /* stays for ever: a test of few requests */
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  const char* rest = NULL;
  transfer_state* made = calloc(1, sizeof *made);
  (void)self;
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  if ((rest = after(path, "open/")) != NULL) {
    free(made);
    return act(rest);
  }
  if ((rest = after(path, "good/")) != NULL) return answer_buffer(source, strtoull(rest, NULL, 10), made);
  if ((rest = after(path, "same/")) != NULL && strtoull(rest, NULL, 10) <= largest_same)
    return tftpkit_answer_buffer(source, same, strtoull(rest, NULL, 10), made);
  if ((rest = after(path, "file/")) != NULL) return answer_file(source, strtoull(rest, NULL, 10), made);
  if ((rest = after(path, "stream/")) != NULL) {
    made->size = strtoull(rest, NULL, 10);
    return tftpkit_answer_stream(source, TFTPKIT_SIZE_UNKNOWN, made);
  }
  if ((rest = after(path, "read/")) != NULL || (rest = after(path, "close/")) != NULL) {
    made->size = 1000;
    snprintf(made->text, sizeof made->text, "%s", rest);
    made->act = path[0] == 'r' ? "read" : "close";
    return tftpkit_answer_stream(source, TFTPKIT_SIZE_UNKNOWN, made);
  }
  if (describe(path, made->text, sizeof made->text))
    return tftpkit_answer_buffer(source, made->text, strlen(made->text), made);
  free(made);
  return TFTPKIT_DECLINED;
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  transfer_state* from = transfer;
  const uint64_t left = from->size - from->at;
  const size_t count = left < capacity ? (size_t)left : capacity;
  (void)self;
  /* The first bytes are good, so that the act comes in the middle. */
  if (from->act != NULL && strcmp(from->act, "read") == 0 && from->at != 0) return act(from->text);
  fill_content(buffer, from->at, count, 0);
  from->at += count;
  return (int64_t)count;
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  transfer_state* from = transfer;
  (void)self;
  (void)outcome;
  if (from != NULL && from->act != NULL && strcmp(from->act, "close") == 0) act(from->text);
  free(from);
}

static const tftpkit_plugin plugin = {
    TFTPKIT_PLUGIN_HEAD,
    .execution = TFTPKIT_EXEC_PARALLEL,
    .name = "misbehaves",
    .version = "1.0",
    .summary = "Ends its process in every way",
    .settings_schema = "{\"type\": \"object\", \"properties\": {\"start_ms\": {\"type\": \"integer\"}, "
                       "\"at_start\": {\"type\": \"string\"}}, \"additionalProperties\": false}",
    .create = create,
    .destroy = destroy,
    .open_read = open_read,
    .read = read_next,
    .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
