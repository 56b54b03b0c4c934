/* tftpkit/plugin.h - the plugin ABI of tftpkit, version 1.0
 *
 * A plugin is a shared object that tells the server which bytes answer a TFTP
 * request. It sees names, addresses and options; it never sees a packet. The
 * server (the host) keeps everything that is protocol: negotiation, blocks,
 * windows, retransmission, netascii, time limits.
 *
 * This file is the whole contract and all that a plugin needs. It includes only
 * <stddef.h> and <stdint.h> and compiles as GNU C90, C99 and later, and C++11 and
 * later. A plugin links against nothing of the host: what it may call is in the
 * table `tftpkit_host` that create() receives.
 *
 * A whole plugin:
 *
 *   #include <tftpkit/plugin.h>
 *   static tftpkit_status hello(void *self, const tftpkit_request *request,
 *                               tftpkit_source *source) {
 *     (void)self; (void)request;
 *     return tftpkit_answer_text(source, "Hello from a plugin!\n");
 *   }
 *   static const tftpkit_plugin plugin = { TFTPKIT_PLUGIN_HEAD,
 *     .name = "hello", .version = "1.0", .open_read = hello };
 *   TFTPKIT_EXPORT_PLUGIN(plugin)
 *
 *   cc -shared -fPIC -fvisibility=hidden hello.c -o hello.so
 *   tftpkit plugins fetch ./hello.so any/name
 *
 * COMPATIBILITY. The major version is in the name of the entry symbol, the minor
 * version is a number. A struct that begins with `struct_size` grows only at its
 * end, travels only by pointer and is read only as far as its struct_size says;
 * what lies beyond counts as zero, and zero always means "as before". A struct
 * marked FROZEN keeps its layout for the whole major version. Enumerations travel
 * as 32-bit integers, with gaps; a number is never used again for something else.
 * Everything optional is an extension with a name, asked for by extension().
 * So a plugin built against 1.x runs in every host that speaks 1.y with y >= x,
 * and in older ones down to the minor that it names in `abi_minor_needed`.
 *
 * THREADS. Every function carries one of these marks:
 *   [setup]       one at a time, never beside another call of the same instance
 *                 other than those marked [any-thread]; may block.
 *   [transfer]    on the thread that `execution` asks for; calls that belong to
 *                 the same transfer never overlap.
 *   [any-thread]  from any thread, at any time between create() and the end of
 *                 destroy().
 *   [in-call]     only while the host is inside a call of this instance, and only
 *                 on the thread of that call.
 *
 * OWNERSHIP. Who allocated it frees it, always. What the host hands over is valid
 * until the call returns, unless a longer life is stated. What a plugin hands over
 * as bytes stays valid and unchanged until close().
 *
 * ERRORS. Calls return a tftpkit_status; errno is never looked at. Exceptions, panics
 * and longjmp must not leave a plugin: turn them into TFTPKIT_E_INTERNAL.
 *
 * MANNERS. A plugin is a guest in the process: no exit(), no fork() without exec, no
 * chdir(), umask(), setlocale() or signal handlers; descriptors are close-on-exec.
 */

#ifndef TFTPKIT_PLUGIN_H
#define TFTPKIT_PLUGIN_H

/* Laid out by hand. */
/* clang-format off */

#include <stddef.h>
#include <stdint.h>

#define TFTPKIT_ABI_MAJOR 1u
#define TFTPKIT_ABI_MINOR 0u
#define TFTPKIT_ABI_VERSION ((TFTPKIT_ABI_MAJOR << 16) | TFTPKIT_ABI_MINOR)

/* The one symbol that a plugin exports. */
#define TFTPKIT_ENTRY_NAME "tftpkit_plugin_v1"

#if defined(__GNUC__) || defined(__clang__)
#define TFTPKIT_EXPORT __attribute__((__visibility__("default")))
#define TFTPKIT_INLINE static __inline__ __attribute__((__unused__))
#else
#define TFTPKIT_EXPORT
#define TFTPKIT_INLINE static inline
#endif

#if defined(__cplusplus)
#define TFTPKIT_EXTERN_C extern "C"
#else
#define TFTPKIT_EXTERN_C
#endif

/* From C++17 on the compiler checks that no exception can cross the border. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define TFTPKIT_NOEXCEPT noexcept
#else
#define TFTPKIT_NOEXCEPT
#endif

/* Does the struct behind `pointer` reach far enough to hold `member`? */
#define TFTPKIT_HAS(pointer, member)                                                       \
  ((size_t)(pointer)->struct_size >=                                                       \
   (size_t)((const char *)(&(pointer)->member + 1) - (const char *)(pointer)))

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------- status */

/* What a call came to. Zero is success, negative is failure; the positive ones are
 * the two other good answers to open_read() and open_write(). */
typedef int32_t tftpkit_status;

enum {
  TFTPKIT_OK = 0,
  TFTPKIT_PENDING = 1,         /* the answer follows by complete(), maybe already has       */
  TFTPKIT_DECLINED = 2,        /* "not mine": the next instance of the route is asked; when
                                  all declined the client reads "File not found"            */
                               /* failures, with the ERROR code that the client sees        */
  TFTPKIT_E_INTERNAL = -1,     /* 0: the plugin is at fault                                 */
  TFTPKIT_E_NOT_FOUND = -10,   /* 1: no such file, and nobody else shall be asked           */
  TFTPKIT_E_ACCESS = -20,      /* 2: not allowed                                            */
  TFTPKIT_E_NO_SPACE = -30,    /* 3: disk full, quota, too large                            */
  TFTPKIT_E_UNSUPPORTED = -40, /* 4: this operation is not offered                          */
  TFTPKIT_E_EXISTS = -60,      /* 6: the file exists already (writes)                       */
  TFTPKIT_E_OPTION = -80,      /* 8: an option is not acceptable                            */
  TFTPKIT_E_IO = -100,         /* 0: reading or writing failed                              */
  TFTPKIT_E_UNAVAILABLE = -110, /* 0: the backend is down, a later try may do               */
  TFTPKIT_E_TIMEOUT = -120,    /* 0: the backend is too slow                                */
  TFTPKIT_E_CANCELLED = -130,  /* the request was cancelled; the client is gone already     */
                               /* said by the host only                                     */
  TFTPKIT_E_STALE = -200,      /* nobody waits for this request any more                    */
  TFTPKIT_E_INVALID = -210     /* bad argument, or called at the wrong moment               */
};

/* -------------------------------------------------------------------- values */

/* FROZEN. A run of bytes that somebody else owns. Those from the host end with a NUL
 * at ptr[len], which is not counted. */
typedef struct tftpkit_str {
  const char *ptr;
  size_t len;
} tftpkit_str;

/* FROZEN. family is 4 or 6, or 0 when there is none (a request without a network);
 * bytes in network order, IPv4 in the first four; port as a plain number. */
typedef struct tftpkit_addr {
  uint16_t family;
  uint16_t port;
  uint32_t scope_id; /* IPv6: index of the interface of a link-local address, else 0 */
  uint8_t bytes[16];
} tftpkit_addr;

/* FROZEN. One option of the request: the name in lower case, the value as sent. */
typedef struct tftpkit_option {
  tftpkit_str name;
  tftpkit_str value;
} tftpkit_option;

/* A size in bytes that is not known beforehand. */
#define TFTPKIT_SIZE_UNKNOWN (~(uint64_t)0)

/* ------------------------------------------------------------------- request */

enum { TFTPKIT_OP_READ = 1, TFTPKIT_OP_WRITE = 2 };
enum { TFTPKIT_MODE_OCTET = 1, TFTPKIT_MODE_NETASCII = 2 };

/* What a client asks for. The host owns it; it is valid until close() returns for this
 * request or, when no transfer comes of it, until the failing open or complete() returns. */
typedef struct tftpkit_request {
  uint32_t struct_size;
  uint32_t op;             /* TFTPKIT_OP_*                                                    */
  uint64_t id;             /* never used twice; the log shows it                              */
  uint64_t announced_size; /* writes: bytes announced by tsize, else TFTPKIT_SIZE_UNKNOWN     */
  tftpkit_str path;        /* the clean name: UTF-8 without control characters, '/' between
                              parts, no "." or ".." or empty part, no '/' at either end       */
  tftpkit_str wire_path;   /* the name as it came: any bytes but NUL; never trust it          */
  uint32_t mode;           /* TFTPKIT_MODE_*, to know; the host converts netascii itself      */
  uint32_t blksize;        /* bytes per block, as agreed                                      */
  uint32_t windowsize;     /* blocks per window, as agreed                                    */
  uint32_t answer_within_ms; /* how long the host waits for an answer                         */
  tftpkit_addr peer;       /* the client                                                      */
  tftpkit_addr local;      /* the address that it asked                                       */
  uint32_t redirects;      /* how many REDIRECTs led here                                     */
  uint32_t option_count;
  const tftpkit_option *options; /* everything sent, known or not, in the order sent          */
} tftpkit_request;

/* ------------------------------------------------------------- answers: reads */

enum {
  /* `data`, `size` bytes, as they lie there; nothing is copied. */
  TFTPKIT_SOURCE_BUFFER = 10,
  /* `fd`, which the host takes over and closes. A regular file is read from `fd_offset`
   * by position (size unknown: to its end); a pipe or socket in order until it ends. */
  TFTPKIT_SOURCE_FD = 20,
  /* The host calls read() until it says 0. */
  TFTPKIT_SOURCE_STREAM = 30,
  /* Ask the instances that follow in the route for `redirect`, a clean path, instead. At
   * most 8 in a row. close() is called when the transfer that came of it has ended. */
  TFTPKIT_SOURCE_REDIRECT = 40
};

/* The answer to a read. The host prepares it (STREAM, size unknown, fd -1, all else zero)
 * and the plugin fills it in. With a known size exactly so many bytes must come: another
 * number ends the transfer with an error. The host copies the struct and the text of
 * `redirect`; bytes behind `data` stay the plugin's until close(). */
typedef struct tftpkit_source {
  uint32_t struct_size;
  uint32_t kind;        /* TFTPKIT_SOURCE_*                                  */
  uint64_t size;        /* bytes, or TFTPKIT_SIZE_UNKNOWN                    */
  uint64_t fd_offset;   /* FD on a regular file: where to begin              */
  void *transfer;       /* the plugin's own mark: handed to read() and close() */
  const void *data;     /* BUFFER                                            */
  tftpkit_str redirect; /* REDIRECT                                          */
  int32_t fd;           /* FD                                                */
  uint32_t flags;       /* none yet: leave zero                              */
} tftpkit_source;

/* The answer to a write. */
typedef struct tftpkit_sink {
  uint32_t struct_size;
  uint32_t flags;       /* none yet: leave zero                              */
  uint64_t size_limit;  /* refuse more bytes than this; zero: no limit       */
  void *transfer;       /* the plugin's own mark                             */
} tftpkit_sink;

/* ------------------------------------------------------------------- outcome */

enum {
  TFTPKIT_END_DELIVERED = 0,    /* all bytes arrived and were acknowledged                    */
  TFTPKIT_END_UNCONFIRMED = 5,  /* all bytes were sent, the last acknowledgement never came   */
  TFTPKIT_END_PROBED = 8,       /* the client only asked for the terms (size) and left        */
  TFTPKIT_END_PLUGIN = 10,      /* the plugin failed                                          */
  TFTPKIT_END_CLIENT = 20,      /* the client sent an ERROR or began anew                     */
  TFTPKIT_END_TIMEOUT = 30,     /* the client fell silent                                     */
  TFTPKIT_END_SHUTDOWN = 40,    /* the host stopped                                           */
  TFTPKIT_END_HOST = 50         /* a limit or failure of the host, or of a redirect's target  */
};

/* How a transfer ended. */
typedef struct tftpkit_outcome {
  uint32_t struct_size;
  uint32_t end;         /* TFTPKIT_END_*; treat an unknown one as HOST        */
  uint64_t bytes;       /* acknowledged by the client                         */
  uint64_t elapsed_us;  /* since the request came                             */
  uint64_t resends;     /* blocks sent more than once                         */
} tftpkit_outcome;

/* ---------------------------------------------------------------------- host */

enum {
  TFTPKIT_LOG_DEBUG = 10,
  TFTPKIT_LOG_INFO = 20,
  TFTPKIT_LOG_WARNING = 30,
  TFTPKIT_LOG_ERROR = 40
};

typedef struct tftpkit_host tftpkit_host;

/* What the host offers: one table for each instance, owned by the host, valid from create()
 * until destroy() has returned. Every function takes the table as its first argument. */
struct tftpkit_host {
  uint32_t struct_size;
  uint32_t abi_version;        /* (major << 16) | minor that the host speaks  */
  void *impl;                  /* the host's own                              */
  const char *product;         /* "tftpkit"                                   */
  const char *product_version; /* for messages only                           */
  const char *instance_name;   /* what the operator calls this instance       */

  /* Writes one line to the log under the instance's name; text belongs to the caller, needs
   * no NUL and no newline. [any-thread] */
  void (*log)(const tftpkit_host *host, uint32_t level, const char *text,
              size_t len) TFTPKIT_NOEXCEPT;

  /* Non-zero when a line at this level would be written at all. Owns nothing. [any-thread] */
  int32_t (*log_enabled)(const tftpkit_host *host, uint32_t level) TFTPKIT_NOEXCEPT;

  /* Says in words why the call that is under way will fail or decline. The host copies it:
   * the log gets it whole, the client a shortened and cleaned form. [in-call] */
  void (*explain)(const tftpkit_host *host, const char *text, size_t len) TFTPKIT_NOEXCEPT;

  /* Reads one setting by JSON pointer ("/root", "/rules/0/match"): non-zero when it is there,
   * given or by the schema's default. Scalars come as text (true, 42, the string itself); an
   * object or array as JSON. *value belongs to the host until destroy(). [any-thread] */
  int32_t (*setting)(const tftpkit_host *host, const char *pointer,
                     tftpkit_str *value) TFTPKIT_NOEXCEPT;

  /* The same for whole numbers: integers, booleans as 1 and 0, "size" in bytes, "duration" in
   * milliseconds. Zero when absent or not a number. Owns nothing. [any-thread] */
  int32_t (*setting_int)(const tftpkit_host *host, const char *pointer,
                         int64_t *value) TFTPKIT_NOEXCEPT;

  /* Elements of the array, or members of the object, at this pointer; 0 for anything else.
   * Owns nothing. [any-thread] */
  size_t (*setting_count)(const tftpkit_host *host, const char *pointer) TFTPKIT_NOEXCEPT;

  /* Is this request given up (client gone, time over, server stopping)? An unknown id is.
   * Worth asking between the steps of slow work. Owns nothing. [any-thread] */
  int32_t (*cancelled)(const tftpkit_host *host, uint64_t request_id) TFTPKIT_NOEXCEPT;

  /* Answers an open that returned PENDING, once, also before that open has returned. status
   * as open would return it; `source` (reads) or `sink` (writes) with TFTPKIT_OK only, else
   * NULL; text explains a failure, may be NULL. The host copies all of it.
   * TFTPKIT_OK: taken; close() follows if status was OK.
   * TFTPKIT_E_STALE: nobody waits; descriptor, bytes and mark stay the plugin's, and close()
   * does not follow. TFTPKIT_E_INVALID: the answer is malformed; the request failed, and what
   * was offered stays the plugin's. [any-thread] */
  tftpkit_status (*complete)(const tftpkit_host *host, uint64_t request_id,
                             tftpkit_status status, const tftpkit_source *source,
                             const tftpkit_sink *sink, const char *text,
                             size_t len) TFTPKIT_NOEXCEPT;

  /* Writes the peer's link-layer (MAC) address to mac[0..5] when it is on a directly attached
   * link and the kernel's neighbour table knows it: TFTPKIT_OK, else TFTPKIT_E_NOT_FOUND;
   * TFTPKIT_E_STALE for an unknown request. The caller owns mac. [any-thread] */
  tftpkit_status (*peer_link_address)(const tftpkit_host *host, uint64_t request_id,
                                      uint8_t *mac) TFTPKIT_NOEXCEPT;

  /* A host extension by name, or NULL. Belongs to the host, lives as long as this table.
   * [any-thread] */
  const void *(*extension)(const tftpkit_host *host, const char *name) TFTPKIT_NOEXCEPT;
};

/* -------------------------------------------------------------------- plugin */

/* Where [transfer] calls run. The operator may choose a stricter one, never a laxer one. */
enum {
  /* On a worker thread, one call at a time for the whole instance. May block. */
  TFTPKIT_EXEC_SERIAL = 0,
  /* On worker threads, several transfers at once. May block. */
  TFTPKIT_EXEC_PARALLEL = 100,
  /* On the network thread itself, and on several of them at once. Must not block and do no
   * I/O: everybody waits meanwhile. For answers that lie in memory, or that are always
   * PENDING. */
  TFTPKIT_EXEC_INLINE = 200
};

enum {
  /* After destroy() nothing of the plugin is left: no thread, no thread-local destructor, no
   * runtime. Without it the file stays mapped for the life of the process. */
  TFTPKIT_PLUGIN_UNMAPPABLE = 1u << 0,
  /* There can be only one instance at a time. */
  TFTPKIT_PLUGIN_SINGLETON = 1u << 1
};

/* The descriptor: constant, the same at every call of the entry, owned by the plugin for the
 * life of the process. Any call but open_read/open_write may be NULL.
 *
 *   create -> start -> { open -> read.. or write..commit -> close }.. -> stop -> destroy     */
typedef struct tftpkit_plugin {
  uint32_t struct_size;      /* } TFTPKIT_PLUGIN_HEAD                                       */
  uint32_t abi_version;      /* }                                                           */
  uint32_t abi_minor_needed; /* oldest minor of a host that will do                         */
  uint32_t execution;        /* TFTPKIT_EXEC_*                                              */
  uint32_t flags;            /* TFTPKIT_PLUGIN_*                                            */
  uint32_t reserved;         /* zero                                                        */
  const char *name;          /* required: [a-z][a-z0-9-]*, as the file without ".so"        */
  const char *version;       /* required: the plugin's own                                  */
  const char *summary;       /* one line for listings, or NULL                              */
  const char *license;       /* SPDX expression, or NULL                                    */
  const char *homepage;      /* or NULL                                                     */
  /* JSON Schema (draft 7) of the settings object, as text, or NULL when there are none. The
   * host checks settings against it before create(), fills in defaults and understands the
   * formats "size" (64KiB), "duration" (3s), "path" (relative to the configuration file) and
   * "secret" (@file: its content; never logged). */
  const char *settings_schema;

  /* Builds an instance from its settings: check everything, explain() what is wrong, start
   * nothing yet. *instance is the plugin's own and is handed to every other call. Every
   * failure must have freed what it made. [setup] */
  tftpkit_status (*create)(const tftpkit_host *host, void **instance) TFTPKIT_NOEXCEPT;

  /* Frees what create() made; every transfer is closed by then. [setup] */
  void (*destroy)(void *instance) TFTPKIT_NOEXCEPT;

  /* Begins service: the place for threads and connections, which the plugin owns. [setup] */
  tftpkit_status (*start)(void *instance) TFTPKIT_NOEXCEPT;

  /* Ends service: returns when the threads that start() made are gone. [setup] */
  void (*stop)(void *instance) TFTPKIT_NOEXCEPT;

  /* Which bytes answer this read? OK with *source filled in (what it refers to stays the
   * plugin's until close(), but a descriptor becomes the host's), PENDING, DECLINED or a
   * failure; after the last two the plugin keeps nothing. [transfer] */
  tftpkit_status (*open_read)(void *instance, const tftpkit_request *request,
                              tftpkit_source *source) TFTPKIT_NOEXCEPT;

  /* The next bytes of a STREAM into the host's buffer, in order, each byte once: 1..capacity
   * how many, 0 at the end, or a negative status. Fewer than asked is fine. [transfer] */
  int64_t (*read)(void *instance, void *transfer, void *buffer,
                  size_t capacity) TFTPKIT_NOEXCEPT;

  /* May this write happen, and where to? As open_read. [transfer] */
  tftpkit_status (*open_write)(void *instance, const tftpkit_request *request,
                               tftpkit_sink *sink) TFTPKIT_NOEXCEPT;

  /* Takes all of these bytes, in order, or fails; data is the host's. [transfer] */
  tftpkit_status (*write)(void *instance, void *transfer, const void *data,
                          size_t len) TFTPKIT_NOEXCEPT;

  /* All has arrived: make it visible. Runs before the client's last block is acknowledged,
   * so that a failure reaches it. Without commit() close() must leave no trace. [transfer] */
  tftpkit_status (*commit)(void *instance, void *transfer) TFTPKIT_NOEXCEPT;

  /* The last call for a transfer that was opened, exactly once, however it ended: free what
   * belongs to it. outcome is the host's. [transfer] */
  void (*close)(void *instance, void *transfer, const tftpkit_outcome *outcome) TFTPKIT_NOEXCEPT;

  /* Make a read(), write() or commit() of this transfer that is under way in another thread
   * return soon; it changes no ownership, and close() still follows. [any-thread] */
  void (*cancel)(void *instance, void *transfer) TFTPKIT_NOEXCEPT;

  /* A plugin extension by name, or NULL; owned by the plugin; needs no instance. [any-thread] */
  const void *(*extension)(const char *name) TFTPKIT_NOEXCEPT;
} tftpkit_plugin;

/* The entry: returns the descriptor's address and does nothing else. It is also called just
 * to list plugins. [any-thread] */
typedef const tftpkit_plugin *(*tftpkit_entry)(void)TFTPKIT_NOEXCEPT;

/* ------------------------------------------------------------------ shorthand
 * Compiled into the plugin, no part of the ABI. Plain functions, so that languages whose
 * C bridge knows no macros and no function pointers can call them. */

TFTPKIT_INLINE size_t tftpkit_text_length(const char *text) {
  size_t n = 0;
  while (text != NULL && text[n] != '\0')
    n++;
  return n;
}

/* Answers with bytes in memory that stay as they are until close(transfer). */
TFTPKIT_INLINE tftpkit_status tftpkit_answer_buffer(tftpkit_source *source, const void *data,
                                                    size_t len, void *transfer) {
  source->kind = TFTPKIT_SOURCE_BUFFER;
  source->data = data;
  source->size = (uint64_t)len;
  source->transfer = transfer;
  return TFTPKIT_OK;
}

/* Answers with a C string of static life. */
TFTPKIT_INLINE tftpkit_status tftpkit_answer_text(tftpkit_source *source, const char *text) {
  return tftpkit_answer_buffer(source, text, tftpkit_text_length(text), NULL);
}

/* Answers with an open file, which becomes the host's; size may be TFTPKIT_SIZE_UNKNOWN. */
TFTPKIT_INLINE tftpkit_status tftpkit_answer_fd(tftpkit_source *source, int fd, uint64_t size,
                                                void *transfer) {
  source->kind = TFTPKIT_SOURCE_FD;
  source->fd = (int32_t)fd;
  source->size = size;
  source->transfer = transfer;
  return TFTPKIT_OK;
}

/* Answers by read() calls. */
TFTPKIT_INLINE tftpkit_status tftpkit_answer_stream(tftpkit_source *source, uint64_t size,
                                                    void *transfer) {
  source->kind = TFTPKIT_SOURCE_STREAM;
  source->size = size;
  source->transfer = transfer;
  return TFTPKIT_OK;
}

/* Answers with another name, which the following instances of the route resolve. */
TFTPKIT_INLINE tftpkit_status tftpkit_answer_redirect(tftpkit_source *source, const char *path,
                                                      void *transfer) {
  source->kind = TFTPKIT_SOURCE_REDIRECT;
  source->redirect.ptr = path;
  source->redirect.len = tftpkit_text_length(path);
  source->transfer = transfer;
  return TFTPKIT_OK;
}

/* Prepares a source of one's own for complete(). */
TFTPKIT_INLINE void tftpkit_source_init(tftpkit_source *source) {
  source->struct_size = (uint32_t)sizeof *source;
  source->kind = TFTPKIT_SOURCE_STREAM;
  source->size = TFTPKIT_SIZE_UNKNOWN;
  source->fd_offset = 0;
  source->transfer = NULL;
  source->data = NULL;
  source->redirect.ptr = NULL;
  source->redirect.len = 0;
  source->fd = -1;
  source->flags = 0;
}

TFTPKIT_INLINE void tftpkit_log(const tftpkit_host *host, uint32_t level, const char *text) {
  host->log(host, level, text, tftpkit_text_length(text));
}

/* return tftpkit_fail(host, TFTPKIT_E_IO, "the backend hung up"); [in-call] */
TFTPKIT_INLINE tftpkit_status tftpkit_fail(const tftpkit_host *host, tftpkit_status status,
                                           const char *text) {
  host->explain(host, text, tftpkit_text_length(text));
  return status;
}

TFTPKIT_INLINE int32_t tftpkit_setting(const tftpkit_host *host, const char *pointer,
                                       tftpkit_str *value) {
  return host->setting(host, pointer, value);
}

TFTPKIT_INLINE int32_t tftpkit_setting_int(const tftpkit_host *host, const char *pointer,
                                           int64_t *value) {
  return host->setting_int(host, pointer, value);
}

TFTPKIT_INLINE int32_t tftpkit_cancelled(const tftpkit_host *host, uint64_t request_id) {
  return host->cancelled(host, request_id);
}

/* Completes a read; source with TFTPKIT_OK only, text may be NULL. [any-thread] */
TFTPKIT_INLINE tftpkit_status tftpkit_complete_read(const tftpkit_host *host, uint64_t request_id,
                                                    tftpkit_status status,
                                                    const tftpkit_source *source,
                                                    const char *text) {
  return host->complete(host, request_id, status, source, NULL, text, tftpkit_text_length(text));
}

#ifdef __cplusplus
} /* extern "C" */
#endif

/* The first members of a descriptor with designated initialisers. */
#define TFTPKIT_PLUGIN_HEAD                                                                \
  .struct_size = (uint32_t)sizeof(tftpkit_plugin), .abi_version = TFTPKIT_ABI_VERSION

/* Exports a descriptor; once for each shared object, at file scope. */
#define TFTPKIT_EXPORT_PLUGIN(descriptor)                                                  \
  TFTPKIT_EXTERN_C TFTPKIT_EXPORT const tftpkit_plugin *tftpkit_plugin_v1(void)            \
      TFTPKIT_NOEXCEPT;                                                                    \
  TFTPKIT_EXTERN_C TFTPKIT_EXPORT const tftpkit_plugin *tftpkit_plugin_v1(void)            \
      TFTPKIT_NOEXCEPT {                                                                   \
    return &(descriptor);                                                                  \
  }

#endif /* TFTPKIT_PLUGIN_H */
