/* Everything of the header that is compiled into a plugin, in a dialect that C90 and C++11 share: no
 * designated initialisers, declarations first. */
#include <tftpkit/plugin.h>

static const tftpkit_host* the_host;

static tftpkit_status create(const tftpkit_host* host, void** instance) TFTPKIT_NOEXCEPT {
  tftpkit_str text;
  int64_t number = 0;
  the_host = host;
  *instance = NULL;
  if (TFTPKIT_HAS(host, extension) && host->extension(host, "nothing/1") != NULL)
    tftpkit_log(host, TFTPKIT_LOG_INFO, "there is something");
  if (!tftpkit_setting(host, "/root", &text) || !tftpkit_setting_int(host, "/size", &number))
    return tftpkit_fail(host, TFTPKIT_E_INVALID, "the settings are wrong");
  return TFTPKIT_OK;
}

static tftpkit_status open_read(void* self, const tftpkit_request* request,
                                tftpkit_source* source) TFTPKIT_NOEXCEPT {
  tftpkit_source other;
  (void)self;
  tftpkit_source_init(&other);
  if (tftpkit_cancelled(the_host, request->id)) return TFTPKIT_E_CANCELLED;
  if (request->path.len == 1) return tftpkit_answer_buffer(source, "x", 1, NULL);
  if (request->path.len == 2) return tftpkit_answer_fd(source, 7, TFTPKIT_SIZE_UNKNOWN, NULL);
  if (request->path.len == 3) return tftpkit_answer_stream(source, 10, &other);
  if (request->path.len == 4) return tftpkit_answer_redirect(source, "other", NULL);
  if (request->path.len == 5) {
    tftpkit_complete_read(the_host, request->id, TFTPKIT_OK, &other, NULL);
    return TFTPKIT_PENDING;
  }
  return tftpkit_answer_text(source, "text");
}

static const tftpkit_plugin plugin = {(uint32_t)sizeof(tftpkit_plugin),
                                      TFTPKIT_ABI_VERSION,
                                      0,
                                      TFTPKIT_EXEC_SERIAL,
                                      0,
                                      0,
                                      "use",
                                      "1",
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL,
                                      create,
                                      NULL,
                                      NULL,
                                      NULL,
                                      open_read,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL};

TFTPKIT_EXPORT_PLUGIN(plugin)
