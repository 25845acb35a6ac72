#include "tools/pcap/send/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tools/pcap/flow/flow.h"
#include "tools/pcap/send/guests.h"

enum { CHUNK = 1 << 20, FIRST_ROOM = 1024 };

#define MAX_BYTES_DEFAULT ((uint64_t)256 << 20)

/* Payloads, which stay where they are. */
typedef struct chunk {
    struct chunk *next;
    size_t used;
    uint8_t bytes[CHUNK];
} chunk;

typedef struct entry {
    wzp_pcap_planned planned; /* at_ns: since 1970, until the end */
    size_t order;             /* in which they were given */
    uint32_t conn;
    bool is_sent; /* by its sender, not passed on */
} entry;

/* A sender's clock, and his number in the plan. */
typedef struct sender {
    uint32_t flow; /* his number there */
    uint64_t began_ns;
    uint32_t last_ts;
    int64_t clock_ms; /* of last_ts, since his first packet */
    bool counts;      /* one of his packets is in the plan */
    uint32_t number;  /* among those */
} sender;

struct wzp_pcap_plan {
    wzp_pcap_plan_cfg cfg;
    wzp_pcap_flow *flow;
    chunk *chunks; /* the newest first */
    uint64_t bytes;
    entry *entries;
    size_t count, room;
    sender senders[WZP_PCAP_GUESTS_MAX];
    uint32_t sender_count, planned_senders;
    wzp_pcap_plan_counters counters;
};

/* --- memory ----------------------------------------------------------------------------------- */

static uint8_t *keep(wzp_pcap_plan *p, wzp_bytes bytes) {
    if (p->chunks == NULL || CHUNK - p->chunks->used < bytes.len) {
        chunk *more = malloc(sizeof *more);
        if (more == NULL || bytes.len > CHUNK) {
            free(more);
            return NULL;
        }
        more->next = p->chunks;
        more->used = 0;
        p->chunks = more;
    }
    uint8_t *at = p->chunks->bytes + p->chunks->used;
    if (bytes.len > 0) {
        memcpy(at, bytes.data, bytes.len);
    }
    p->chunks->used += bytes.len;
    p->bytes += bytes.len + sizeof(entry);
    return at;
}

static entry *new_entry(wzp_pcap_plan *p) {
    if (p->count == p->room) {
        const size_t room = p->room == 0 ? FIRST_ROOM : 2 * p->room;
        entry *more = realloc(p->entries, room * sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        p->entries = more;
        p->room = room;
    }
    return &p->entries[p->count++];
}

wzp_err wzp_pcap_plan_new(wzp_pcap_plan **out, const wzp_pcap_plan_cfg *cfg) {
    wzp_pcap_plan *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return WZP_ERR_NOMEM;
    }
    p->cfg = *cfg;
    p->cfg.max_bytes = cfg->max_bytes != 0 ? cfg->max_bytes : MAX_BYTES_DEFAULT;
    const wzp_err err = wzp_pcap_flow_new(&p->flow, 0);
    if (err != WZP_OK) {
        wzp_pcap_plan_free(&p);
        return err;
    }
    *out = p;
    return WZP_OK;
}

void wzp_pcap_plan_free(wzp_pcap_plan **plan) {
    wzp_pcap_plan *p = *plan;
    if (p == NULL) {
        return;
    }
    while (p->chunks != NULL) {
        chunk *next = p->chunks->next;
        free(p->chunks);
        p->chunks = next;
    }
    free(p->entries);
    wzp_pcap_flow_free(&p->flow);
    free(p);
    *plan = NULL;
}

/* --- who sends -------------------------------------------------------------------------------- */

/* Of the packet that was taken last; NULL: there was no room for its stream. */
static const wzp_pcap_stream *stream_of(const wzp_pcap_plan *p) {
    const uint32_t number = wzp_pcap_flow_last(p->flow);
    return number != 0 ? wzp_pcap_flow_stream(p->flow, number - 1) : NULL;
}

static sender *sender_of(wzp_pcap_plan *p, uint32_t flow) {
    for (uint32_t i = 0; i < p->sender_count; i++) {
        if (p->senders[i].flow == flow) {
            return &p->senders[i];
        }
    }
    if (p->sender_count == WZP_COUNT_OF(p->senders) || flow == 0) {
        return NULL;
    }
    sender *s = &p->senders[p->sender_count++];
    *s = (sender){.flow = flow};
    return s;
}

/* When a packet is due by its sender's clock, which wraps. */
static uint64_t clocked(sender *s, const wzp_media_hdr *hdr, uint64_t ns) {
    if (s->began_ns == 0) {
        s->began_ns = ns;
        s->last_ts = hdr->timestamp_ms;
    }
    s->clock_ms += (int32_t)(hdr->timestamp_ms - s->last_ts);
    s->last_ts = hdr->timestamp_ms;
    return s->clock_ms < 0 ? s->began_ns : s->began_ns + (uint64_t)s->clock_ms * WZP_MS;
}

/* --- packets ---------------------------------------------------------------------------------- */

/* False: its payload is not known in the form that is wanted. */
static bool choose_payload(const wzp_pcap_plan *p, const wzp_pcap_media *media, wzp_bytes *out) {
    const bool is_clear = media->seal == WZP_PCAP_SEAL_OPENED || media->seal == WZP_PCAP_SEAL_NONE;
    *out = p->cfg.payload == WZP_PCAP_PAYLOAD_AS_IS || !is_clear ? media->packet.payload
                                                                 : media->plain;
    /* Without any key nothing tells what is sealed: deployed clients send in clear. */
    return p->cfg.payload == WZP_PCAP_PAYLOAD_AS_IS || media->seal != WZP_PCAP_SEAL_FAILED;
}

static bool is_sent(const wzp_pcap_message *m) {
    return m->conn == NULL || m->to_server || m->conn->role == WZP_PCAP_ROLE_FILE ||
           m->conn->role == WZP_PCAP_ROLE_DIRECT;
}

static wzp_err plan_packet(wzp_pcap_plan *p, const wzp_pcap_message *m, sender *s) {
    wzp_bytes payload;
    if (!choose_payload(p, m->media, &payload)) {
        p->counters.sealed++;
        return WZP_OK;
    }
    if (p->bytes + payload.len + sizeof(entry) > p->cfg.max_bytes) {
        p->counters.too_many++;
        return WZP_OK;
    }
    const uint8_t *kept = keep(p, payload);
    entry *e = kept != NULL ? new_entry(p) : NULL;
    if (e == NULL) {
        return WZP_ERR_NOMEM;
    }
    *e = (entry){.planned = {.at_ns = p->cfg.follow == WZP_PCAP_FOLLOW_TIMESTAMP
                                          ? clocked(s, &m->media->packet.hdr, m->time_ns)
                                          : m->time_ns,
                             .sender = (uint32_t)(s - p->senders),
                             .number = m->packet_number,
                             .packet = m->media->packet},
                 .order = p->count,
                 .conn = m->conn != NULL ? m->conn->number : 0,
                 .is_sent = is_sent(m)};
    e->planned.packet.payload = wzp_bytes_of(kept, payload.len);
    return WZP_OK;
}

wzp_err wzp_pcap_plan_take(wzp_pcap_plan *p, const wzp_pcap_message *m, bool wanted) {
    wzp_pcap_flow_take(p->flow, m);
    if (m->kind != WZP_PCAP_MESSAGE_MEDIA) {
        return WZP_OK;
    }
    const wzp_pcap_stream *stream = stream_of(p);
    if (!wanted) {
        return WZP_OK;
    }
    sender *s = stream != NULL ? sender_of(p, stream->sender) : NULL;
    p->counters.media++;
    if (s == NULL) {
        p->counters.too_many++;
        return WZP_OK;
    }
    return plan_packet(p, m, s);
}

/* --- order ------------------------------------------------------------------------------------ */

/* The connection over which most was passed on, the first of them. */
static uint32_t busiest(const wzp_pcap_plan *p) {
    uint32_t best = 0;
    size_t most = 0;
    for (size_t i = 0; i < wzp_pcap_flow_sessions(p->flow); i++) {
        const uint32_t conn = wzp_pcap_flow_session(p->flow, i)->conn.number;
        size_t n = 0;
        for (size_t k = 0; k < p->count; k++) {
            n += p->entries[k].conn == conn;
        }
        if (n > most) {
            most = n;
            best = conn;
        }
    }
    return best;
}

static void leave_out_copies(wzp_pcap_plan *p) {
    bool any_sent = false;
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        any_sent = any_sent || p->entries[i].is_sent;
    }
    const uint32_t conn = any_sent || p->cfg.all ? 0 : busiest(p);
    for (size_t i = 0; i < p->count; i++) {
        const entry *e = &p->entries[i];
        if (p->cfg.all || (any_sent ? e->is_sent : e->conn == conn)) {
            p->entries[kept++] = *e;
        }
    }
    p->counters.copies += p->count - kept;
    p->count = kept;
}

/* In the order of the capture where they are due at once. */
static int by_time(const void *a, const void *b) {
    const entry *x = a;
    const entry *y = b;
    if (x->planned.at_ns != y->planned.at_ns) {
        return x->planned.at_ns < y->planned.at_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Senders count from 0 in the order in which they begin. */
static void number_senders(wzp_pcap_plan *p) {
    for (size_t i = 0; i < p->count; i++) {
        sender *s = &p->senders[p->entries[i].planned.sender];
        if (!s->counts) {
            s->counts = true;
            s->number = p->planned_senders++;
        }
        p->entries[i].planned.sender = s->number;
    }
}

void wzp_pcap_plan_end(wzp_pcap_plan *p) {
    leave_out_copies(p);
    if (p->count == 0) {
        return;
    }
    qsort(p->entries, p->count, sizeof *p->entries, by_time);
    const uint64_t first = p->entries[0].planned.at_ns;
    for (size_t i = 0; i < p->count; i++) {
        p->entries[i].planned.at_ns -= first;
    }
    number_senders(p);
}

size_t wzp_pcap_plan_count(const wzp_pcap_plan *p) {
    return p->count;
}

const wzp_pcap_planned *wzp_pcap_plan_at(const wzp_pcap_plan *p, size_t i) {
    return &p->entries[i].planned;
}

uint32_t wzp_pcap_plan_senders(const wzp_pcap_plan *p) {
    return p->planned_senders;
}

const wzp_pcap_plan_counters *wzp_pcap_plan_counted(const wzp_pcap_plan *p) {
    return &p->counters;
}
