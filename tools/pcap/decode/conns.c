#include "tools/pcap/decode/conns.h"

#include <stdlib.h>

#include "tools/pcap/decode/names.h"

#define BUCKETS                                                                                    \
    ((size_t)WZP_PCAP_CONNS_MAX * 2) /* numbers are consecutive: their low bits spread well */

wzp_err wzp_pcap_conns_init(wzp_pcap_conns *conns) {
    *conns = (wzp_pcap_conns){.buckets = calloc(BUCKETS, sizeof(wzp_pcap_state *))};
    return conns->buckets != NULL ? WZP_OK : WZP_ERR_NOMEM;
}

void wzp_pcap_conns_clear(wzp_pcap_conns *conns) {
    free(conns->buckets);
    *conns = (wzp_pcap_conns){0};
}

static wzp_pcap_state **bucket_of(const wzp_pcap_conns *conns, uint32_t number) {
    return &conns->buckets[number % BUCKETS];
}

static void link_newest(wzp_pcap_conns *conns, wzp_pcap_state *state) {
    state->newer = NULL;
    state->older = conns->newest;
    if (conns->newest != NULL) {
        conns->newest->newer = state;
    } else {
        conns->oldest = state;
    }
    conns->newest = state;
}

static void unlink_state(wzp_pcap_conns *conns, wzp_pcap_state *state) {
    if (state->newer != NULL) {
        state->newer->older = state->older;
    } else {
        conns->newest = state->older;
    }
    if (state->older != NULL) {
        state->older->newer = state->newer;
    } else {
        conns->oldest = state->newer;
    }
}

wzp_pcap_state *wzp_pcap_conns_find(wzp_pcap_conns *conns, uint32_t number) {
    wzp_pcap_state *state = conns->newest;
    if (state != NULL && state->conn.number == number) {
        return state;
    }
    state = *bucket_of(conns, number);
    while (state != NULL && state->conn.number != number) {
        state = state->next;
    }
    if (state != NULL) {
        unlink_state(conns, state);
        link_newest(conns, state);
    }
    return state;
}

wzp_pcap_state *wzp_pcap_conns_add(wzp_pcap_conns *conns, uint32_t number) {
    wzp_pcap_state **bucket = bucket_of(conns, number);
    wzp_pcap_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return NULL;
    }
    state->conn.number = number;
    state->next = *bucket;
    *bucket = state;
    link_newest(conns, state);
    conns->count++;
    return state;
}

void wzp_pcap_conns_take(wzp_pcap_conns *conns, wzp_pcap_state *state) {
    wzp_pcap_state **at = bucket_of(conns, state->conn.number);
    while (*at != state) {
        at = &(*at)->next;
    }
    *at = state->next;
    unlink_state(conns, state);
    conns->count--;
}

wzp_pcap_state *wzp_pcap_conns_take_oldest(wzp_pcap_conns *conns) {
    wzp_pcap_state *state = conns->oldest;
    if (state != NULL) {
        wzp_pcap_conns_take(conns, state);
    }
    return state;
}

/* --- roles ------------------------------------------------------------------------------------ */

wzp_pcap_role wzp_pcap_role_of(const char *sni) {
    static const struct named {
        const char *sni;
        wzp_pcap_role role;
    } reserved[] = {
        {"_signal", WZP_PCAP_ROLE_SIGNAL},    {"_federation", WZP_PCAP_ROLE_FEDERATION},
        {"_relay", WZP_PCAP_ROLE_FEDERATION}, {"_probe", WZP_PCAP_ROLE_PROBE},
        {"ping", WZP_PCAP_ROLE_PROBE},        {"version", WZP_PCAP_ROLE_VERSION},
    };
    static const char direct[] = "call-call-"; /* "call-" and the room of a call */
    for (size_t i = 0; i < WZP_COUNT_OF(reserved); i++) {
        if (strcmp(sni, reserved[i].sni) == 0) {
            return reserved[i].role;
        }
    }
    return strncmp(sni, direct, sizeof direct - 1) == 0 ? WZP_PCAP_ROLE_DIRECT : WZP_PCAP_ROLE_ROOM;
}

const char *wzp_pcap_role_name(wzp_pcap_role role) {
    static const char *const names[] = {"unknown", "room",    "signal", "federation",
                                        "probe",   "version", "direct", "file"};
    return (size_t)role < WZP_COUNT_OF(names) ? names[role] : "unknown";
}
