/* Files that programs own: written whole or not at all. */
#ifndef WZP_IO_FILES_H
#define WZP_IO_FILES_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"

/* Writes beside `path` and renames, so that a reader sees the old or the new content.
 * WZP_ERR_IO: errno says why, nothing changed. */
WZP_MUST_USE wzp_err wzp_io_write_atomic(const char *path, wzp_bytes content, mode_t mode);

/* Creates the folders that `path` lies in, for the owner only.
 * WZP_ERR_IO: errno says why. */
WZP_MUST_USE wzp_err wzp_io_make_parents(const char *path);

/* "$HOME/.wzp/NAME", or "./.wzp/NAME" without a home.  WZP_ERR_OVERFLOW: `cap` is too small. */
WZP_MUST_USE wzp_err wzp_io_home_path(char *out, size_t cap, const char *name);

#endif
