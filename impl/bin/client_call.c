#include "bin/client_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/admission.h"
#include "crypto/crypto.h"
#include "io/sys.h"

static void end(wzp_call_mode *m, int status) {
    if (!m->told) {
        m->told = true;
        m->on_ended(m->ctx, status);
    }
}

static void say(const wzp_call_mode *m, const char *what, const char *text) {
    if (!m->opts->quiet) {
        (void)fprintf(stderr, "%s%s%s\n", what, *text != '\0' ? ": " : "", text);
    }
}

/* Others need our name to call us: it goes to stdout, for scripts too. */
static void on_registered(wzp_call_mode *m) {
    m->registered = true;
    if (m->opts->command == WZP_CLIENT_LISTEN) {
        printf("listening as %s\n", wzp_phone_fingerprint(m->phone));
        (void)fflush(stdout);
    } else if (wzp_phone_call(m->phone, m->opts->callee) != WZP_OK) {
        end(m, 1);
    }
}

static void on_incoming(wzp_call_mode *m, const wzp_phone_event *ev) {
    const wzp_accept_mode mode = m->opts->reject    ? WZP_ACCEPT_REJECT
                                 : m->opts->generic ? WZP_ACCEPT_GENERIC
                                                    : WZP_ACCEPT_TRUSTED;
    if (!m->opts->quiet) {
        (void)fprintf(stderr, "call from %s%s%s%s\n", ev->fingerprint,
                      *ev->text != '\0' ? ", " : "", ev->text,
                      ev->proven ? "" : " (it has not proven its key)");
    }
    const bool listens = m->opts->command == WZP_CLIENT_LISTEN;
    if (wzp_phone_answer(m->phone, listens ? mode : WZP_ACCEPT_REJECT) != WZP_OK) {
        end(m, 1);
    }
}

static void on_call_ended(wzp_call_mode *m, const char *why) {
    say(m, "call ended", why);
    if (m->opts->command == WZP_CLIENT_LISTEN && m->opts->reject) {
        return; /* the next one will hear the same */
    }
    end(m, m->talked ? 0 : 1);
}

static void on_events(void *ctx, wzp_time now) {
    wzp_call_mode *m = ctx;
    wzp_phone_event ev;
    (void)now;
    while (wzp_phone_next_event(m->phone, &ev)) {
        switch (ev.kind) {
        case WZP_PHONE_REGISTERED:
            on_registered(m);
            break;
        case WZP_PHONE_PRESENCE:
            break;
        case WZP_PHONE_INCOMING:
            on_incoming(m, &ev);
            break;
        case WZP_PHONE_RINGING:
            say(m, "ringing", "");
            break;
        case WZP_PHONE_SET_UP:
            m->talked = true;
            say(m, "call set up", ev.room);
            m->on_set_up(m->ctx, ev.room, ev.relay.family == WZP_ADDR_NONE ? &m->relay : &ev.relay);
            break;
        case WZP_PHONE_REFLEXIVE: /* nothing is direct here yet */
        case WZP_PHONE_PATH:
        case WZP_PHONE_UPDATE:
        case WZP_PHONE_PROBE:
            break;
        case WZP_PHONE_ENDED:
            on_call_ended(m, ev.text);
            break;
        case WZP_PHONE_CLOSED:
            if (!m->told) {
                const bool there = m->registered || strcmp(ev.text, WZP_ADMISSION_STRANGER) == 0;
                end(m, wzp_client_complain(there ? WZP_CLIENT_FINDINGS : WZP_CLIENT_UNREACHABLE,
                                           m->opts->relay, ev.text));
            }
            return;
        }
    }
}

int wzp_client_socket(wzp_udp **out, const wzp_addr *relay) {
    const wzp_addr local = relay->ip[0] == 127 && relay->family == WZP_ADDR_V4
                               ? wzp_addr_v4(127, 0, 0, 1, 0)
                               : (wzp_addr){.family = relay->family};
    return wzp_udp_open(out, &local, false) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", wzp_io_reason(errno));
}

int wzp_call_mode_start(wzp_call_mode *m, uv_loop_t *loop, const uint8_t seed[32]) {
    wzp_phone_cfg cfg = {.rng = wzp_io_rng(),
                         .alias = m->opts->alias,
                         .token = m->opts->token,
                         .pin = m->opts->has_pin ? m->opts->pin : NULL,
                         .path.remote = m->relay};
    const int code = wzp_client_socket(&m->udp, &m->relay);
    if (code != 0) {
        return code;
    }
    cfg.path.local = wzp_udp_local(m->udp);
    memcpy(cfg.seed, seed, sizeof cfg.seed);
    const wzp_err err = wzp_phone_new(&m->phone, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "start", wzp_err_text(err));
    }
    m->drive =
        (wzp_drive){.core = wzp_phone_core(m->phone), .udp = m->udp, .after = on_events, .ctx = m};
    return wzp_drive_start(&m->drive, loop) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", "cannot be watched");
}

void wzp_call_mode_hangup(wzp_call_mode *m) {
    if (m->phone != NULL) {
        m->told = true;
        wzp_phone_close(m->phone, wzp_io_now());
        wzp_drive_kick(&m->drive);
    }
}

void wzp_call_mode_stop(wzp_call_mode *m) {
    if (m->phone != NULL) {
        wzp_drive_stop(&m->drive);
    }
}

void wzp_call_mode_free(wzp_call_mode *m) {
    wzp_phone_free(&m->phone);
    wzp_udp_close(&m->udp);
}
