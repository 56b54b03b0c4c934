/* "to/PATH" sends the request on as PATH; "again/PATH" as "again/PATH" itself, for ever; others are declined.
 */
#include "content.h"

#include <tftpkit/plugin.h>

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = after(request->path.ptr, "to/");
  (void)self;
  if (path == NULL && after(request->path.ptr, "again/") != NULL) path = request->path.ptr;
  return path == NULL ? TFTPKIT_DECLINED : tftpkit_answer_redirect(source, path, NULL);
}

static const tftpkit_plugin plugin = {
    TFTPKIT_PLUGIN_HEAD, .execution = TFTPKIT_EXEC_INLINE, .name = "redirect",
    .version = "1.0",    .summary = "Sends requests on",   .open_read = open_read};
TFTPKIT_EXPORT_PLUGIN(plugin)
