#include "bin/client_handset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/admission.h"
#include "crypto/crypto.h"
#include "io/sys.h"

static void end(wzp_handset *h, int status) {
    if (!h->told) {
        h->told = true;
        h->on_ended(h->ctx, status);
    }
}

static void say(const wzp_handset *h, const char *what, const char *text) {
    if (!h->opts->quiet) {
        (void)fprintf(stderr, "%s%s%s\n", what, *text != '\0' ? ": " : "", text);
    }
}

/* Others need our name to call us: it goes to stdout, for scripts too. */
static void on_registered(wzp_handset *h) {
    h->registered = true;
    if (h->opts->command == WZP_CLIENT_LISTEN) {
        printf("listening as %s\n", wzp_phone_fingerprint(h->phone));
        (void)fflush(stdout);
    } else if (wzp_phone_call(h->phone, h->opts->callee) != WZP_OK) {
        end(h, 1);
    }
}

static void on_incoming(wzp_handset *h, const wzp_phone_event *ev) {
    const wzp_accept_mode mode = h->opts->reject    ? WZP_ACCEPT_REJECT
                                 : h->opts->generic ? WZP_ACCEPT_GENERIC
                                                    : WZP_ACCEPT_TRUSTED;
    if (!h->opts->quiet) {
        (void)fprintf(stderr, "call from %s%s%s%s\n", ev->fingerprint,
                      *ev->text != '\0' ? ", " : "", ev->text,
                      ev->proven ? "" : " (it has not proven its key)");
    }
    const bool listens = h->opts->command == WZP_CLIENT_LISTEN;
    if (wzp_phone_answer(h->phone, listens ? mode : WZP_ACCEPT_REJECT) != WZP_OK) {
        end(h, 1);
    }
}

static void on_call_ended(wzp_handset *h, const char *why) {
    say(h, "call ended", why);
    if (h->opts->command == WZP_CLIENT_LISTEN && h->opts->reject) {
        return; /* the next one will hear the same */
    }
    end(h, h->talked ? 0 : 1);
}

static void on_events(void *ctx, wzp_time now) {
    wzp_handset *h = ctx;
    wzp_phone_event ev;
    (void)now;
    while (wzp_phone_next_event(h->phone, &ev)) {
        switch (ev.kind) {
        case WZP_PHONE_REGISTERED:
            on_registered(h);
            break;
        case WZP_PHONE_PRESENCE:
            break;
        case WZP_PHONE_INCOMING:
            on_incoming(h, &ev);
            break;
        case WZP_PHONE_RINGING:
            say(h, "ringing", "");
            break;
        case WZP_PHONE_SET_UP:
            h->talked = true;
            say(h, "call set up", ev.room);
            h->on_set_up(h->ctx, ev.room, ev.relay.family == WZP_ADDR_NONE ? &h->relay : &ev.relay);
            break;
        case WZP_PHONE_REFLEXIVE: /* nothing is direct here yet */
        case WZP_PHONE_PATH:
        case WZP_PHONE_UPDATE:
            break;
        case WZP_PHONE_ENDED:
            on_call_ended(h, ev.text);
            break;
        case WZP_PHONE_CLOSED:
            if (!h->told) {
                const bool there = h->registered || strcmp(ev.text, WZP_ADMISSION_STRANGER) == 0;
                end(h, wzp_client_complain(there ? WZP_CLIENT_FINDINGS : WZP_CLIENT_UNREACHABLE,
                                           h->opts->relay, ev.text));
            }
            return;
        }
    }
}

int wzp_handset_socket(wzp_udp **out, const wzp_addr *relay) {
    const wzp_addr local = relay->ip[0] == 127 && relay->family == WZP_ADDR_V4
                               ? wzp_addr_v4(127, 0, 0, 1, 0)
                               : (wzp_addr){.family = relay->family};
    return wzp_udp_open(out, &local, false) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", wzp_io_reason(errno));
}

int wzp_handset_start(wzp_handset *h, uv_loop_t *loop, const uint8_t seed[32]) {
    wzp_phone_cfg cfg = {.rng = wzp_io_rng(),
                         .alias = h->opts->alias,
                         .token = h->opts->token,
                         .pin = h->opts->has_pin ? h->opts->pin : NULL,
                         .path.remote = h->relay};
    const int code = wzp_handset_socket(&h->udp, &h->relay);
    if (code != 0) {
        return code;
    }
    cfg.path.local = wzp_udp_local(h->udp);
    memcpy(cfg.seed, seed, sizeof cfg.seed);
    const wzp_err err = wzp_phone_new(&h->phone, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_UNREADABLE, "start", wzp_err_text(err));
    }
    h->drive =
        (wzp_drive){.core = wzp_phone_core(h->phone), .udp = h->udp, .after = on_events, .ctx = h};
    return wzp_drive_start(&h->drive, loop) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", "cannot be watched");
}

void wzp_handset_hangup(wzp_handset *h) {
    if (h->phone != NULL) {
        h->told = true;
        wzp_phone_close(h->phone, wzp_io_now());
        wzp_drive_kick(&h->drive);
    }
}

void wzp_handset_stop(wzp_handset *h) {
    if (h->phone != NULL) {
        wzp_drive_stop(&h->drive);
    }
}

void wzp_handset_free(wzp_handset *h) {
    wzp_phone_free(&h->phone);
    wzp_udp_close(&h->udp);
}
