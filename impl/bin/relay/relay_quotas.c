#include "bin/relay/relay_quotas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/files.h"
#include "io/sys.h"
#include "relay/quotas.h"

/* More than 2048 accounts with news wait for the next second. */
enum { WRITE_TICKS = 60, NEWS = 4096 };

struct wzp_relay_quotas {
    wzp_relay_crew *crew;
    uv_loop_t *loop;
    unsigned workers, ticks;
    char *path; /* NULL: none */
    wzp_log log;
    uint64_t failures;
    bool fails; /* and that was said */

    /* What the other thread writes. */
    bool is_writing;
    uv_work_t work;
    uint8_t *bytes;
    size_t len;
    int error; /* errno's, 0: it is written */
};

/* --- reading ---------------------------------------------------------------------------------- */

static void load_into(wzp_relay_quotas *q, wzp_bytes snapshot) {
    wzp_fail fail = {0};
    wzp_err err = WZP_OK;
    for (unsigned i = 0; i < q->workers && err == WZP_OK; i++) {
        err = wzp_relay_quotas_load(wzp_relay_crew_relay(q->crew, i), snapshot, wzp_io_now(),
                                    wzp_io_unix_s(), &fail);
    }
    if (err == WZP_OK) {
        return;
    }
    const char *what = err == WZP_ERR_TRUNCATED    ? "is cut off"
                       : err == WZP_ERR_VERSION    ? "is of another version"
                       : err == WZP_ERR_PEER_STATE ? "is of a relay with another identity"
                       : err == WZP_ERR_PARSE      ? "is damaged"
                                                   : wzp_err_text(err);
    wzp_logf(&q->log, WZP_LOG_ERROR,
             "%s: the file of quotas %s (%s at byte %zu): every month begins anew; it is replaced",
             q->path, what, fail.field != NULL ? fail.field : "memory", fail.offset);
}

static void load(wzp_relay_quotas *q) {
    const size_t cap = WZP_RELAY_QUOTAS_MAX + 1;
    char *text = malloc(cap);
    size_t len = 0;
    if (text == NULL) {
        wzp_logf(&q->log, WZP_LOG_ERROR, "%s: no memory to read it", q->path);
    } else if (wzp_io_read_file(q->path, text, cap, &len)) {
        load_into(q, wzp_bytes_of(text, len));
    } else if (errno != ENOENT) {
        wzp_logf(&q->log, WZP_LOG_ERROR, "%s: cannot be read: %s: every month begins anew", q->path,
                 errno == EFBIG ? "longer than any file of quotas" : wzp_io_reason(errno));
    }
    free(text);
}

/* --- life ------------------------------------------------------------------------------------- */

static char *path_beside(const char *ban_list) {
    static const char suffix[] = ".quotas";
    const size_t cap = strlen(ban_list) + sizeof suffix;
    char *path = malloc(cap);
    if (path != NULL) {
        (void)snprintf(path, cap, "%s%s", ban_list, suffix);
    }
    return path;
}

wzp_err wzp_relay_quotas_new(wzp_relay_quotas **out, wzp_relay_crew *crew, uv_loop_t *loop,
                             unsigned workers, const char *ban_list, wzp_log log) {
    wzp_relay_quotas *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return WZP_ERR_NOMEM;
    }
    *q = (wzp_relay_quotas){.crew = crew, .loop = loop, .workers = workers, .log = log};
    if (ban_list != NULL) {
        q->path = path_beside(ban_list);
        q->bytes = malloc(WZP_RELAY_QUOTAS_MAX);
        if (q->path == NULL || q->bytes == NULL) {
            wzp_relay_quotas_free(&q);
            return WZP_ERR_NOMEM;
        }
        load(q);
    }
    *out = q;
    return WZP_OK;
}

void wzp_relay_quotas_free(wzp_relay_quotas **q) {
    if (*q != NULL) {
        free((*q)->path);
        free((*q)->bytes);
        free(*q);
        *q = NULL;
    }
}

uint64_t wzp_relay_quotas_failures(const wzp_relay_quotas *q) {
    return q->failures;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Worker 0's tables as they are now: it was told what the others know. */
static bool take_snapshot(wzp_relay_quotas *q) {
    wzp_wr wr;
    wzp_wr_init(&wr, q->bytes, WZP_RELAY_QUOTAS_MAX);
    const wzp_err err =
        wzp_relay_quotas_save(wzp_relay_crew_relay(q->crew, 0), wzp_io_now(), wzp_io_unix_s(), &wr);
    q->len = wzp_wr_len(&wr);
    return err == WZP_OK;
}

/* On another thread: a disk may take its time. */
static void write_file(uv_work_t *work) {
    wzp_relay_quotas *q = work->data;
    const wzp_bytes bytes = wzp_bytes_of(q->bytes, q->len);
    q->error = wzp_io_write_atomic(q->path, bytes, 0600) == WZP_OK ? 0 : errno;
}

/* Said when it begins and when it is over, not at each attempt. */
static void note_written(wzp_relay_quotas *q) {
    q->failures += q->error != 0 ? 1 : 0;
    if (q->error != 0 && !q->fails) {
        wzp_logf(&q->log, WZP_LOG_ERROR,
                 "%s: quotas cannot be written: %s; they hold until the relay ends", q->path,
                 wzp_io_reason(q->error));
    } else if (q->error == 0 && q->fails) {
        wzp_logf(&q->log, WZP_LOG_WARN, "%s: quotas are written again", q->path);
    }
    q->fails = q->error != 0;
}

static void on_written(uv_work_t *work, int status) {
    wzp_relay_quotas *q = work->data;
    q->is_writing = false;
    if (status == 0) {
        note_written(q);
    }
}

static void begin_writing(wzp_relay_quotas *q) {
    if (q->path != NULL && !q->is_writing && take_snapshot(q)) {
        q->work.data = q;
        q->is_writing = uv_queue_work(q->loop, &q->work, write_file, on_written) == 0;
    }
}

/* --- alike for all workers -------------------------------------------------------------------- */

typedef struct errand {
    wzp_relay *relay;
    size_t count;
    wzp_relay_spending news[NEWS];
} errand;

static void run_take(void *ctx, wzp_time now) {
    errand *e = ctx;
    (void)now;
    e->count = wzp_relay_take_spending(e->relay, e->news, NEWS);
}

static void run_put(void *ctx, wzp_time now) {
    const errand *e = ctx;
    wzp_relay_put_spending(e->relay, e->news, e->count, now);
}

static void call(const wzp_relay_quotas *q, unsigned worker, errand *e,
                 void (*run)(void *ctx, wzp_time now)) {
    e->relay = wzp_relay_crew_relay(q->crew, worker);
    wzp_relay_crew_call(q->crew, worker, run, e);
}

static void spread(const wzp_relay_quotas *q) {
    errand *e = q->workers > 1 ? malloc(sizeof *e) : NULL;
    for (unsigned from = 0; e != NULL && from < q->workers; from++) {
        call(q, from, e, run_take);
        for (unsigned to = 0; to < q->workers && e->count > 0; to++) {
            if (to != from) {
                call(q, to, e, run_put);
            }
        }
    }
    free(e);
}

void wzp_relay_quotas_tick(wzp_relay_quotas *q) {
    spread(q);
    if (++q->ticks >= WRITE_TICKS) {
        q->ticks = 0;
        begin_writing(q);
    }
}

/* What the others took in the last second is not lost: nothing runs any more. */
void wzp_relay_quotas_finish(wzp_relay_quotas *q) {
    errand *e = q->workers > 1 ? malloc(sizeof *e) : NULL;
    for (unsigned from = 1; e != NULL && from < q->workers; from++) {
        e->count = wzp_relay_take_spending(wzp_relay_crew_relay(q->crew, from), e->news, NEWS);
        wzp_relay_put_spending(wzp_relay_crew_relay(q->crew, 0), e->news, e->count, wzp_io_now());
    }
    free(e);
    if (q->path != NULL && take_snapshot(q)) {
        q->work.data = q;
        write_file(&q->work);
        note_written(q);
    }
}
