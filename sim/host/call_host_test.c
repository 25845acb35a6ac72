/* Whole calls through a relay, with QUIC, handshake and jitter buffers. */
#include "sim/host/call_host.h"

#include <stdio.h>

#include "base/testing/suite.h"
#include "sim/host/testing/star.h"

#define WAY (10 * WZP_MS)
#define BUFFER (60 * WZP_MS) /* the jitter buffer's */

enum { RELAY, X, Y, Z };

static const wzp_addr relay_at = {WZP_ADDR_V4, 4433, {10, 0, 0, RELAY}};
static const char *const names[] = {"relay", "x", "y", "z"};

typedef struct party {
    wzp_sim_call_cfg cfg;
    wzp_sim_host_cfg host;
    wzp_sim_call_host *call;
    wzp_sim_call_report report;
    char log[512]; /* its events, a word each */
} party;

typedef struct room {
    star star;
    wzp_sim_relay_host *relay;
    party parties[4]; /* by name */
    size_t count;
} room;

static void on_event(void *ctx, const wzp_sim_call_event *event) {
    party *p = ctx;
    const size_t used = strlen(p->log);
    (void)snprintf(p->log + used, sizeof p->log - used, "%s ",
                   wzp_sim_call_event_name(event->kind));
    ck_assert_ptr_nonnull(event->text);
    ck_assert_uint_gt(event->at, 0);
}

static void open_room(room *r, size_t count) {
    memset(r, 0, sizeof *r);
    r->count = count;
    for (size_t i = X; i <= count; i++) {
        r->parties[i].host.name = names[i];
        r->parties[i].cfg = (wzp_sim_call_cfg){.name = names[i],
                                               .id = (uint32_t)i,
                                               .relay = relay_at,
                                               .room = "room",
                                               .codec = WZP_CODEC_OPUS_24K,
                                               .event = on_event,
                                               .ctx = &r->parties[i]};
    }
}

static void start(room *r, uint64_t seed) {
    const wzp_sim_host_cfg relay_host = {.name = names[RELAY]};
    const wzp_sim_relay_host_cfg relay = {.name = "relay", .relay = {.enforce = WZP_ENFORCE_ON}};
    star_init(&r->star, seed);
    wzp_sim_host *host = star_add(&r->star, &relay_host, WAY);
    ck_assert(wzp_sim_relay_host_new(&r->relay, host, &relay) == WZP_OK);
    for (size_t i = X; i <= r->count; i++) {
        host = star_add(&r->star, &r->parties[i].host, WAY);
        ck_assert(wzp_sim_call_host_new(&r->parties[i].call, host, &r->parties[i].cfg) == WZP_OK);
    }
}

static void run_until(room *r, wzp_time until) {
    star_run(&r->star, until);
    for (size_t i = X; i <= r->count; i++) {
        wzp_sim_call_host_report(r->parties[i].call, until, &r->parties[i].report);
    }
}

static void close_room(room *r) {
    for (size_t i = X; i <= r->count; i++) {
        wzp_sim_call_host_free(&r->parties[i].call);
    }
    wzp_sim_relay_host_free(&r->relay);
    star_clear(&r->star);
}

static const wzp_sim_heard *heard_of(const party *p, uint32_t sender) {
    for (size_t i = 0; i < p->report.senders; i++) {
        if (p->report.heard[i].sender == sender) {
            return &p->report.heard[i];
        }
    }
    ck_abort_msg("%s heard nothing of %u", p->cfg.name, sender);
    return NULL;
}

/* --- faults of signals ------------------------------------------------------------------------ */

static const struct fault_case {
    const char *name;
    wzp_sim_signal_fault fault; /* at x */
    const char *log;            /* of x */
    uint64_t setup_from, setup_to;
} fault_cases[] = {
    {"the answer is lost",
     {"CallAnswer", false, WZP_SIM_SIGNAL_DROP, 0, 0, 0, 0, 0},
     "dialled signal heard ",
     1,
     WZP_S},
    {"the answer comes late",
     {"CallAnswer", false, WZP_SIM_SIGNAL_DELAY, 700 * WZP_MS, 0, 1, 0, 0},
     "dialled signal heard joined ",
     1,
     WZP_S},
    {"the offer leaves late",
     {"CallOffer", true, WZP_SIM_SIGNAL_DELAY, 700 * WZP_MS, 0, 1, 0, 0},
     "dialled signal joined room heard ",
     800 * WZP_MS,
     WZP_S},
    {"the room is told twice",
     {"RoomUpdate", false, WZP_SIM_SIGNAL_DUPLICATE, 50 * WZP_MS, 0, 1, 0, 0},
     "dialled joined signal room ",
     1,
     WZP_S},
    {"a direction is not the other",
     {"CallAnswer", true, WZP_SIM_SIGNAL_DROP, 0, 0, 0, 0, 0},
     "dialled joined room ",
     1,
     WZP_S},
    {"only the second one",
     {"any", false, WZP_SIM_SIGNAL_DROP, 0, 7, 1, 0, 0},
     "dialled joined room ",
     1,
     WZP_S},
    {"its time has not come",
     {"any", false, WZP_SIM_SIGNAL_DROP, 0, 0, 0, 8 * WZP_S, 0},
     "dialled joined room ",
     1,
     WZP_S},
    {"its time is over",
     {"any", false, WZP_SIM_SIGNAL_DROP, 0, 0, 0, 0, WZP_S},
     "dialled joined room ",
     1,
     WZP_S},
};

START_TEST(signals_go_wrong) {
    static room r;
    const struct fault_case *c = &fault_cases[_i];
    open_room(&r, 2);
    r.parties[X].cfg.faults = &c->fault;
    r.parties[X].cfg.fault_count = 1;
    start(&r, 1);
    run_until(&r, 6 * WZP_S);
    const party *x = &r.parties[X];
    ck_assert_msg(strncmp(x->log, c->log, strlen(c->log)) == 0, "%s: %s", c->name, x->log);
    ck_assert_msg((strstr(x->log, "signal") != NULL) == (x->report.signals_hit > 0), "%s", c->name);
    ck_assert_msg(x->report.setup >= c->setup_from && x->report.setup <= c->setup_to,
                  "%s: set up in %llu", c->name, (unsigned long long)x->report.setup);
    close_room(&r);
}
END_TEST

/* What is still held when it ends, or belongs to a dial before this one, does no harm. */
START_TEST(a_kept_signal_outlives_its_call) {
    static room r;
    const wzp_sim_signal_fault fault = {
        .name = "any", .act = WZP_SIM_SIGNAL_DELAY, .by = 15 * WZP_S};
    open_room(&r, 2);
    r.parties[X].cfg.faults = &fault;
    r.parties[X].cfg.fault_count = 1;
    r.parties[X].cfg.redial_after = WZP_S;
    start(&r, 1);
    run_until(&r, 20 * WZP_S);
    ck_assert_uint_gt(r.parties[X].report.signals_hit, 0);
    close_room(&r);
}
END_TEST

/* --- a call ----------------------------------------------------------------------------------- */

START_TEST(two_who_hear_each_other) {
    static room r;
    open_room(&r, 2);
    start(&r, 1);
    run_until(&r, 31 * WZP_S);
    for (size_t i = X; i <= Y; i++) {
        const party *p = &r.parties[i];
        const wzp_sim_heard *h = heard_of(p, X + Y - (uint32_t)i);
        ck_assert_str_eq(p->log,
                         i == X ? "dialled joined room room heard " : "dialled joined room heard ");
        ck_assert(p->report.in_call);
        ck_assert_uint_eq(p->report.members, 2);
        ck_assert_uint_eq(p->report.senders, 1);
        ck_assert_uint_eq(p->report.frames_foreign, 0);
        ck_assert_uint_eq(p->report.send_failed, 0);
        ck_assert_uint_ge(p->report.frames_sent, UINT64_C(50) * 29);
        ck_assert_uint_eq(h->verdict.concealed, 0);
        ck_assert_uint_eq(h->verdict.which, WZP_SIM_CLASS_A0);
        ck_assert_uint_eq(h->lost + h->late + h->duplicates + h->reordered + h->skipped, 0);
        ck_assert_uint_eq(h->slots, h->played);
        ck_assert_uint_ge(h->played, UINT64_C(50) * 29);
        ck_assert_uint_le(h->jitter, WZP_MS);
        ck_assert(wzp_addr_equal(&p->report.path.remote, &relay_at));
        ck_assert_uint_eq(p->report.dialled_at, WZP_S); /* when the simulation began */
    }
    close_room(&r);
}
END_TEST

/* 4 wires of 10 ms: there and back is 40 ms.  Two of that to join, a way to the other and the
 * buffer until it is heard. */
START_TEST(times_are_those_of_the_network) {
    static room r;
    open_room(&r, 2);
    start(&r, 1);
    run_until(&r, 11 * WZP_S);
    const party *p = &r.parties[X];
    const wzp_sim_heard *h = heard_of(p, Y);
    ck_assert_uint_eq(h->delay_min, 4 * WAY);
    ck_assert_uint_le(h->delay_max, 4 * WAY + WZP_MS); /* QUIC paces what it sends */
    ck_assert_uint_ge(h->ear_max, 4 * WAY + BUFFER);
    ck_assert_uint_le(h->ear_max, 4 * WAY + BUFFER + WZP_MS);
    ck_assert_uint_ge(p->report.rtt, 4 * WAY);
    ck_assert_uint_le(p->report.rtt, 4 * WAY + 30 * WZP_MS); /* acknowledgements wait a little */
    const uint64_t joining = p->report.joined_at - WZP_S;
    ck_assert_uint_ge(joining, 8 * WAY);
    ck_assert_uint_le(joining, 8 * WAY + 10 * WZP_MS); /* the first packets are paced most */
    ck_assert_uint_ge(p->report.setup, joining + 4 * WAY + BUFFER);
    ck_assert_uint_le(p->report.setup, joining + 4 * WAY + BUFFER + 10 * WZP_MS);
    close_room(&r);
}
END_TEST

START_TEST(skewed_clocks_meet) {
    static room r;
    open_room(&r, 2);
    r.parties[X].host.skew_ppm = 100;
    r.parties[X].host.offset = 1000 * WZP_S;
    r.parties[Y].host.skew_ppm = -100;
    start(&r, 1);
    run_until(&r, 61 * WZP_S);
    const wzp_sim_heard *h = heard_of(&r.parties[X], Y);
    ck_assert_uint_eq(h->verdict.concealed, 0);
    /* The jitter buffer follows the sender's clock, which runs 200 ppm slower: 12 ms in a minute.
     */
    ck_assert_uint_ge(h->delay_p50, 4 * WAY);
    ck_assert_uint_le(h->delay_max, 4 * WAY + WZP_MS);
    ck_assert_uint_ge(h->ear_max, 4 * WAY + BUFFER - WZP_MS);
    ck_assert_uint_le(h->ear_p50, 4 * WAY + BUFFER);
    h = heard_of(&r.parties[Y], X);
    ck_assert_uint_eq(h->verdict.concealed, 0);
    ck_assert_uint_ge(h->ear_max, 4 * WAY + BUFFER + 11 * WZP_MS);
    close_room(&r);
}
END_TEST

static const struct pattern_case {
    const char *name;
    uint8_t codec;
    uint32_t talk_ms, silence_ms;
    uint32_t percent; /* of the slots that are spoken */
} pattern_cases[] = {
    {"talks all the time", WZP_CODEC_OPUS_24K, 40, 0, 100},
    {"short words", WZP_CODEC_OPUS_24K, 400, 400, 50},
    {"long pauses", WZP_CODEC_OPUS_24K, 1000, 3000, 25},
    {"frames of 40 ms", WZP_CODEC_OPUS_6K, 400, 400, 50},
    {"the widest", WZP_CODEC_OPUS_64K, 800, 200, 80},
};

START_TEST(pauses_are_not_missed) {
    const struct pattern_case *c = &pattern_cases[_i];
    static room r;
    open_room(&r, 2);
    r.parties[X].cfg.codec = c->codec;
    r.parties[X].cfg.talk_ms = c->talk_ms;
    r.parties[X].cfg.silence_ms = c->silence_ms;
    r.parties[Y].cfg.listen_only = true;
    start(&r, 1);
    run_until(&r, 41 * WZP_S);
    const wzp_sim_heard *h = heard_of(&r.parties[Y], X);
    ck_assert_msg(h->verdict.concealed == 0, "%s: %llu concealed", c->name,
                  (unsigned long long)h->verdict.concealed);
    ck_assert_msg(h->lost == 0 && h->late == 0 && h->skipped == 0, "%s", c->name);
    const uint64_t want = h->slots * c->percent / 100;
    ck_assert_msg(h->verdict.expected + 100 >= want && h->verdict.expected <= want + 100,
                  "%s: %llu of %llu slots", c->name, (unsigned long long)h->verdict.expected,
                  (unsigned long long)h->slots);
    ck_assert_uint_eq(r.parties[X].report.senders, 0);
    ck_assert_str_eq(r.parties[Y].report.hangup, "");
    close_room(&r);
}
END_TEST

START_TEST(three_keep_three_accounts) {
    static room r;
    open_room(&r, 3);
    r.parties[Z].cfg.dial_at = 6 * WZP_S;
    r.parties[Y].cfg.hangup_at = 20 * WZP_S;
    start(&r, 1);
    run_until(&r, 31 * WZP_S);
    for (size_t i = X; i <= Z; i++) {
        ck_assert_uint_eq(r.parties[i].report.senders, 2);
        for (size_t s = 0; s < 2; s++) {
            ck_assert_uint_eq(r.parties[i].report.heard[s].verdict.concealed, 0);
        }
    }
    ck_assert_uint_le(heard_of(&r.parties[X], Y)->last_at, 20 * WZP_S + 4 * WAY + BUFFER);
    ck_assert_uint_ge(heard_of(&r.parties[X], Z)->first_at, 6 * WZP_S);
    ck_assert_uint_eq(r.parties[X].report.members, 2);
    ck_assert(!r.parties[Y].report.in_call);
    ck_assert_uint_eq(r.parties[Y].report.ended_at, 20 * WZP_S);
    close_room(&r);
}
END_TEST

/* --- what goes wrong -------------------------------------------------------------------------- */

typedef struct hole {
    wzp_time from, to;
} hole;

static bool in_hole(void *ctx, const wzp_sim_packet *packet, wzp_time now) {
    const hole *h = ctx;
    (void)packet;
    return now >= h->from && now < h->to;
}

static void cut(room *r, size_t who, hole *h) {
    r->star.up[who].loses = in_hole;
    r->star.up[who].ctx = h; /* its packets are in no digest any more */
    r->star.up[who].look = NULL;
    r->star.down[who].loses = in_hole;
    r->star.down[who].ctx = h;
}

START_TEST(a_hole_is_as_long_as_it_is) {
    static room r;
    hole h = {20 * WZP_S, 22 * WZP_S};
    open_room(&r, 2);
    start(&r, 1);
    cut(&r, X, &h);
    run_until(&r, 41 * WZP_S);
    for (size_t i = X; i <= Y; i++) {
        wzp_sim_ear *ear = wzp_sim_call_host_ear(r.parties[i].call, X + Y - (uint32_t)i);
        const wzp_sim_slots heard = wzp_sim_ear_slots(ear, 41 * WZP_S);
        const wzp_sim_event_verdict v =
            wzp_sim_judge_event(heard, wzp_sim_ear_slot_at(ear, h.from),
                                wzp_sim_ear_slot_at(ear, h.to), WZP_SIM_CLASS_A0);
        ck_assert_uint_eq(v.before, WZP_SIM_CLASS_A0);
        ck_assert(v.recovered);
        ck_assert_uint_ge(v.gap_ms, 1880); /* the first frame after it knows four of it */
        ck_assert_uint_le(v.gap_ms, 2300); /* nat sheet 2.14, L23 */
        ck_assert_uint_le(v.recovery_ms, 2000);
    }
    ck_assert(r.parties[X].report.in_call && r.parties[Y].report.in_call);
    close_room(&r);
}
END_TEST

START_TEST(too_long_a_hole_ends_the_call) {
    static room r;
    hole h = {20 * WZP_S, WZP_TIME_NEVER};
    open_room(&r, 2);
    start(&r, 1);
    cut(&r, X, &h);
    run_until(&r, 61 * WZP_S);
    const party *x = &r.parties[X];
    ck_assert(!x->report.in_call);
    ck_assert_str_eq(x->report.closed, "idle for too long (code 0x0)");
    ck_assert_uint_le(x->report.ended_at, 52 * WZP_S); /* nat sheet 2.14, L25 */
    ck_assert_uint_ge(x->report.ended_at, 50 * WZP_S - WZP_S / 10);
    /* Nothing was heard until the end, and nothing is expected after it. */
    const wzp_sim_heard *heard = heard_of(x, Y);
    const uint64_t silent = (x->report.ended_at - heard->last_at) / (20 * WZP_MS);
    ck_assert_uint_ge(heard->verdict.concealed + 1, silent - 1);
    ck_assert_uint_le(heard->verdict.concealed, silent + 1);
    /* The other one is told when the relay has given x up. */
    ck_assert_uint_eq(r.parties[Y].report.members, 1);
    ck_assert(r.parties[Y].report.in_call);
    close_room(&r);
}
END_TEST

START_TEST(nobody_answers) {
    static room r;
    hole h = {0, WZP_TIME_NEVER};
    open_room(&r, 1);
    start(&r, 1);
    cut(&r, X, &h);
    run_until(&r, 21 * WZP_S);
    const party *x = &r.parties[X];
    ck_assert_str_eq(x->log, "dialled closed ");
    ck_assert_str_eq(x->report.closed, "no answer (code 0x0)");
    ck_assert_uint_eq(x->report.setup, 0);
    ck_assert(x->report.joined_at == WZP_TIME_NEVER && x->report.heard_at == WZP_TIME_NEVER);
    ck_assert_uint_le(x->report.ended_at, 11 * WZP_S + WZP_MS);
    close_room(&r);
}
END_TEST

/* The host gets another address in the middle of the call, as from Wi-Fi to LTE. */
START_TEST(an_address_that_changes) {
    static room r;
    open_room(&r, 2);
    start(&r, 1);
    run_until(&r, 11 * WZP_S);
    const wzp_addr old = r.star.addresses[X];
    r.star.addresses[X].ip[3] = 77;
    wzp_sim_host_unaddress(r.star.hosts[X], 0, &old);
    ck_assert(wzp_sim_host_address(r.star.hosts[X], 0, &r.star.addresses[X]) == WZP_OK);
    run_until(&r, 31 * WZP_S);
    for (size_t i = X; i <= Y; i++) {
        const wzp_sim_heard *h = heard_of(&r.parties[i], X + Y - (uint32_t)i);
        ck_assert(r.parties[i].report.in_call);
        ck_assert_uint_le(h->verdict.gap_ms, 200);
    }
    ck_assert_uint_eq(r.parties[X].report.path_changes, 0); /* of the relay's address */
    ck_assert_uint_eq(r.parties[X].report.path.local.ip[3], 77);
    close_room(&r);
}
END_TEST

START_TEST(hanging_up_by_hand) {
    static room r;
    open_room(&r, 2);
    r.parties[X].cfg.redial_after = WZP_S; /* not after its own good-bye */
    start(&r, 1);
    run_until(&r, 11 * WZP_S);
    wzp_sim_call_host_hangup(r.parties[X].call);
    wzp_sim_call_host_hangup(r.parties[X].call);
    run_until(&r, 21 * WZP_S);
    ck_assert_str_eq(r.parties[X].log, "dialled joined room room heard closed ");
    ck_assert_str_eq(r.parties[X].report.closed, "hangup (code 0x0)");
    ck_assert_uint_eq(r.parties[X].report.dials, 1);
    ck_assert_uint_eq(r.parties[Y].report.members, 1);
    /* What was under way is heard, and a moment later nobody is missed. */
    ck_assert_uint_le(heard_of(&r.parties[Y], X)->verdict.concealed, 2);
    close_room(&r);
}
END_TEST

START_TEST(hanging_up_before_dialling) {
    static room r;
    open_room(&r, 1);
    r.parties[X].cfg.dial_at = 5 * WZP_S;
    r.parties[X].cfg.hangup_at = 3 * WZP_S;
    start(&r, 1);
    run_until(&r, 21 * WZP_S);
    ck_assert_str_eq(r.parties[X].log, "");
    ck_assert_uint_eq(r.parties[X].report.dials, 0);
    close_room(&r);
}
END_TEST

static const struct cfg_case {
    const char *name;
    uint8_t codec;
    uint32_t talk_ms, silence_ms;
    uint16_t frame_bytes;
} cfg_cases[] = {
    {"not an Opus codec", WZP_CODEC_CODEC2_1200, 0, 0, 0},
    {"no codec at all", 99, 0, 0, 0},
    {"half a frame of talk", WZP_CODEC_OPUS_24K, 50, 40, 0},
    {"half a frame of silence", WZP_CODEC_OPUS_24K, 40, 30, 0},
    {"longer than can be said", WZP_CODEC_OPUS_24K, 40, 40 * 65536, 0},
    {"too short a frame", WZP_CODEC_OPUS_24K, 40, 0, WZP_SIM_SPEECH_MIN - 1},
    {"too long a frame", WZP_CODEC_OPUS_24K, 40, 0, WZP_OPUS_PACKET_MAX + 1},
};

/* Made by a codec; the second one has padding of its own. */
#define PACKETS "4841424344\n4b4103aabbccdd1122f1\n48aa\n"

START_TEST(payloads_of_a_codec) {
    static room r;
    wzp_sim_payloads *said = NULL;
    wzp_fail fail;
    ck_assert(wzp_sim_payloads_parse(&said, wzp_bytes_str(PACKETS), &fail) == WZP_OK);
    open_room(&r, 2);
    r.parties[X].cfg.payloads = said;
    start(&r, 1);
    run_until(&r, 11 * WZP_S);
    for (size_t i = X; i <= Y; i++) {
        const wzp_sim_heard *heard = heard_of(&r.parties[i], (uint32_t)(X + Y - i));
        ck_assert_uint_gt(heard->played, 480);
        ck_assert_int_eq(heard->verdict.which, WZP_SIM_CLASS_A0);
        ck_assert_uint_eq(r.parties[i].report.frames_foreign, 0);
    }
    close_room(&r);
    wzp_sim_payloads_free(&said);
}
END_TEST

START_TEST(payloads_of_another_length) {
    static room r;
    wzp_sim_payloads *said = NULL;
    wzp_fail fail;
    wzp_sim_call_host *call = NULL;
    ck_assert(wzp_sim_payloads_parse(&said, wzp_bytes_str("10ab"), &fail) == WZP_OK);
    open_room(&r, 1);
    start(&r, 1);
    wzp_sim_call_cfg cfg = r.parties[X].cfg;
    cfg.payloads = said;
    ck_assert(wzp_sim_call_host_new(&call, r.star.hosts[X], &cfg) == WZP_ERR_INVALID_ARGUMENT);
    close_room(&r);
    wzp_sim_payloads_free(&said);
}
END_TEST

/* From frames of 40 ms to frames of 20 ms, once the path has shown what it carries. */
START_TEST(a_codec_that_changes) {
    static room r;
    open_room(&r, 2);
    for (size_t i = X; i <= Y; i++) {
        r.parties[i].cfg.codec = WZP_CODEC_OPUS_6K;
        r.parties[i].cfg.adapts = true;
    }
    start(&r, 1);
    run_until(&r, 61 * WZP_S);
    for (size_t i = X; i <= Y; i++) {
        const wzp_sim_heard *h = heard_of(&r.parties[i], X + Y - (uint32_t)i);
        ck_assert_uint_eq(h->verdict.concealed, 0);
        ck_assert_uint_eq(h->lost + h->late + h->duplicates + h->skipped, 0);
        ck_assert_uint_lt(h->played, h->slots);
        ck_assert_uint_gt(2 * h->played, h->slots);
    }
    close_room(&r);
}
END_TEST

START_TEST(refused) {
    const struct cfg_case *c = &cfg_cases[_i];
    const wzp_sim_host_cfg host_cfg = {.name = "x"};
    const wzp_sim_call_cfg cfg = {.name = "x",
                                  .relay = relay_at,
                                  .codec = c->codec,
                                  .talk_ms = c->talk_ms,
                                  .silence_ms = c->silence_ms,
                                  .frame_bytes = c->frame_bytes};
    wzp_sim_call_host *call = NULL;
    star s;
    star_init(&s, 1);
    wzp_sim_host *host = star_add(&s, &host_cfg, WAY);
    ck_assert_msg(wzp_sim_call_host_new(&call, host, &cfg) == WZP_ERR_INVALID_ARGUMENT, "%s",
                  c->name);
    star_clear(&s);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("call_host");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, signals_go_wrong, 0, WZP_COUNT_OF(fault_cases));
    tcase_add_test(tc, a_kept_signal_outlives_its_call);
    tcase_add_test(tc, two_who_hear_each_other);
    tcase_add_test(tc, times_are_those_of_the_network);
    tcase_add_test(tc, skewed_clocks_meet);
    tcase_add_loop_test(tc, pauses_are_not_missed, 0, WZP_COUNT_OF(pattern_cases));
    tcase_add_test(tc, three_keep_three_accounts);
    tcase_add_test(tc, a_hole_is_as_long_as_it_is);
    tcase_add_test(tc, too_long_a_hole_ends_the_call);
    tcase_add_test(tc, nobody_answers);
    tcase_add_test(tc, an_address_that_changes);
    tcase_add_test(tc, hanging_up_by_hand);
    tcase_add_test(tc, hanging_up_before_dialling);
    tcase_add_test(tc, payloads_of_a_codec);
    tcase_add_test(tc, payloads_of_another_length);
    tcase_add_test(tc, a_codec_that_changes);
    tcase_add_loop_test(tc, refused, 0, WZP_COUNT_OF(cfg_cases));
    return wzp_run_suite("sim_host.call_host", tc);
}
