#include "io/traces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_FILES = 512, DIR_CAP = 3072, PATH_CAP = 4096 };

typedef struct qlog_file {
    wzp_quic_conn conn;
    FILE *file;
} qlog_file;

struct wzp_traces {
    FILE *keylog;
    char name[64], dir[DIR_CAP];
    qlog_file open[OPEN_MAX_FILES];
    size_t count;
    wzp_quic_conn last_lost;
    uint64_t lost;
};

static FILE *create(const char *path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 ? fdopen(fd, "w") : NULL;
}

wzp_err wzp_traces_open(wzp_traces **out, const char *name, const char *keylog,
                        const char *qlog_dir, const char **bad) {
    wzp_traces *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    (void)snprintf(t->name, sizeof t->name, "%s", name);
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
        if (t->keylog == NULL) {
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
    if (t->keylog != NULL) {
        (void)fclose(t->keylog);
    }
    free(t);
    *traces = NULL;
}

/* Flushed line by line: a capture program may be reading along. */
void wzp_traces_on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    wzp_traces *t = ctx;
    (void)conn;
    if (t->keylog != NULL) {
        (void)fprintf(t->keylog, "%s\n", line);
        (void)fflush(t->keylog);
    }
}

static void lose(wzp_traces *t, wzp_quic_conn conn) {
    t->lost += conn != t->last_lost;
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
    FILE *file = t->count < OPEN_MAX_FILES ? create(path) : NULL;
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
    return traces->lost;
}
