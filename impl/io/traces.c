#include "io/traces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_FILES = 512, DIR_CAP = 3072, PATH_CAP = 4096, LINE_CAP = 1024 };

typedef struct qlog_file {
    wzp_quic_conn conn;
    FILE *file;
} qlog_file;

struct wzp_traces {
    int keylog; /* -1: none */
    char name[64], dir[DIR_CAP];
    qlog_file open[OPEN_MAX_FILES];
    size_t count;
    wzp_quic_conn last_lost;
    atomic_uint_least64_t lost; /* read by the thread that shows it */
};

static int create(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

static wzp_traces *new_traces(const char *name) {
    wzp_traces *t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->keylog = -1;
        (void)snprintf(t->name, sizeof t->name, "%s", name);
    }
    return t;
}

wzp_err wzp_traces_open(wzp_traces **out, const char *name, const char *keylog,
                        const char *qlog_dir, const char **bad) {
    wzp_traces *t = new_traces(name);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    if (qlog_dir != NULL) {
        *bad = qlog_dir;
        const int n = snprintf(t->dir, sizeof t->dir, "%s", qlog_dir);
        errno = ENAMETOOLONG;
        if (n >= (int)sizeof t->dir || (mkdir(qlog_dir, 0700) != 0 && errno != EEXIST) ||
            access(qlog_dir, W_OK | X_OK) != 0) {
            free(t);
            return WZP_ERR_IO;
        }
    }
    if (keylog != NULL) {
        *bad = keylog;
        t->keylog = create(keylog);
        if (t->keylog < 0) {
            free(t);
            return WZP_ERR_IO;
        }
    }
    *out = t;
    return WZP_OK;
}

wzp_err wzp_traces_share(wzp_traces **out, const wzp_traces *traces, const char *name) {
    wzp_traces *t = new_traces(name);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    memcpy(t->dir, traces->dir, sizeof t->dir);
    if (traces->keylog >= 0) {
        t->keylog = fcntl(traces->keylog, F_DUPFD_CLOEXEC, 0);
        if (t->keylog < 0) {
            free(t);
            return WZP_ERR_IO;
        }
    }
    *out = t;
    return WZP_OK;
}

void wzp_traces_close(wzp_traces **traces) {
    wzp_traces *t = *traces;
    if (t == NULL) {
        return;
    }
    while (t->count > 0) {
        (void)fclose(t->open[--t->count].file);
    }
    if (t->keylog >= 0) {
        (void)close(t->keylog);
    }
    free(t);
    *traces = NULL;
}

/* At once, since a capture program may be reading along, and in one piece, since another thread may
 * be writing as well. */
void wzp_traces_on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    const wzp_traces *t = ctx;
    char text[LINE_CAP];
    const int len = snprintf(text, sizeof text, "%s\n", line);
    (void)conn;
    if (t->keylog >= 0 && len > 0 && len < LINE_CAP) {
        (void)!write(t->keylog, text, (size_t)len);
    }
}

static void lose(wzp_traces *t, wzp_quic_conn conn) {
    if (conn != t->last_lost) {
        atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
    }
    t->last_lost = conn;
}

static qlog_file *find(wzp_traces *t, wzp_quic_conn conn) {
    for (size_t i = 0; i < t->count; i++) {
        if (t->open[i].conn == conn) {
            return &t->open[i];
        }
    }
    return NULL;
}

static qlog_file *find_or_open(wzp_traces *t, wzp_quic_conn conn) {
    char path[PATH_CAP];
    qlog_file *f = find(t, conn);
    if (f != NULL) {
        return f;
    }
    (void)snprintf(path, sizeof path, "%s/%s-%016llx.sqlog", t->dir, t->name,
                   (unsigned long long)conn);
    const int fd = t->count < OPEN_MAX_FILES ? create(path) : -1;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        lose(t, conn);
        return NULL;
    }
    f = &t->open[t->count++];
    *f = (qlog_file){conn, file};
    return f;
}

void wzp_traces_on_qlog(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin) {
    wzp_traces *t = ctx;
    qlog_file *f = t->dir[0] != '\0' ? find_or_open(t, conn) : NULL;
    if (f == NULL) {
        return;
    }
    bool whole = fwrite(data.data, 1, data.len, f->file) == data.len;
    if (fin) {
        whole = fclose(f->file) == 0 && whole;
        *f = t->open[--t->count];
    }
    if (!whole) {
        lose(t, conn);
    }
}

uint64_t wzp_traces_lost(const wzp_traces *traces) {
    return atomic_load_explicit(&traces->lost, memory_order_relaxed);
}
