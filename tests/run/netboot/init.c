/* The whole user space of a machine that was booted over the network: says which token lies in its
 * initrd and which command line its kernel got, then restarts. No library, so that it is a few KB. */
enum { sys_read = 0, sys_write = 1, sys_open = 2, sys_mkdir = 83, sys_mount = 165, sys_reboot = 169 };

static long call(long number, long a, long b, long c, long d) {
  long result;
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                   : "rcx", "r11", "memory");
  return result;
}

static void say(const char* text, long length) {
  call(sys_write, 1, (long)text, length, 0);
}

static void show(const char* file) {
  static char bytes[4096];
  long from = call(sys_open, (long)file, 0, 0, 0), length = 0;
  if (from >= 0) length = call(sys_read, from, (long)bytes, sizeof bytes, 0);
  if (length > 0) say(bytes, length);
}

void _start(void) {
  call(sys_mkdir, (long)"/proc", 0555, 0, 0);
  call(sys_mount, (long)"proc", (long)"/proc", (long)"proc", 0);
  say("\n<init>", 7);
  show("/token");
  say("|", 1);
  show("/proc/cmdline");
  say("</init>\n", 8);
  call(sys_reboot, 0xfee1dead, 0x28121969, 0x01234567, 0);
  for (;;) {
  }
}
