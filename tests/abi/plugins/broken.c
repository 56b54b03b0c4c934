/* Plugins that are wrong before anybody asks them anything; built several times, -DBROKEN_... chooses which.
 */
#include <tftpkit/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if !defined(BROKEN_NO_CALLS)
static tftpkit_status hello(void* self, const tftpkit_request* request, tftpkit_source* source) {
  (void)self;
  (void)request;
  return tftpkit_answer_text(source, "should not have been asked\n");
}
#endif

#if defined(BROKEN_SHORT_DESCRIPTOR)
static const tftpkit_plugin plugin = {.struct_size = 40,
                                      .abi_version = TFTPKIT_ABI_VERSION,
                                      .name = "short-descriptor",
                                      .version = "1.0",
                                      .open_read = hello};
#elif defined(BROKEN_NEEDS_MINOR_99)
static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .abi_minor_needed = 99, .name = "needs-minor-99",
                                      .version = "1.0", .open_read = hello};
#elif defined(BROKEN_BAD_NAME)
static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "Bad Name\033[31m", .version = "1.0",
                                      .open_read = hello};
#elif defined(BROKEN_NO_VERSION)
static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "no-version", .open_read = hello};
#elif defined(BROKEN_NO_CALLS)
static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "no-calls", .version = "1.0"};
#else
static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "broken", .version = "1.0",
                                      .open_read = hello};
#endif

#if defined(BROKEN_CRASH_ON_LOAD)
__attribute__((constructor)) static void crash(void) {
  abort();
}
#endif

#if defined(BROKEN_UNDEFINED_SYMBOL)
extern int tftpkit_no_such_function(void);
#endif

#if defined(BROKEN_MAJOR_TWO)
TFTPKIT_EXPORT const void* tftpkit_plugin_v2(void);
TFTPKIT_EXPORT const void* tftpkit_plugin_v2(void) {
  return &plugin;
}
#elif defined(BROKEN_NO_ENTRY)
TFTPKIT_EXPORT const void* some_other_library(void);
TFTPKIT_EXPORT const void* some_other_library(void) {
  return &plugin;
}
#else
TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void);
TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void) {
#if defined(BROKEN_CRASH_IN_ENTRY)
  abort();
#elif defined(BROKEN_HANG_IN_ENTRY)
  for (;;)
    pause();
#elif defined(BROKEN_EXIT_IN_ENTRY)
  exit(0);
#elif defined(BROKEN_NULL_DESCRIPTOR)
  return NULL;
#elif defined(BROKEN_UNDEFINED_SYMBOL)
  return tftpkit_no_such_function() ? &plugin : NULL;
#endif
  return &plugin;
}
#endif
