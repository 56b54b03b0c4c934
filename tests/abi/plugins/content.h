/* Content that tests can compute for themselves, and sizes out of paths: "pattern/1000", "zeros/7".
 * Byte i of a pattern is bits 13 to 20 of i * 2654435761. */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline unsigned char pattern_byte(uint64_t at) {
  return (unsigned char)((at * 2654435761u) >> 13);
}

/* Bytes [from, from + count) of the content. */
static inline void fill_content(unsigned char* into, uint64_t from, size_t count, int zeros) {
  for (size_t i = 0; i < count; i++)
    into[i] = zeros ? 0 : pattern_byte(from + i);
}

/* The text behind `prefix`, or NULL when the path begins otherwise. */
static inline const char* after(const char* path, const char* prefix) {
  const size_t length = strlen(prefix);
  return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

/* Reads "pattern/N" or "zeros/N"; 0 when it is something else. */
static inline int parse_content(const char* path, uint64_t* size, int* zeros) {
  const char* number = after(path, "pattern/");
  *zeros = 0;
  if (number == NULL) {
    number = after(path, "zeros/");
    *zeros = 1;
  }
  if (number == NULL || *number < '0' || *number > '9') return 0;
  char* end = NULL;
  *size = strtoull(number, &end, 10);
  return *end == '\0';
}

#endif
