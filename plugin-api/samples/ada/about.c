/* The entry and the descriptor, which are C so that a plugin can be listed without the Ada runtime, and the
 * calls to Ada.
 *
 * The runtime without tasking has one secondary stack for all threads, so one call at a time and one
 * instance: SERIAL and SINGLETON. It would handle SIGSEGV and others, which are the server's: whoever
 * initialises it first decides. */
#include <tftpkit/plugin.h>

#include <pthread.h>
#include <stdlib.h>

/* As hexfile.ads says. */
extern tftpkit_status hexfile_create(tftpkit_str greeting, tftpkit_str images, void** instance);
extern void hexfile_destroy(void* instance);
extern tftpkit_status hexfile_open(void* instance, const tftpkit_request* request, tftpkit_source* source,
                                   char* text, size_t capacity);
extern int64_t hexfile_read(void* mark, void* buffer, size_t capacity);
extern void hexfile_close(void* mark);
/* The runtime's. */
extern void __gnat_runtime_initialize(int install_handler);
extern void adainit(void); /* made by gnatbind: elaborates all packages */

typedef struct {
  const tftpkit_host* host;
  void* ada;
} instance;

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void) {
  __gnat_runtime_initialize(0);
  adainit();
}

static tftpkit_status create(const tftpkit_host* host, void** self) {
  tftpkit_str greeting = {"", 0};
  tftpkit_str images = {"", 0};
  tftpkit_status status;
  instance* made;
  tftpkit_setting(host, "/greeting", &greeting);
  tftpkit_setting(host, "/images", &images);
  if (greeting.len == 0) return tftpkit_fail(host, TFTPKIT_E_OPTION, "/greeting is empty: give a line");
  made = calloc(1, sizeof *made);
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->host = host;
  pthread_once(&started, start);
  status = hexfile_create(greeting, images, &made->ada);
  if (status != TFTPKIT_OK) {
    free(made);
    return status;
  }
  *self = made;
  return TFTPKIT_OK;
}

static void destroy(void* self) {
  hexfile_destroy(((instance*)self)->ada);
  free(self);
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const instance* made = self;
  char why[512] = "";
  const tftpkit_status status = hexfile_open(made->ada, request, source, why, sizeof why);
  return status < 0 ? tftpkit_fail(made->host, status, why) : status;
}

static int64_t read_next(void* self, void* mark, void* buffer, size_t capacity) {
  (void)self;
  return hexfile_read(mark, buffer, capacity);
}

static void close_transfer(void* self, void* mark, const tftpkit_outcome* outcome) {
  (void)self;
  (void)outcome;
  hexfile_close(mark);
}

static const char schema[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
                             " \"greeting\": {\"type\": \"string\", \"default\": \"Hello\", \"description\": "
                             "\"what scenario/greeting says\"},"
                             " \"images\": {\"type\": \"string\", \"format\": \"path\", \"description\": "
                             "\"the directory with NAME.bin\"}}}";

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_SERIAL,
                                      .flags = TFTPKIT_PLUGIN_SINGLETON,
                                      .name = "sample-ada",
                                      .version = "1.0",
                                      .summary = "Raw images as Intel HEX",
                                      .license = "MIT",
                                      .settings_schema = schema,
                                      .create = create,
                                      .destroy = destroy,
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
