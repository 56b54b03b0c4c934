/* @NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.
 * The contract is <tftpkit/plugin.h>; README.md beside this file says how to go on. */
#include <tftpkit/plugin.h>

#include <stdlib.h>
#include <string.h>

/* One configured use of the plugin. */
typedef struct {
  char *line;
  size_t length;
} instance;

/* [setup] Settings are read and checked here. The host has filled in the default already. */
static tftpkit_status create(const tftpkit_host *host, void **self) {
  tftpkit_str greeting;
  instance *made;
  if (!tftpkit_setting(host, "/greeting", &greeting) || greeting.len == 0)
    return tftpkit_fail(host, TFTPKIT_E_INTERNAL, "/greeting is empty: give the line to be shown");
  made = malloc(sizeof *made);
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->length = greeting.len + 1;
  made->line = malloc(made->length);
  if (made->line == NULL) {
    free(made);
    return TFTPKIT_E_NO_SPACE;
  }
  memcpy(made->line, greeting.ptr, greeting.len);
  made->line[greeting.len] = '\n';
  *self = made;
  return TFTPKIT_OK;
}

/* [setup] */
static void destroy(void *self) {
  instance *made = self;
  free(made->line);
  free(made);
}

/* [transfer] Which bytes answer this name? They stay as they are until destroy(), so nothing has to be closed. */
static tftpkit_status open_read(void *self, const tftpkit_request *request, tftpkit_source *source) {
  const instance *made = self;
  if (strcmp(request->path.ptr, "hello.txt") != 0) return TFTPKIT_DECLINED;
  return tftpkit_answer_buffer(source, made->line, made->length, NULL);
}

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {\"greeting\": {\"type\": \"string\", \"default\": \"Hello from @NAME@!\","
    " \"description\": \"what hello.txt says\"}}}";

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_INLINE, /* it never waits for anything */
                                      .name = "@NAME@",
                                      .version = "0.1",
                                      .summary = "Says hello",
                                      .settings_schema = schema,
                                      .create = create,
                                      .destroy = destroy,
                                      .open_read = open_read};
TFTPKIT_EXPORT_PLUGIN(plugin)
