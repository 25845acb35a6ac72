/* The web of a case: what goes over it is evidence, and wakes the play. */
#include <stdio.h>

#include "conformance/engine/exec.h"

static const wzp_addr group = {.family = WZP_ADDR_V4, .port = 1900, .ip = {239, 255, 255, 250}};

static void heard(void *self, const wzp_addr *from, wzp_bytes datagram, wzp_time now) {
    wzp_ct_exec *e = self;
    wzp_evidence_packet(e->cfg.evidence, from, &group, datagram, now);
    e->cfg.which->web->heard(e, from, datagram, now);
    e->wake = now;
}

static bool next(void *self, wzp_time now, wzp_ct_web_answer *out) {
    wzp_ct_exec *e = self;
    if (!e->cfg.which->web->next(e, now, out)) {
        return false;
    }
    wzp_evidence_packet(e->cfg.evidence, &e->web[out->place], &out->to,
                        wzp_bytes_of(out->bytes, out->len), now);
    return true;
}

static wzp_time deadline(void *self) {
    wzp_ct_exec *e = self;
    return e->cfg.which->web->deadline(e);
}

/* The first line of what was said, without its end. */
static void note(const wzp_ct_exec *e, const char *what, wzp_bytes text, wzp_time now) {
    char line[96];
    size_t len = 0;
    while (len < text.len && len < sizeof line - 1 && text.data[len] >= ' ' &&
           text.data[len] < 0x7f) {
        line[len] = (char)text.data[len];
        len++;
    }
    line[len] = '\0';
    wzp_evidence_event(e->cfg.evidence, now, "http", what, line);
}

static size_t asked(void *self, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap,
                    wzp_time now) {
    wzp_ct_exec *e = self;
    const size_t len = e->cfg.which->web->asked(e, place, so_far, out, cap, now);
    if (len > 0) {
        note(e, "asked", so_far, now);
        note(e, "said", wzp_bytes_of(out, len), now);
    }
    e->wake = now;
    return len;
}

wzp_ct_web wzp_ct_exec_web(wzp_ct_exec *e, wzp_addr *places) {
    static const wzp_ct_web_ops ops = {heard, next, deadline, asked};
    static const wzp_ct_place ips[WZP_CT_WEB_PLACES] = {WZP_CT_AT_GATEWAY, WZP_CT_AT_STRANGER};
    for (size_t i = 0; i < WZP_CT_WEB_PLACES; i++) {
        places[i] = e->locals[ips[i]];
    }
    return (wzp_ct_web){e, &ops};
}

void wzp_ct_exec_hosted(wzp_ct_exec *e, const wzp_addr *places, wzp_time now) {
    if (places == NULL) {
        (void)wzp_ct_play_lacks(e, "multicast");
        wzp_ct_exec_decide(e, WZP_CT_SKIP, WZP_CT_REASON_UNSUPPORTED,
                           "searches of UPnP cannot be heard on this machine", now);
        return;
    }
    memcpy(e->web, places, sizeof e->web);
}

const wzp_addr *wzp_ct_play_web(const wzp_ct_exec *e) {
    return e->web;
}
