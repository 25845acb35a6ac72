#include "io/files.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 4096 };

static bool write_all(int fd, wzp_bytes content) {
    while (content.len > 0) {
        const ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            content.data += n;
            content.len -= (size_t)n;
        }
    }
    return true;
}

/* What was written must be on the disk before the name points to it. */
static bool fill_new_file(const char *path, wzp_bytes content, mode_t mode) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return false;
    }
    const bool written = write_all(fd, content) && fsync(fd) == 0;
    const int why = errno;
    const bool closed = close(fd) == 0;
    if (!written) {
        errno = why;
    }
    return written && closed;
}

wzp_err wzp_io_write_atomic(const char *path, wzp_bytes content, mode_t mode) {
    char temporary[PATH_CAP];
    const int n = snprintf(temporary, sizeof temporary, "%s.%ld.new", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return WZP_ERR_IO;
    }
    bool written = fill_new_file(temporary, content, mode);
    if (!written && errno == EEXIST && unlink(temporary) == 0) {
        /* Of a process that died while it wrote: in containers they all have one number. */
        written = fill_new_file(temporary, content, mode);
    }
    if (written && rename(temporary, path) == 0) {
        return WZP_OK;
    }
    const int why = errno;
    if (why != EEXIST) {
        unlink(temporary);
    }
    errno = why;
    return WZP_ERR_IO;
}

wzp_err wzp_io_make_parents(const char *path) {
    char folder[PATH_CAP];
    const size_t len = strlen(path);
    if (len >= sizeof folder) {
        errno = ENAMETOOLONG;
        return WZP_ERR_IO;
    }
    memcpy(folder, path, len + 1);
    for (char *slash = strchr(folder + 1, '/'); len > 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
            return WZP_ERR_IO;
        }
        *slash = '/';
    }
    return WZP_OK;
}

wzp_err wzp_io_home_path(char *out, size_t cap, const char *name) {
    const char *home = wzp_io_env("HOME");
    const int n =
        snprintf(out, cap, "%s/.wzp/%s", home != NULL && *home != '\0' ? home : ".", name);
    return n >= 0 && (size_t)n < cap ? WZP_OK : WZP_ERR_OVERFLOW;
}
