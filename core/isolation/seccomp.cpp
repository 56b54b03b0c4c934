// The filters of system calls: a program of the kernel's packet filter, built by hand for the machine that
// this runs on.
#include "isolation/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace tftpkit::isolation {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t this_machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t this_machine = 0;
#endif

constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;

// Never needed by a server or a plugin, and worth something to one that wants more than its share.
constexpr auto refused = std::to_array<long>({
  // other processes
  SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise,
      SYS_setns,
      // privileges
      SYS_keyctl, SYS_add_key, SYS_request_key, SYS_personality,
      // the view of the file system
      SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsmount,
      SYS_fsconfig, SYS_fspick, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_mknodat, SYS_quotactl,
      SYS_swapon, SYS_swapoff,
      // the kernel and the machine
      SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_bpf, SYS_perf_event_open,
      SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_reboot, SYS_syslog,
      SYS_acct, SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
      SYS_clock_adjtime, SYS_vhangup, SYS_lookup_dcookie,
#if defined(__x86_64__)
      SYS_mknod, SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_kexec_file_load,
#endif
});

// Needed to start the process of a plugin, and to make its sandbox; not inside.
constexpr auto refused_inside = std::to_array<long>({
  SYS_execve, SYS_execveat, SYS_pidfd_send_signal, SYS_unshare, SYS_setuid, SYS_setgid, SYS_setreuid,
      SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
      SYS_mount, SYS_mount_setattr,
#if defined(__x86_64__)
      SYS_fork, SYS_vfork,
#endif
});

class Filter {
 public:
  Filter() {
    begin();
    for (const long call : refused)
      when(call, {ret(refuse)});
  }

  // One thread's process, with one plugin: it starts nothing and signals nobody.
  void keep_to_itself(bool network) {
    for (const long call : refused_inside)
      when(call, {ret(refuse)});
    // Its arguments lie in memory, where no filter sees them: without it threads are made by clone().
    when(SYS_clone3, {ret(unknown)});
    // A new thread, never a new process.
    when(SYS_clone, {argument(0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, CLONE_THREAD),
                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_THREAD, 1, 0), ret(refuse), allow()});
    for (const long call : {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo})
      when(call, only_if_first_is(static_cast<std::uint32_t>(::getpid())));
    when(SYS_tkill, {ret(refuse)});
    when(SYS_prlimit64, only_if_first_is(0));
    if (!network) {
      when(SYS_socket, only_if_first_is(AF_UNIX));
      when(SYS_socketpair, only_if_first_is(AF_UNIX));
    }
  }

  void install(const std::string& whose) {
    program_.push_back(allow());
    const sock_fprog program{static_cast<unsigned short>(program_.size()), program_.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
      throw std::runtime_error(whose + ": the kernel takes no seccomp filter: " + std::strerror(errno));
  }

 private:
  using Steps = std::vector<sock_filter>;

  static sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  // The lower half: numbers of system calls' arguments here fit into it.
  static sock_filter argument(std::size_t index) { return load(offsetof(seccomp_data, args) + 8 * index); }
  static sock_filter ret(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
  static sock_filter allow() { return ret(SECCOMP_RET_ALLOW); }
  static Steps only_if_first_is(std::uint32_t value) {
    return {argument(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), ret(refuse), allow()};
  }

  // Another machine's numbers mean other calls.
  void begin() {
    program_ = {load(offsetof(seccomp_data, arch)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, this_machine, 1, 0),
                ret(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
#if defined(__x86_64__)
    constexpr std::uint32_t x32 = 0x40000000;
    program_.insert(program_.end(), {BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1), ret(unknown)});
#endif
  }

  // `steps` end in a verdict in every case, so that what follows still has the call's number at hand.
  void when(long call, const Steps& steps) {
    program_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0,
                                static_cast<std::uint8_t>(steps.size())));
    program_.insert(program_.end(), steps.begin(), steps.end());
  }

  Steps program_;
};

void need_known_machine(const std::string& whose) {
  if (this_machine == 0)
    throw std::runtime_error(whose + ": there is a filter of system calls for x86-64 and aarch64 only");
}

}  // namespace

void filter_system_calls(bool network) {
  need_known_machine("sandbox");
  Filter filter;
  filter.keep_to_itself(network);
  filter.install("sandbox");
}

void filter_system_calls_of_server() {
  need_known_machine("\"seccomp\"");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw std::runtime_error(std::string{"\"seccomp\": no_new_privs: "} + std::strerror(errno));
  Filter{}.install("\"seccomp\"");
}

}  // namespace tftpkit::isolation
