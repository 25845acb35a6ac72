/* nat_real upnp IP:PORT: maps that port by UPnP and says so; says what the port hears; ends what it
 * has mapped when a line comes in. */
#include "nat/testing/real_upnp.h"

#include <stdio.h>
#include <unistd.h>

#include "io/sockaddr.h"
#include "io/sys.h"
#include "io/upnp.h"

static struct {
    uv_loop_t loop;
    uv_udp_t ear;
    uv_poll_t line;
    wzp_upnp *upnp;
    uint8_t buf[2048];
} me;

static void on_attempt(void *ctx, const wzp_upnp_state *state) {
    char text[WZP_ADDR_TEXT_MAX];
    (void)ctx;
    if (state->external.family != WZP_ADDR_NONE) {
        printf("mapped %s %u s\n", wzp_addr_text(&state->external, text), state->lease_s);
    } else {
        printf("failed: %s\n", state->error);
    }
    (void)fflush(stdout);
}

static void on_released(void *ctx) {
    (void)ctx;
    puts("off");
    (void)fflush(stdout);
    uv_stop(&me.loop);
}

static void on_line(uv_poll_t *poll, int status, int events) {
    char line = 0;
    (void)status;
    (void)events;
    (void)!read(STDIN_FILENO, &line, 1); /* who comes after us reads the same pipe */
    uv_poll_stop(poll);
    wzp_upnp_release(&me.upnp, on_released, NULL);
}

static void lend(uv_handle_t *handle, size_t wished, uv_buf_t *out) {
    (void)handle;
    (void)wished;
    *out = uv_buf_init((char *)me.buf, sizeof me.buf);
}

static void on_heard(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf, const struct sockaddr *from,
                     unsigned flags) {
    char text[WZP_ADDR_TEXT_MAX];
    (void)udp;
    (void)flags;
    if (len > 0 && from != NULL) {
        const wzp_addr addr = wzp_sockaddr_read((const wzp_sockaddr *)(const void *)from);
        printf("heard %.*s from %s\n", (int)len, buf->base, wzp_addr_text(&addr, text));
        (void)fflush(stdout);
    }
}

int real_upnp(const wzp_addr *own) {
    const wzp_upnp_cfg cfg = {
        .own = *own, .lease_s = 600, .rng = wzp_io_rng(), .attempted = on_attempt};
    wzp_sockaddr addr;
    (void)wzp_sockaddr_write(&addr, own, false);
    uv_loop_init(&me.loop);
    uv_udp_init(&me.loop, &me.ear);
    if (uv_udp_bind(&me.ear, &addr.any, 0) != 0 ||
        uv_poll_init(&me.loop, &me.line, STDIN_FILENO) != 0 ||
        wzp_upnp_start(&me.upnp, &cfg, &me.loop) != WZP_OK) {
        puts("failed: this build has no UPnP, or the address is not ours");
        return 1;
    }
    uv_udp_recv_start(&me.ear, lend, on_heard);
    uv_poll_start(&me.line, UV_READABLE, on_line);
    uv_run(&me.loop, UV_RUN_DEFAULT);
    return 0;
}
