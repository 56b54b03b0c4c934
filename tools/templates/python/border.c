/* The border between <tftpkit/plugin.h> and Python. The entry and the descriptor are C: the server asks for them
 * without starting an interpreter; the first create() starts it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <tftpkit/plugin.h>

#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* In Python, see build.py: an instance is known by its number. cffi answers 0 when Python did not start, so what went
 * well has another number there. */
enum { PYTHON_OK = 100 };
static int32_t py_create(const void *host, uint64_t *number);
static void py_destroy(uint64_t number);
static int32_t py_open(const void *host, uint64_t number, const char *path, size_t len, void **data, size_t *size);

/* What Python calls. */
static const char *border_setting(const void *host, const char *pointer, size_t *len) {
  const tftpkit_host *table = host;
  tftpkit_str value = {NULL, 0};
  if (!table->setting(table, pointer, &value)) return NULL;
  *len = value.len;
  return value.ptr;
}

static void border_explain(const void *host, const char *text, size_t len) {
  const tftpkit_host *table = host;
  table->explain(table, text, len);
}

static void *border_copy(const char *bytes, size_t len) {
  void *copy = malloc(len == 0 ? 1 : len);
  if (copy != NULL) memcpy(copy, bytes, len);
  return copy;
}

typedef struct {
  const tftpkit_host *host;
  uint64_t number;
} instance;

static tftpkit_status status_of(const tftpkit_host *host, int32_t said) {
  if (said == PYTHON_OK) return TFTPKIT_OK;
  if (said != 0) return said;
  return tftpkit_fail(host, TFTPKIT_E_UNAVAILABLE, "Python did not start: is python3-cffi-backend installed?");
}

/* Python's own modules expect its library among the global symbols, and its start changes the locale: a guest puts
 * that back. It is the Python that built this which knows where its modules are, not the first one on the PATH. */
static tftpkit_status first_call(const tftpkit_host *host, uint64_t *number) {
  char *locale = strdup(setlocale(LC_CTYPE, NULL));
  tftpkit_status status;
  Dl_info library;
  if (dladdr((void *)&Py_IsInitialized, &library) != 0)
    dlopen(library.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  if (!Py_IsInitialized()) Py_SetProgramName(L"@PYTHON@");
#pragma GCC diagnostic pop
  status = status_of(host, py_create(host, number));
  if (locale != NULL) setlocale(LC_CTYPE, locale);
  free(locale);
  return status;
}

static tftpkit_status create(const tftpkit_host *host, void **self) {
  instance *made = calloc(1, sizeof *made);
  tftpkit_status status;
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->host = host;
  status = first_call(host, &made->number);
  if (status != TFTPKIT_OK) {
    free(made);
    return status;
  }
  *self = made;
  return TFTPKIT_OK;
}

static void destroy(void *self) {
  py_destroy(((instance *)self)->number);
  free(self);
}

static tftpkit_status open_read(void *self, const tftpkit_request *request, tftpkit_source *source) {
  const instance *made = self;
  void *data = NULL;
  size_t size = 0;
  const tftpkit_status status = status_of(
      made->host, py_open(made->host, made->number, request->path.ptr, request->path.len, &data, &size));
  if (status != TFTPKIT_OK) return status;
  return tftpkit_answer_buffer(source, data, size, data);
}

static void close_transfer(void *self, void *transfer, const tftpkit_outcome *outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {\"greeting\": {\"type\": \"string\", \"default\": \"Hello from @NAME@!\","
    " \"description\": \"what hello.txt says\"}}}";

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_SERIAL, /* one thread at a time runs Python */
                                      .name = "@NAME@",
                                      .version = "0.1",
                                      .summary = "Says hello",
                                      .settings_schema = schema,
                                      .create = create,
                                      .destroy = destroy,
                                      .open_read = open_read,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
