/* One object that reaches every type of the plugin ABI, for abidw: what it says of this object is kept for
 * each release. */
#include <tftpkit/plugin.h>

TFTPKIT_EXPORT void tftpkit_anchor(const tftpkit_plugin*, const tftpkit_host*, const tftpkit_request*,
                                   tftpkit_source*, tftpkit_sink*, const tftpkit_outcome*);
TFTPKIT_EXPORT void tftpkit_anchor(const tftpkit_plugin* plugin, const tftpkit_host* host,
                                   const tftpkit_request* request, tftpkit_source* source, tftpkit_sink* sink,
                                   const tftpkit_outcome* outcome) {
  (void)plugin, (void)host, (void)request, (void)source, (void)sink, (void)outcome;
}

static const tftpkit_plugin* plugin;
TFTPKIT_EXPORT_PLUGIN(*plugin)
