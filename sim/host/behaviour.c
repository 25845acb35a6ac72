#include "sim/host/behaviour.h"

#define RTO (500 * WZP_MS)
#define TIMEOUT (3 * WZP_S)
#define LIFETIME_MAX_S 600

/* Each test begins with a request, or a time to wait, and ends with an answer or without. */
enum {
    MAPPING_1,
    MAPPING_2,
    MAPPING_3,
    FILTERING_1, /* opens the way back from IP1:P1 */
    FILTERING_2,
    FILTERING_3,
    HAIRPIN_TARGET, /* what the sockets look like from outside */
    HAIRPIN_SOURCE,
    HAIRPIN,
    LIFETIME_PROBE_ADDRESS, /* answers must reach the binding's address from the probe's */
    LIFETIME_BIND,
    LIFETIME_WAIT,
    LIFETIME_PROBE,
    DONE
};

static const wzp_stun_message plain = {.type = WZP_STUN_REQUEST};

const char *wzp_sim_behaviour_scope_text(wzp_sim_behaviour_scope scope) {
    switch (scope) {
    case WZP_SIM_BEHAVIOUR_ANY:
        return "endpoint-independent";
    case WZP_SIM_BEHAVIOUR_ADDR:
        return "address-dependent";
    case WZP_SIM_BEHAVIOUR_ADDR_PORT:
        return "address- and port-dependent";
    case WZP_SIM_BEHAVIOUR_UNKNOWN:
        break;
    }
    return "unknown";
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send(wzp_sim_behaviour *b, const wzp_sim_behaviour_datagram *datagram) {
    if (b->out_count < WZP_COUNT_OF(b->out)) {
        b->out[b->out_count++] = *datagram;
    }
}

static void make_request(wzp_sim_behaviour *b, wzp_sim_behaviour_datagram *out,
                         wzp_sim_behaviour_socket from, const wzp_addr *to,
                         const wzp_stun_message *message) {
    wzp_stun_message request = *message;
    wzp_wr wr;
    wzp_rng_fill(b->rng, request.txid, sizeof request.txid);
    memcpy(b->txid, request.txid, sizeof b->txid);
    wzp_wr_init(&wr, out->data, sizeof out->data);
    wzp_stun_write(&wr, &request);
    out->len = wzp_wr_len(&wr);
    out->socket = from;
    out->to = *to;
}

/* `listens` is where `wants` is to arrive. */
static void ask(wzp_sim_behaviour *b, wzp_sim_behaviour_socket from, const wzp_addr *to,
                const wzp_stun_message *message, wzp_sim_behaviour_socket listens, wzp_time now) {
    make_request(b, &b->request, from, to, message);
    b->listens = listens;
    b->wants = b->step == HAIRPIN ? WZP_STUN_REQUEST : WZP_STUN_SUCCESS;
    b->gap = b->cfg.rto;
    b->again_at = wzp_time_after(now, b->gap);
    b->ends_at = wzp_time_after(now, b->cfg.timeout);
    send(b, &b->request);
}

static void ask_plain(wzp_sim_behaviour *b, wzp_sim_behaviour_socket from, const wzp_addr *to,
                      wzp_time now) {
    ask(b, from, to, &plain, from, now);
}

static void ask_change(wzp_sim_behaviour *b, bool ip, wzp_time now) {
    const wzp_stun_message change = {
        .type = WZP_STUN_REQUEST, .has_change = true, .change_ip = ip, .change_port = true};
    ask(b, WZP_SIM_BEHAVIOUR_FILTERING, &b->cfg.server, &change, WZP_SIM_BEHAVIOUR_FILTERING, now);
}

/* Both outer addresses are known.  The target sends first, so that its filter is open to the
 * source whatever kind it is of; that packet itself may be lost. */
static void ask_hairpin(wzp_sim_behaviour *b, wzp_time now) {
    wzp_sim_behaviour_datagram opening;
    make_request(b, &opening, WZP_SIM_BEHAVIOUR_MAPPING, &b->outer[1], &plain);
    send(b, &opening);
    ask(b, WZP_SIM_BEHAVIOUR_HAIRPIN, &b->outer[0], &plain, WZP_SIM_BEHAVIOUR_MAPPING, now);
}

static void ask_probe(wzp_sim_behaviour *b, wzp_time now) {
    const wzp_stun_message request = {.type = WZP_STUN_REQUEST, .response_port = b->response_port};
    ask(b, WZP_SIM_BEHAVIOUR_PROBE, &b->cfg.server, &request, WZP_SIM_BEHAVIOUR_BINDING, now);
}

static void rest(wzp_sim_behaviour *b, wzp_time until) {
    b->listens = WZP_SIM_BEHAVIOUR_SOCKETS;
    b->again_at = WZP_TIME_NEVER;
    b->ends_at = until;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void begin(wzp_sim_behaviour *b, int step, wzp_time now) {
    wzp_addr beside = b->other; /* IP2:P1 */
    beside.port = b->cfg.server.port;
    b->step = step;
    switch (step) {
    case MAPPING_1:
    case HAIRPIN_TARGET:
        ask_plain(b, WZP_SIM_BEHAVIOUR_MAPPING, &b->cfg.server, now);
        break;
    case MAPPING_2:
        ask_plain(b, WZP_SIM_BEHAVIOUR_MAPPING, &beside, now);
        break;
    case MAPPING_3:
        ask_plain(b, WZP_SIM_BEHAVIOUR_MAPPING, &b->other, now);
        break;
    case FILTERING_1:
        ask_plain(b, WZP_SIM_BEHAVIOUR_FILTERING, &b->cfg.server, now);
        break;
    case FILTERING_2:
    case FILTERING_3:
        ask_change(b, step == FILTERING_2, now);
        break;
    case HAIRPIN_SOURCE:
        ask_plain(b, WZP_SIM_BEHAVIOUR_HAIRPIN, &b->cfg.server, now);
        break;
    case HAIRPIN:
        ask_hairpin(b, now);
        break;
    case LIFETIME_PROBE_ADDRESS:
        ask_plain(b, WZP_SIM_BEHAVIOUR_PROBE, &b->cfg.server, now);
        break;
    case LIFETIME_BIND:
        ask_plain(b, WZP_SIM_BEHAVIOUR_BINDING, &b->cfg.server, now);
        break;
    case LIFETIME_WAIT:
        rest(b, wzp_time_after(now, b->wait_s * WZP_S));
        break;
    case LIFETIME_PROBE:
        ask_probe(b, now);
        break;
    default:
        rest(b, WZP_TIME_NEVER);
    }
}

static int after_hairpin(const wzp_sim_behaviour *b) {
    return b->cfg.lifetime ? LIFETIME_PROBE_ADDRESS : DONE;
}

/* A host that is seen as it is reaches itself without any NAT. */
static int after_filtering(const wzp_sim_behaviour *b) {
    return b->cfg.hairpin && b->result.translated ? HAIRPIN_TARGET : after_hairpin(b);
}

/* What the server saw, for servers of either age. */
static wzp_addr seen_by(const wzp_stun_message *answer) {
    return answer->xor_mapped.family != WZP_ADDR_NONE ? answer->xor_mapped : answer->mapped;
}

static int end_mapping(wzp_sim_behaviour *b, const wzp_stun_message *answer) {
    wzp_sim_behaviour_result *r = &b->result;
    const int n = b->step - MAPPING_1;
    if (answer == NULL) {
        return n == 0 ? DONE : FILTERING_1;
    }
    r->seen[n] = seen_by(answer);
    r->many |= n > 0 && !wzp_addr_same_ip(&r->seen[n], &r->seen[n - 1]);
    if (n == 0) {
        r->answered = true;
        r->translated = !wzp_addr_equal(&r->seen[0], &b->local[WZP_SIM_BEHAVIOUR_MAPPING]);
        b->other = answer->other;
        return b->other.family != WZP_ADDR_NONE ? MAPPING_2 : after_filtering(b);
    }
    const bool same = wzp_addr_equal(&r->seen[n], &r->seen[n - 1]);
    if (n == 1 && !same) {
        return MAPPING_3;
    }
    r->mapping = n == 1 ? WZP_SIM_BEHAVIOUR_ANY
                 : same ? WZP_SIM_BEHAVIOUR_ADDR
                        : WZP_SIM_BEHAVIOUR_ADDR_PORT;
    return FILTERING_1;
}

static int end_filtering(wzp_sim_behaviour *b, bool answered) {
    switch (b->step) {
    case FILTERING_1:
        return answered ? FILTERING_2 : after_filtering(b);
    case FILTERING_2:
        b->result.filtering = answered ? WZP_SIM_BEHAVIOUR_ANY : WZP_SIM_BEHAVIOUR_UNKNOWN;
        return answered ? after_filtering(b) : FILTERING_3;
    default:
        b->result.filtering = answered ? WZP_SIM_BEHAVIOUR_ADDR : WZP_SIM_BEHAVIOUR_ADDR_PORT;
        return after_filtering(b);
    }
}

static int end_hairpin(wzp_sim_behaviour *b, const wzp_stun_message *answer, const wzp_addr *from) {
    if (answer == NULL) {
        return after_hairpin(b);
    }
    if (b->step != HAIRPIN) {
        b->outer[b->step - HAIRPIN_TARGET] = seen_by(answer);
        return b->step + 1;
    }
    b->result.hairpin = wzp_addr_equal(from, &b->local[WZP_SIM_BEHAVIOUR_HAIRPIN])
                            ? WZP_SIM_BEHAVIOUR_TURN_INTERNAL
                            : WZP_SIM_BEHAVIOUR_TURN_EXTERNAL;
    return after_hairpin(b);
}

/* The first look is at the far end; then the middle, until the two are a second apart. */
static int end_probe(wzp_sim_behaviour *b, bool answered) {
    wzp_sim_behaviour_result *r = &b->result;
    *(answered ? &r->alive_s : &r->gone_s) = b->wait_s;
    if (r->gone_s == 0 || r->gone_s - r->alive_s <= 1) {
        return DONE;
    }
    b->wait_s = r->alive_s + (r->gone_s - r->alive_s) / 2;
    return LIFETIME_BIND;
}

static int end_lifetime(wzp_sim_behaviour *b, const wzp_stun_message *answer) {
    switch (b->step) {
    case LIFETIME_PROBE_ADDRESS:
        b->outer[0] = answer != NULL ? seen_by(answer) : (wzp_addr){0};
        return answer != NULL ? LIFETIME_BIND : DONE;
    case LIFETIME_BIND:
        if (answer == NULL) {
            return DONE;
        }
        b->outer[1] = seen_by(answer);
        b->response_port = b->outer[1].port;
        return wzp_addr_same_ip(&b->outer[0], &b->outer[1]) ? LIFETIME_WAIT : DONE;
    case LIFETIME_WAIT:
        return LIFETIME_PROBE;
    default:
        return end_probe(b, answer != NULL);
    }
}

/* `answer` and `from` are NULL when time ran out. */
static void end(wzp_sim_behaviour *b, const wzp_stun_message *answer, const wzp_addr *from,
                wzp_time now) {
    int next = DONE;
    if (b->step <= MAPPING_3) {
        next = end_mapping(b, answer);
    } else if (b->step <= FILTERING_3) {
        next = end_filtering(b, answer != NULL);
    } else if (b->step <= HAIRPIN) {
        next = end_hairpin(b, answer, from);
    } else if (b->step < DONE) {
        next = end_lifetime(b, answer);
    }
    begin(b, next, now);
}

/* --- driving it ------------------------------------------------------------------------------- */

void wzp_sim_behaviour_start(wzp_sim_behaviour *b, const wzp_sim_behaviour_cfg *cfg,
                             const wzp_addr *local, wzp_rng rng, wzp_time now) {
    *b = (wzp_sim_behaviour){.cfg = *cfg, .rng = rng};
    memcpy(b->local, local, sizeof b->local);
    b->cfg.rto = cfg->rto != 0 ? cfg->rto : RTO;
    b->cfg.timeout = cfg->timeout != 0 ? cfg->timeout : TIMEOUT;
    b->wait_s = cfg->lifetime_max_s != 0 ? cfg->lifetime_max_s : LIFETIME_MAX_S;
    begin(b, MAPPING_1, now);
}

void wzp_sim_behaviour_recv(wzp_sim_behaviour *b, wzp_sim_behaviour_socket socket,
                            const wzp_addr *from, wzp_bytes payload, wzp_time now) {
    wzp_stun_message message;
    if (socket != b->listens || wzp_stun_parse(&message, payload, NULL) != WZP_OK ||
        memcmp(message.txid, b->txid, sizeof b->txid) != 0) {
        return;
    }
    if (message.type == b->wants) {
        end(b, &message, from, now);
    } else if (message.type == WZP_STUN_ERROR &&
               (b->step == FILTERING_2 || b->step == FILTERING_3)) {
        begin(b, after_filtering(b), now); /* its refusal says nothing about the NAT */
    } else if (message.type == WZP_STUN_ERROR) {
        end(b, NULL, NULL, now);
    }
}

void wzp_sim_behaviour_tick(wzp_sim_behaviour *b, wzp_time now) {
    if (b->ends_at <= now) {
        end(b, NULL, NULL, now);
    } else if (b->again_at <= now) {
        send(b, &b->request);
        b->gap *= 2;
        b->again_at = wzp_time_after(b->again_at, b->gap);
    }
}

wzp_time wzp_sim_behaviour_deadline(const wzp_sim_behaviour *b) {
    return b->out_count > 0 ? 0 : wzp_time_min(b->again_at, b->ends_at);
}

bool wzp_sim_behaviour_next(wzp_sim_behaviour *b, wzp_sim_behaviour_datagram *out) {
    if (b->out_count == 0) {
        return false;
    }
    *out = b->out[0];
    b->out[0] = b->out[1];
    b->out_count--;
    return true;
}

const wzp_sim_behaviour_result *wzp_sim_behaviour_done(const wzp_sim_behaviour *b) {
    return b->step == DONE ? &b->result : NULL;
}
