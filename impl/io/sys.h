/* The machine: clock, randomness, files. */
#ifndef WZP_IO_SYS_H
#define WZP_IO_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/time.h"

/* Monotonic, from an arbitrary start. */
wzp_time wzp_io_now(void);

/* The operating system's randomness; ends the process if it has none. */
wzp_rng wzp_io_rng(void);

/* UTC as "2026-05-25T12:00:00.123456Z"; `out` has room for 40 bytes. */
void wzp_io_rfc3339(char out[40]);

/* The same for an instant of wzp_io_now's time. */
void wzp_io_rfc3339_at(char out[40], wzp_time at);

/* The wall clock since 1970: nanoseconds, and whole seconds. */
uint64_t wzp_io_unix_ns(void);
uint64_t wzp_io_unix_s(void);

/* The whole file, at most `cap` - 1 bytes, terminated.  False: errno says why (EFBIG: too long). */
bool wzp_io_read_file(const char *path, char *out, size_t cap, size_t *len);

/* A new file with mode 0600, never over an existing one. */
bool wzp_io_write_secret(const char *path, const char *text);

/* What an errno means, as static text. */
const char *wzp_io_reason(int error);

/* Bytes that the process has from malloc now, mapped ones included; 0: the library does not tell.
 * Up to a quarter of a megabyte for each thread may be kept by the library for its next calls. */
uint64_t wzp_io_heap_bytes(void);

/* A variable of the environment, NULL if it is not set.  Nothing of ours ever changes one. */
const char *wzp_io_env(const char *name);

#endif
