/* The layout of ABI 1.0, byte for byte, on LP64 and ILP32 (i386, where 64-bit numbers align to 4). What is
 * below the line "frozen with 1.0" never changes; a later minor adds its own lines for what it appends.
 * Compiling is the test. */
#include <tftpkit/plugin.h>

#define SAME(name, left, right) typedef char same_##name[(left) == (right) ? 1 : -1]
#define AT(type, member, lp64, ilp32)                                                                        \
  SAME(type##_##member, offsetof(type, member), sizeof(void*) == 8 ? (lp64) : (ilp32))
#define SIZE(type, lp64, ilp32) SAME(sizeof_##type, sizeof(type), sizeof(void*) == 8 ? (lp64) : (ilp32))
/* Structs that grow: at least as long as in 1.0. */
#define REACHES(type, lp64, ilp32)                                                                           \
  typedef char reaches_##type[sizeof(type) >= (sizeof(void*) == 8 ? (lp64) : (ilp32)) ? 1 : -1]
#define NUMBER(name, value) SAME(name, (long)(name), (long)(value))

/* frozen with 1.0 */
SAME(status, sizeof(tftpkit_status), 4);
SIZE(tftpkit_str, 16, 8);
AT(tftpkit_str, len, 8, 4);
SIZE(tftpkit_addr, 24, 24);
AT(tftpkit_addr, port, 2, 2);
AT(tftpkit_addr, scope_id, 4, 4);
AT(tftpkit_addr, bytes, 8, 8);
SIZE(tftpkit_option, 32, 16);
AT(tftpkit_option, value, 16, 8);

REACHES(tftpkit_request, 136, 116);
AT(tftpkit_request, struct_size, 0, 0);
AT(tftpkit_request, op, 4, 4);
AT(tftpkit_request, id, 8, 8);
AT(tftpkit_request, announced_size, 16, 16);
AT(tftpkit_request, path, 24, 24);
AT(tftpkit_request, wire_path, 40, 32);
AT(tftpkit_request, mode, 56, 40);
AT(tftpkit_request, blksize, 60, 44);
AT(tftpkit_request, windowsize, 64, 48);
AT(tftpkit_request, answer_within_ms, 68, 52);
AT(tftpkit_request, peer, 72, 56);
AT(tftpkit_request, local, 96, 80);
AT(tftpkit_request, redirects, 120, 104);
AT(tftpkit_request, option_count, 124, 108);
AT(tftpkit_request, options, 128, 112);

REACHES(tftpkit_source, 64, 48);
AT(tftpkit_source, struct_size, 0, 0);
AT(tftpkit_source, kind, 4, 4);
AT(tftpkit_source, size, 8, 8);
AT(tftpkit_source, fd_offset, 16, 16);
AT(tftpkit_source, transfer, 24, 24);
AT(tftpkit_source, data, 32, 28);
AT(tftpkit_source, redirect, 40, 32);
AT(tftpkit_source, fd, 56, 40);
AT(tftpkit_source, flags, 60, 44);

REACHES(tftpkit_sink, 24, 20);
AT(tftpkit_sink, flags, 4, 4);
AT(tftpkit_sink, size_limit, 8, 8);
AT(tftpkit_sink, transfer, 16, 16);

REACHES(tftpkit_outcome, 32, 32);
AT(tftpkit_outcome, end, 4, 4);
AT(tftpkit_outcome, bytes, 8, 8);
AT(tftpkit_outcome, elapsed_us, 16, 16);
AT(tftpkit_outcome, resends, 24, 24);

REACHES(tftpkit_host, 120, 64);
AT(tftpkit_host, abi_version, 4, 4);
AT(tftpkit_host, impl, 8, 8);
AT(tftpkit_host, product, 16, 12);
AT(tftpkit_host, product_version, 24, 16);
AT(tftpkit_host, instance_name, 32, 20);
AT(tftpkit_host, log, 40, 24);
AT(tftpkit_host, log_enabled, 48, 28);
AT(tftpkit_host, explain, 56, 32);
AT(tftpkit_host, setting, 64, 36);
AT(tftpkit_host, setting_int, 72, 40);
AT(tftpkit_host, setting_count, 80, 44);
AT(tftpkit_host, cancelled, 88, 48);
AT(tftpkit_host, complete, 96, 52);
AT(tftpkit_host, peer_link_address, 104, 56);
AT(tftpkit_host, extension, 112, 60);

REACHES(tftpkit_plugin, 168, 96);
AT(tftpkit_plugin, struct_size, 0, 0);
AT(tftpkit_plugin, abi_version, 4, 4);
AT(tftpkit_plugin, abi_minor_needed, 8, 8);
AT(tftpkit_plugin, execution, 12, 12);
AT(tftpkit_plugin, flags, 16, 16);
AT(tftpkit_plugin, reserved, 20, 20);
AT(tftpkit_plugin, name, 24, 24);
AT(tftpkit_plugin, version, 32, 28);
AT(tftpkit_plugin, summary, 40, 32);
AT(tftpkit_plugin, license, 48, 36);
AT(tftpkit_plugin, homepage, 56, 40);
AT(tftpkit_plugin, settings_schema, 64, 44);
AT(tftpkit_plugin, create, 72, 48);
AT(tftpkit_plugin, destroy, 80, 52);
AT(tftpkit_plugin, start, 88, 56);
AT(tftpkit_plugin, stop, 96, 60);
AT(tftpkit_plugin, open_read, 104, 64);
AT(tftpkit_plugin, read, 112, 68);
AT(tftpkit_plugin, open_write, 120, 72);
AT(tftpkit_plugin, write, 128, 76);
AT(tftpkit_plugin, commit, 136, 80);
AT(tftpkit_plugin, close, 144, 84);
AT(tftpkit_plugin, cancel, 152, 88);
AT(tftpkit_plugin, extension, 160, 92);

/* Numbers that travel. */
NUMBER(TFTPKIT_OK, 0);
NUMBER(TFTPKIT_PENDING, 1);
NUMBER(TFTPKIT_DECLINED, 2);
NUMBER(TFTPKIT_E_INTERNAL, -1);
NUMBER(TFTPKIT_E_NOT_FOUND, -10);
NUMBER(TFTPKIT_E_ACCESS, -20);
NUMBER(TFTPKIT_E_NO_SPACE, -30);
NUMBER(TFTPKIT_E_UNSUPPORTED, -40);
NUMBER(TFTPKIT_E_EXISTS, -60);
NUMBER(TFTPKIT_E_OPTION, -80);
NUMBER(TFTPKIT_E_IO, -100);
NUMBER(TFTPKIT_E_UNAVAILABLE, -110);
NUMBER(TFTPKIT_E_TIMEOUT, -120);
NUMBER(TFTPKIT_E_CANCELLED, -130);
NUMBER(TFTPKIT_E_STALE, -200);
NUMBER(TFTPKIT_E_INVALID, -210);
NUMBER(TFTPKIT_OP_READ, 1);
NUMBER(TFTPKIT_OP_WRITE, 2);
NUMBER(TFTPKIT_MODE_OCTET, 1);
NUMBER(TFTPKIT_MODE_NETASCII, 2);
NUMBER(TFTPKIT_SOURCE_BUFFER, 10);
NUMBER(TFTPKIT_SOURCE_FD, 20);
NUMBER(TFTPKIT_SOURCE_STREAM, 30);
NUMBER(TFTPKIT_SOURCE_REDIRECT, 40);
NUMBER(TFTPKIT_END_DELIVERED, 0);
NUMBER(TFTPKIT_END_UNCONFIRMED, 5);
NUMBER(TFTPKIT_END_PROBED, 8);
NUMBER(TFTPKIT_END_PLUGIN, 10);
NUMBER(TFTPKIT_END_CLIENT, 20);
NUMBER(TFTPKIT_END_TIMEOUT, 30);
NUMBER(TFTPKIT_END_SHUTDOWN, 40);
NUMBER(TFTPKIT_END_HOST, 50);
NUMBER(TFTPKIT_LOG_DEBUG, 10);
NUMBER(TFTPKIT_LOG_INFO, 20);
NUMBER(TFTPKIT_LOG_WARNING, 30);
NUMBER(TFTPKIT_LOG_ERROR, 40);
NUMBER(TFTPKIT_EXEC_SERIAL, 0);
NUMBER(TFTPKIT_EXEC_PARALLEL, 100);
NUMBER(TFTPKIT_EXEC_INLINE, 200);
NUMBER(TFTPKIT_PLUGIN_UNMAPPABLE, 1);
NUMBER(TFTPKIT_PLUGIN_SINGLETON, 2);
