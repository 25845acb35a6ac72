#include "io/traces.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"

enum {
    OPEN_MAX_FILES = 512,
    DIR_CAP = 3072,
    PATH_CAP = 4096,
    LINE_CAP = 1024,
    RANDOM_HEX = 64,
    ID_MAX = 64,
    MEDIA_KEY_LEN = 32,
    NEW_CONNS = 64 /* whose media keys may still come: those begin with the handshake */
};

typedef struct qlog_file {
    wzp_quic_conn conn;
    FILE *file;
} qlog_file;

typedef struct client_random {
    wzp_quic_conn conn;
    char hex[RANDOM_HEX + 1];
} client_random;

struct wzp_traces {
    int keylog, media_keys; /* -1: none */
    char name[64], dir[DIR_CAP];
    qlog_file open[OPEN_MAX_FILES];
    size_t count;
    client_random randoms[NEW_CONNS]; /* a ring */
    size_t next_random;
    wzp_quic_conn last_lost;
    wzp_capture_lane *lane;
    atomic_uint_least64_t lost; /* read by the thread that shows it */
};

/* --- files ------------------------------------------------------------------------------------ */

static int create(const char *path, int how) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | how, 0600);
}

/* Secrets that were there before stay, as other programs that are told the same file expect; the
 * mode of a file that was made by somebody else may be too kind. */
static bool open_secrets(int *fd, const char *path, const char **bad) {
    struct stat st;
    if (path == NULL) {
        return true;
    }
    *bad = path;
    *fd = create(path, 0);
    return *fd >= 0 && (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode) || fchmod(*fd, 0600) == 0);
}

static bool open_dir(wzp_traces *t, const char *path, const char **bad) {
    if (path == NULL) {
        return true;
    }
    *bad = path;
    const int n = snprintf(t->dir, sizeof t->dir, "%s", path);
    errno = ENAMETOOLONG;
    return n < (int)sizeof t->dir && (mkdir(path, 0700) == 0 || errno == EEXIST) &&
           access(path, W_OK | X_OK) == 0;
}

static wzp_traces *new_traces(const char *name) {
    wzp_traces *t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->keylog = t->media_keys = -1;
        (void)snprintf(t->name, sizeof t->name, "%s", name);
    }
    return t;
}

wzp_err wzp_traces_open(wzp_traces **out, const wzp_traces_cfg *cfg, const char **bad) {
    wzp_traces *t = new_traces(cfg->name);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    if (!open_dir(t, cfg->qlog_dir, bad) || !open_secrets(&t->keylog, cfg->keylog, bad) ||
        !open_secrets(&t->media_keys, cfg->media_keys, bad)) {
        const int why = errno;
        wzp_traces_close(&t);
        errno = why;
        return WZP_ERR_IO;
    }
    *out = t;
    return WZP_OK;
}

/* True: there was nothing to do, or it was done. */
static bool share_file(int *fd, int from) {
    *fd = from >= 0 ? fcntl(from, F_DUPFD_CLOEXEC, 0) : -1;
    return from < 0 || *fd >= 0;
}

wzp_err wzp_traces_share(wzp_traces **out, const wzp_traces *traces, const char *name) {
    wzp_traces *t = new_traces(name);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    memcpy(t->dir, traces->dir, sizeof t->dir);
    if (!share_file(&t->keylog, traces->keylog) ||
        !share_file(&t->media_keys, traces->media_keys)) {
        const int why = errno;
        wzp_traces_close(&t);
        errno = why;
        return WZP_ERR_IO;
    }
    *out = t;
    return WZP_OK;
}

void wzp_traces_capture(wzp_traces *traces, wzp_capture_lane *lane) {
    traces->lane = lane;
}

static void close_file(int fd) {
    if (fd >= 0) {
        (void)close(fd);
    }
}

void wzp_traces_close(wzp_traces **traces) {
    wzp_traces *t = *traces;
    if (t == NULL) {
        return;
    }
    while (t->count > 0) {
        (void)fclose(t->open[--t->count].file);
    }
    close_file(t->keylog);
    close_file(t->media_keys);
    free(t);
    *traces = NULL;
}

static void lose(wzp_traces *t, wzp_quic_conn conn) {
    if (conn != t->last_lost) {
        atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
    }
    t->last_lost = conn;
}

/* --- secrets ---------------------------------------------------------------------------------- */

/* At once, since a capture program may be reading along, and in one piece, since another thread may
 * be writing as well.  `text` ends its line. */
static void write_line(wzp_traces *t, wzp_quic_conn conn, wzp_capture_secret kind, const char *text,
                       int len) {
    const int fd = kind == WZP_CAPTURE_TLS ? t->keylog : t->media_keys;
    const bool fits = len > 0 && len < LINE_CAP;
    if (fits && t->lane != NULL) {
        wzp_capture_secret_line(t->lane, kind, wzp_bytes_of(text, (size_t)len - 1));
    }
    if (!fits || (fd >= 0 && write(fd, text, (size_t)len) != len)) {
        lose(t, conn);
    }
}

static const char *random_of(const wzp_traces *t, wzp_quic_conn conn) {
    for (size_t i = 0; i < NEW_CONNS; i++) {
        if (t->randoms[i].conn == conn) {
            return t->randoms[i].hex;
        }
    }
    return NULL;
}

/* The second word of a line names the connection to whoever reads it. */
static void note_random(wzp_traces *t, wzp_quic_conn conn, const char *line) {
    const char *space = strchr(line, ' ');
    if (space == NULL || strspn(space + 1, "0123456789abcdefABCDEF") != RANDOM_HEX ||
        random_of(t, conn) != NULL) {
        return;
    }
    client_random *r = &t->randoms[t->next_random];
    t->next_random = (t->next_random + 1) % NEW_CONNS;
    r->conn = conn;
    memcpy(r->hex, space + 1, RANDOM_HEX);
}

void wzp_traces_on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    wzp_traces *t = ctx;
    char text[LINE_CAP];
    const int len = snprintf(text, sizeof text, "%s\n", line);
    note_random(t, conn, line);
    write_line(t, conn, WZP_CAPTURE_TLS, text, len);
}

void wzp_traces_on_media_key(void *ctx, wzp_quic_conn conn, uint32_t epoch, const uint8_t *key) {
    wzp_traces *t = ctx;
    char text[LINE_CAP];
    char hex[2 * MEDIA_KEY_LEN + 1];
    const char *random = random_of(t, conn);
    (void)wzp_hex_write(hex, wzp_bytes_of(key, MEDIA_KEY_LEN));
    const int len = snprintf(text, sizeof text, "WZP_MEDIA_KEY %s %u %s\n",
                             random != NULL ? random : "*", epoch, hex);
    write_line(t, conn, WZP_CAPTURE_MEDIA_KEY, text, len);
    explicit_bzero(hex, sizeof hex);
    explicit_bzero(text, sizeof text);
}

/* --- qlog ------------------------------------------------------------------------------------- */

static qlog_file *find(wzp_traces *t, wzp_quic_conn conn) {
    for (size_t i = 0; i < t->count; i++) {
        if (t->open[i].conn == conn) {
            return &t->open[i];
        }
    }
    return NULL;
}

/* The connection's first destination id, which the file's head says and both ends know: files of
 * several programs in one folder so have different names, and the two of a connection alike ones.
 */
static void name_file(const wzp_traces *t, wzp_quic_conn conn, wzp_bytes head, char *path) {
    static const char key[] = "\"group_id\":\"";
    const char *at = memmem(head.data, head.len, key, sizeof key - 1);
    const char *id = at != NULL ? at + sizeof key - 1 : NULL;
    size_t len = 0;
    while (id != NULL && id + len < (const char *)head.data + head.len &&
           isxdigit((unsigned char)id[len])) {
        len++;
    }
    if (len > 0 && len <= ID_MAX) {
        (void)snprintf(path, PATH_CAP, "%s/%s-%.*s.sqlog", t->dir, t->name, (int)len, id);
    } else {
        (void)snprintf(path, PATH_CAP, "%s/%s-%016llx.sqlog", t->dir, t->name,
                       (unsigned long long)conn);
    }
}

static qlog_file *find_or_open(wzp_traces *t, wzp_quic_conn conn, wzp_bytes head) {
    char path[PATH_CAP];
    qlog_file *f = find(t, conn);
    if (f != NULL) {
        return f;
    }
    name_file(t, conn, head, path);
    const int fd = t->count < OPEN_MAX_FILES ? create(path, O_TRUNC) : -1;
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
    qlog_file *f = t->dir[0] != '\0' ? find_or_open(t, conn, data) : NULL;
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
