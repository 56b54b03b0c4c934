/* What border.go calls: C's function pointers and macros are not Go's. */
#ifndef TFTPKIT_GO_BORDER_H
#define TFTPKIT_GO_BORDER_H

#include <tftpkit/plugin.h>

#include <stdlib.h>

tftpkit_str tftpkit_go_setting(const tftpkit_host* host, const char* pointer);
int32_t tftpkit_go_setting_int(const tftpkit_host* host, const char* pointer, int64_t* value);
size_t tftpkit_go_setting_count(const tftpkit_host* host, const char* pointer);
void tftpkit_go_log(const tftpkit_host* host, uint32_t level, const char* text, size_t length);
void tftpkit_go_explain(const tftpkit_host* host, const char* text, size_t length);
int32_t tftpkit_go_cancelled(const tftpkit_host* host, uint64_t request);

/* Answers; `bytes` and `path` become C's, from malloc(). */
void tftpkit_go_bytes(tftpkit_source* source, void* bytes, size_t length);
void tftpkit_go_redirect(tftpkit_source* source, char* path);
void tftpkit_go_stream(tftpkit_source* source, uint64_t size, uintptr_t reader);
void tftpkit_go_file(tftpkit_source* source, int fd, uint64_t size);

/* What is not taken is freed. */
void tftpkit_go_complete(const tftpkit_host* host, uint64_t request, tftpkit_status status,
                         tftpkit_source* source, const char* text, size_t length);

#endif
