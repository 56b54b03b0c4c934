#include "serve/privileges.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

namespace tftpkit::serve {

namespace {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

template <class Id>
std::optional<Id> number(const std::string& text) {
  Id id{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

Identity identity_of(const std::string& user) {
  if (const auto id = number<uid_t>(user)) {
    const passwd* entry = ::getpwuid(*id);
    return {*id, entry != nullptr ? entry->pw_gid : static_cast<gid_t>(*id)};
  }
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    throw std::runtime_error("\"user\": there is no user \"" + user + "\" on this machine");
  return {entry->pw_uid, entry->pw_gid};
}

gid_t group_id(const std::string& group) {
  if (const auto id = number<gid_t>(group)) return *id;
  const ::group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr)
    throw std::runtime_error("\"group\": there is no group \"" + group + "\" on this machine");
  return entry->gr_gid;
}

}  // namespace

// setuid() from root drops every capability with it: nothing of them is kept.
void drop_privileges(const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return;
  Identity wanted{::getuid(), ::getgid()};
  if (!user.empty()) wanted = identity_of(user);
  if (!group.empty()) wanted.group = group_id(group);
  if (wanted.user == ::getuid() && wanted.group == ::getgid()) return;
  if (::geteuid() != 0)
    throw std::runtime_error(
        "\"user\" and \"group\" need a start as root: this process may not become another");
  if (::setgroups(0, nullptr) != 0) fail("cannot give up supplementary groups");
  if (::setresgid(wanted.group, wanted.group, wanted.group) != 0) fail("cannot become group " + group);
  if (::setresuid(wanted.user, wanted.user, wanted.user) != 0) fail("cannot become user " + user);
  if (wanted.user != 0 && ::setuid(0) == 0)
    throw std::runtime_error("privileges came back after being dropped");
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace tftpkit::serve
