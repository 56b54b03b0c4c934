/* For LD_PRELOAD under valgrind: what is spawned as /proc/self/exe, which is valgrind there, becomes
 * $OWN_BINARY. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

typedef int spawn_function(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                           char* const*, char* const*);

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  spawn_function* next = NULL;
  *(void**)&next = dlsym(RTLD_NEXT, "posix_spawn");
  const char* own = strcmp(path, "/proc/self/exe") == 0 ? getenv("OWN_BINARY") : NULL;
  return next(pid, own == NULL ? path : own, actions, attributes, arguments, environment);
}
