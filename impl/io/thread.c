#include "io/thread.h"

#include <assert.h>
#include <stdlib.h>

#include "io/sys.h"

struct wzp_io_thread {
    uv_loop_t loop;
    uv_async_t wake;
    uv_thread_t id;
    uv_mutex_t lock; /* guards the next three */
    uv_sem_t done;
    void (*call)(void *ctx, wzp_time now);
    void *ctx;
    bool stop;
    wzp_drive drive;
};

static void on_wake(uv_async_t *wake) {
    wzp_io_thread *t = wake->data;
    uv_mutex_lock(&t->lock);
    void (*call)(void *, wzp_time) = t->call;
    t->call = NULL;
    const bool stop = t->stop;
    uv_mutex_unlock(&t->lock);
    if (call != NULL) {
        call(t->ctx, wzp_io_now());
        wzp_drive_kick(&t->drive);
        uv_sem_post(&t->done);
    }
    if (stop) {
        wzp_drive_stop(&t->drive);
        uv_close((uv_handle_t *)wake, NULL);
    } else if (call == NULL) {
        wzp_drive_kick(&t->drive);
    }
}

uv_loop_t *wzp_io_thread_loop(wzp_io_thread *t) {
    return &t->loop;
}

wzp_drive *wzp_io_thread_drive(wzp_io_thread *t) {
    return &t->drive;
}

void wzp_io_thread_wake(wzp_io_thread *t) {
    uv_async_send(&t->wake);
}

static void run(void *arg) {
    wzp_io_thread *t = arg;
    uv_run(&t->loop, UV_RUN_DEFAULT);
}

/* Lets closing handles finish; the loop is then empty. */
static void close_loop(wzp_io_thread *t) {
    uv_run(&t->loop, UV_RUN_DEFAULT);
    const int rv = uv_loop_close(&t->loop);
    assert(rv == 0);
    (void)rv;
}

static wzp_err start_loop(wzp_io_thread *t) {
    if (uv_loop_init(&t->loop) != 0) {
        return WZP_ERR_IO;
    }
    if (uv_async_init(&t->loop, &t->wake, on_wake) != 0) {
        close_loop(t);
        return WZP_ERR_IO;
    }
    t->wake.data = t;
    wzp_err err = wzp_drive_start(&t->drive, &t->loop);
    if (err == WZP_OK && uv_thread_create(&t->id, run, t) != 0) {
        wzp_drive_stop(&t->drive);
        err = WZP_ERR_IO;
    }
    if (err != WZP_OK) {
        uv_close((uv_handle_t *)&t->wake, NULL);
        close_loop(t);
    }
    return err;
}

static void release(wzp_io_thread *t) {
    uv_sem_destroy(&t->done);
    uv_mutex_destroy(&t->lock);
    free(t);
}

wzp_err wzp_io_thread_start(wzp_io_thread **out, const wzp_io_thread_cfg *cfg) {
    wzp_io_thread *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return WZP_ERR_NOMEM;
    }
    t->drive = (wzp_drive){.core = cfg->core,
                           .udp = cfg->udp,
                           .after = cfg->after,
                           .ctx = cfg->ctx,
                           .slack = cfg->slack};
    if (uv_mutex_init(&t->lock) != 0) {
        free(t);
        return WZP_ERR_NOMEM;
    }
    if (uv_sem_init(&t->done, 0) != 0) {
        uv_mutex_destroy(&t->lock);
        free(t);
        return WZP_ERR_NOMEM;
    }
    const wzp_err err = start_loop(t);
    if (err != WZP_OK) {
        release(t);
        return err;
    }
    *out = t;
    return WZP_OK;
}

void wzp_io_thread_call(wzp_io_thread *t, void (*call)(void *ctx, wzp_time now), void *ctx) {
    uv_mutex_lock(&t->lock);
    t->call = call;
    t->ctx = ctx;
    uv_mutex_unlock(&t->lock);
    uv_async_send(&t->wake);
    uv_sem_wait(&t->done);
}

void wzp_io_thread_stop(wzp_io_thread **thread) {
    wzp_io_thread *t = *thread;
    if (t == NULL) {
        return;
    }
    uv_mutex_lock(&t->lock);
    t->stop = true;
    uv_mutex_unlock(&t->lock);
    uv_async_send(&t->wake);
    uv_thread_join(&t->id);
    close_loop(t);
    release(t);
    *thread = NULL;
}
