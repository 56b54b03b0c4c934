/* A plugin in order that writes to every standard stream, and to the descriptor where the host wants its
 * report, while it is asked to describe itself; and, when NOISY_FORKS is in the environment, leaves a child
 * process behind. */
#include <tftpkit/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static tftpkit_status hello(void* self, const tftpkit_request* request, tftpkit_source* source) {
  (void)self;
  (void)request;
  return tftpkit_answer_text(source, "noise\n");
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "noisy", .version = "1.0",
                                      .open_read = hello};

TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void);
TFTPKIT_EXPORT const tftpkit_plugin* tftpkit_plugin_v1(void) {
  static int asked;
  printf("state\nlook at me\n");
  fflush(stdout);
  if (write(2, "noise\n", 6) < 0 || write(3, "noise", 6) < 0) (void)asked;
  if (getenv("NOISY_FORKS") != NULL && asked++ == 0 && fork() == 0) {
    sleep(600);
    _exit(0);
  }
  return &plugin;
}
