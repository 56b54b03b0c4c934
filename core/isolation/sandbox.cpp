#include "isolation/sandbox.hpp"

#include "host/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tftpkit::isolation {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// Rights of the file system as Landlock names them; the newer ones only where the kernel knows them.
constexpr std::uint64_t reading =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t file_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t renaming = 1ULL << 13;    // LANDLOCK_ACCESS_FS_REFER, from version 2
constexpr std::uint64_t truncating = 1ULL << 14;  // LANDLOCK_ACCESS_FS_TRUNCATE, from version 3

std::uint64_t writing(long version) {
  std::uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                         LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                         LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                         LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (version >= 2) rights |= renaming;
  if (version >= 3) rights |= truncating;
  return rights;
}

long landlock_version() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

class Ruleset {
 public:
  explicit Ruleset(std::uint64_t handled) {
    landlock_ruleset_attr wanted{};
    wanted.handled_access_fs = handled;
    fd_.reset(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted.handled_access_fs, 0)));
    if (!fd_) fail("sandbox: Landlock refuses the rules");
  }

  // False when there is no such file.
  bool allow(const std::string& path, std::uint64_t rights) const {
    const host::UniqueFd parent(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat seen {};
    if (!parent || ::fstat(parent.get(), &seen) != 0) return false;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = S_ISDIR(seen.st_mode) ? rights : rights & file_rights;
    rule.parent_fd = parent.get();
    if (::syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
      fail("sandbox: Landlock refuses " + path);
    return true;
  }

  void enforce() const {
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) fail("sandbox: Landlock refuses to begin");
  }

 private:
  host::UniqueFd fd_;
};

void by_landlock(const Sandbox& sandbox, const std::filesystem::path& plugin, long version) {
  const bool limited = !sandbox.read.empty();
  const Ruleset rules(writing(version) | (limited ? reading : 0));
  rules.allow("/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | (limited ? reading : 0));
  if (limited) {
    // What libraries and name services of the system need.
    for (const char* path : {"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/etc", "/dev", "/proc",
                             "/sys/devices/system/cpu", "/run/systemd/resolve", "/run/resolvconf"})
      rules.allow(path, reading);
    rules.allow(plugin.parent_path().string(), reading);
    for (const std::string& path : sandbox.read)
      if (!rules.allow(path, reading)) fail("sandbox: \"read\" names " + path);
  }
  rules.enforce();
}

// Of a thread, as the C library makes it; all of it counts at once.
std::uint64_t stack_size() {
  constexpr std::uint64_t usual = std::uint64_t{8} << 20;
  rlimit stack{};
  if (::getrlimit(RLIMIT_STACK, &stack) != 0 || stack.rlim_cur == RLIM_INFINITY) return usual;
  return stack.rlim_cur;
}

void by_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) fail("sandbox: no mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    fail("sandbox: cannot part the mounts");
  mount_attr wanted{};
  wanted.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &wanted, sizeof wanted) != 0)
    fail("sandbox: cannot make the mounts read-only");
}

}  // namespace

void end_with_the_server() noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void bound_this_process(std::uint64_t memory, unsigned threads) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (memory == 0) return;
  // What is written to counts, as a plugin's own memory is; address space that is only kept does not.
  const std::uint64_t bytes = memory + threads * stack_size();
  const rlimit limit{bytes, bytes};
  if (::setrlimit(RLIMIT_DATA, &limit) != 0) fail("cannot limit the memory");
}

void make_view_read_only(const Sandbox& sandbox, const std::filesystem::path& plugin) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("sandbox: no_new_privs");
  if (const long version = landlock_version(); version > 0) return by_landlock(sandbox, plugin, version);
  if (!sandbox.read.empty())
    throw std::runtime_error(
        "sandbox: \"read\" needs Landlock, which this kernel does not have or has switched "
        "off (lsm=landlock,...); leave \"read\" out");
  if (::geteuid() != 0)
    throw std::runtime_error(
        "sandbox: a read-only view needs Landlock, which this kernel does not have or has "
        "switched off (lsm=landlock,...), or a server that runs as root");
  by_mount_namespace();
}

void give_up_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("sandbox: no_new_privs");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &head, none.data()) != 0) fail("sandbox: cannot give up capabilities");
  // Becoming another user has made /proc/self root's.
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  end_with_the_server();  // that was forgotten too
}

}  // namespace tftpkit::isolation
