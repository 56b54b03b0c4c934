/* tftpkit/open_now.h - an extension of the plugin ABI 1: answers without a worker thread
 *
 * For plugins that may block, but often need not: what lies in a cache is answered on the network thread,
 * which saves two changes of threads for every request. extension(TFTPKIT_OPEN_NOW) of the plugin returns the
 * struct below, constant, for the life of the process. A host that does not know the extension never asks for
 * it, so open_read() has to be there as well.
 */

#ifndef TFTPKIT_OPEN_NOW_H
#define TFTPKIT_OPEN_NOW_H

#include <tftpkit/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFTPKIT_OPEN_NOW "open-now"

typedef struct tftpkit_open_now {
  uint32_t struct_size;
  uint32_t reserved; /* zero */
  /* As open_read() of a plugin that is EXEC_INLINE: on the network thread, on several of them at once, and it
   * must neither block nor do I/O that may wait. With an answer it sets *answered to 1. When there is none
   * without waiting it leaves *answered alone, keeps nothing, and what it returns does not count: open_read()
   * follows on a worker thread, as if this had not been called. Asked only of instances whose calls may run
   * in parallel. */
  tftpkit_status (*open_read)(void* instance, const tftpkit_request* request, tftpkit_source* source,
                              int32_t* answered) TFTPKIT_NOEXCEPT;
} tftpkit_open_now;

#ifdef __cplusplus
}
#endif

#endif
