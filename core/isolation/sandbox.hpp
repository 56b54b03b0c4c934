// What the process of an isolated instance gives up before it loads the plugin. All of it or nothing: what
// cannot be had here is an exception that says so, never a weaker sandbox. Called while the process has one
// thread.
#pragma once

#include "isolation/options.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tftpkit::isolation {

// Dies with the thread that spawned it.
void end_with_the_server() noexcept;

// Leaves no core file, and may not have more memory than this (0: no limit) beside the stacks of so many
// threads. Throws std::runtime_error, as all of these.
void bound_this_process(std::uint64_t memory, unsigned threads);

// Nothing can be written any more, and only what `sandbox` names can be read when it names something;
// `plugin` is the file that is to be loaded. By Landlock, or by a mount namespace for root where the kernel
// has no Landlock.
void make_view_read_only(const Sandbox& sandbox, const std::filesystem::path& plugin);

// No new privileges by any program, no capabilities.
void give_up_privileges();

// System calls that no plugin needs fail with EPERM: new programs and processes, other processes, mounts,
// modules, the clock ...; `network`: sockets beyond those of this machine.
void filter_system_calls(bool network);

// Not for such a process, but for the server itself, before it loads plugins: what neither it nor its plugins
// need fails with EPERM, for all its threads and for the processes that they start. Those can still start,
// and give up more.
void filter_system_calls_of_server();

}  // namespace tftpkit::isolation
