/* wzp-pcap replay: a capture's media, sent again into a live room. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "io/sys.h"
#include "tools/pcap/bin/room.h"
#include "tools/pcap/bin/source.h"
#include "tools/pcap/bin/verbs.h"
#include "tools/pcap/send/check.h"
#include "tools/pcap/send/player.h"
#include "tools/pcap/tree/filter.h"

#define SPEED_MOST 1000

enum { LINGER_MS = 1000 }; /* --check: for what is under way at the end */

enum {
    OPT_TO = WZP_PCAP_OWN_OPTION,
    OPT_ROOM,
    OPT_TOKEN,
    OPT_ALIAS,
    OPT_SPEED,
    OPT_PPS,
    OPT_TOPSPEED,
    OPT_LOOP,
    OPT_FOLLOW,
    OPT_SEQ,
    OPT_PAYLOAD,
    OPT_STREAM,
    OPT_SEED,
    OPT_CHECK,
    OPT_JSON
};

/* What was asked for. */
static struct asked {
    const char *to, *room, *token, *alias, *filter;
    wzp_pcap_plan_cfg plan;
    wzp_pcap_player_cfg player;
    uint64_t seed;
    bool json, check;
} asked = {.alias = "replay", .player = {.speed_ppm = 1000000, .loops = 1}};

static const struct option longs[] = {{"to", 1, NULL, OPT_TO},
                                      {"room", 1, NULL, OPT_ROOM},
                                      {"token", 1, NULL, OPT_TOKEN},
                                      {"alias", 1, NULL, OPT_ALIAS},
                                      {"speed", 1, NULL, OPT_SPEED},
                                      {"pps", 1, NULL, OPT_PPS},
                                      {"topspeed", 0, NULL, OPT_TOPSPEED},
                                      {"loop", 1, NULL, OPT_LOOP},
                                      {"follow", 1, NULL, OPT_FOLLOW},
                                      {"seq", 1, NULL, OPT_SEQ},
                                      {"payload", 1, NULL, OPT_PAYLOAD},
                                      {"stream", 1, NULL, OPT_STREAM},
                                      {"seed", 1, NULL, OPT_SEED},
                                      {"check", 0, NULL, OPT_CHECK},
                                      {"json", 0, NULL, OPT_JSON},
                                      {NULL, 0, NULL, 0}};

/* --- options ---------------------------------------------------------------------------------- */

static bool take_speed(const char *value) {
    char *end = NULL;
    const double speed = strtod(value, &end);
    if (end == value || *end != '\0' || !(speed >= 0.001 && speed <= SPEED_MOST)) {
        return wzp_pcap_complain("--speed takes a factor from 0.001 to %d, not '%s'", SPEED_MOST,
                                 value);
    }
    asked.player.speed_ppm = (uint64_t)(speed * 1e6 + 0.5);
    return true;
}

static bool take_number(const char *name, const char *value, uint64_t most, uint64_t *out) {
    return (wzp_pcap_number(value, out) && *out > 0 && *out <= most) ||
           wzp_pcap_complain("--%s takes a number from 1 to %" PRIu64 ", not '%s'", name, most,
                             value);
}

/* The index of one of two or three words; -1 after a complaint. */
static int take_word(const char *name, const char *value, const char *const words[3]) {
    for (int i = 0; i < 3 && words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            return i;
        }
    }
    (void)wzp_pcap_complain("--%s takes %s, %s%s%s, not '%s'", name, words[0], words[1],
                            words[2] != NULL ? ", " : "", words[2] != NULL ? words[2] : "", value);
    return -1;
}

static bool take_pace(int id, const char *value) {
    uint64_t loops = 0;
    switch (id) {
    case OPT_SPEED:
        asked.player.pace = WZP_PCAP_PACE_PLAN;
        return take_speed(value);
    case OPT_PPS:
        asked.player.pace = WZP_PCAP_PACE_RATE;
        return take_number("pps", value, 1000000, &asked.player.rate);
    case OPT_TOPSPEED:
        asked.player.pace = WZP_PCAP_PACE_TOP;
        return true;
    default:
        if (!take_number("loop", value, 1000000, &loops)) {
            return false;
        }
        asked.player.loops = (uint32_t)loops;
        return true;
    }
}

static bool take_form(int id, const char *value) {
    static const char *const follow[3] = {"capture", "timestamp"};
    static const char *const seq[3] = {"keep", "rewrite"};
    static const char *const payload[3] = {"as-is", "clear", "seal"};
    int word = 0;
    switch (id) {
    case OPT_FOLLOW:
        word = take_word("follow", value, follow);
        asked.plan.follow = word == 1 ? WZP_PCAP_FOLLOW_TIMESTAMP : WZP_PCAP_FOLLOW_CAPTURE;
        break;
    case OPT_SEQ:
        word = take_word("seq", value, seq);
        asked.player.rewrite = word == 1;
        break;
    default:
        word = take_word("payload", value, payload);
        asked.plan.payload = word < 0 ? WZP_PCAP_PAYLOAD_AS_IS : (wzp_pcap_payload)word;
        asked.player.seal = asked.plan.payload == WZP_PCAP_PAYLOAD_SEAL;
        break;
    }
    return word >= 0;
}

static bool take(int id, const char *value) {
    switch (id) {
    case OPT_TO:
        asked.to = value;
        return true;
    case OPT_ROOM:
        asked.room = value;
        return true;
    case OPT_TOKEN:
        asked.token = value;
        return true;
    case OPT_ALIAS:
        asked.alias = value;
        return true;
    case OPT_STREAM:
        asked.filter = value;
        asked.plan.all = true;
        return true;
    case OPT_SEED:
        return wzp_pcap_number(value, &asked.seed) ||
               wzp_pcap_complain("--seed takes a number, not '%s'", value);
    case OPT_CHECK:
        return asked.check = true;
    case OPT_JSON:
        return asked.json = true;
    case OPT_SPEED:
    case OPT_PPS:
    case OPT_TOPSPEED:
    case OPT_LOOP:
        return take_pace(id, value);
    default:
        return take_form(id, value);
    }
}

/* --- the plan --------------------------------------------------------------------------------- */

typedef struct replay {
    const wzp_pcap_options *options;
    wzp_pcap_filter *filter; /* NULL: everything */
    wzp_pcap_plan *plan;
    wzp_pcap_guests *guests;
    wzp_pcap_player *player;
    wzp_pcap_check *check; /* --check: what the last guest hears */
    uv_timer_t linger;
    wzp_pcap_room room;
    wzp_pcap_tree tree;
    wzp_pcap_player_report report;
    bool no_memory, interrupted;
    char why[192]; /* it ended early; "": it did not */
} replay;

static void on_message(void *ctx, const wzp_pcap_message *m) {
    replay *r = ctx;
    bool wanted = true;
    if (r->filter != NULL && m->kind == WZP_PCAP_MESSAGE_MEDIA) {
        wzp_pcap_tree_build(&r->tree, m, 0);
        wanted = wzp_pcap_filter_matches(r->filter, &r->tree);
    }
    r->no_memory = wzp_pcap_plan_take(r->plan, m, wanted) != WZP_OK || r->no_memory;
}

static bool make_filter(replay *r) {
    wzp_pcap_filter_error error;
    return asked.filter == NULL ||
           wzp_pcap_filter_new(&r->filter, wzp_bytes_str(asked.filter), &error) == WZP_OK ||
           wzp_pcap_complain("--stream, column %zu: %s", error.column, error.text);
}

/* -1: there is something to send. */
static int make_plan(replay *r) {
    wzp_pcap_source source = {.options = r->options};
    const wzp_pcap_decoder_cfg cfg = {
        .sink = on_message, .sink_ctx = r, .legacy_nonce = r->options->legacy_nonce};
    if (!make_filter(r)) {
        return EXIT_USAGE;
    }
    if (wzp_pcap_plan_new(&r->plan, &asked.plan) != WZP_OK ||
        wzp_pcap_decoder_new(&source.decoder, &cfg) != WZP_OK) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    int status = wzp_pcap_source_keys(r->options, source.decoder);
    status = status == -1 ? wzp_pcap_source_run(&source, r->options->args[0]) : status;
    wzp_pcap_decoder_free(&source.decoder);
    if (status == -1 && r->no_memory) {
        (void)wzp_pcap_complain("%s: no memory", r->options->args[0]);
        return EXIT_UNREADABLE;
    }
    if (status != -1) {
        return status;
    }
    wzp_pcap_plan_end(r->plan);
    if (wzp_pcap_plan_count(r->plan) == 0) {
        (void)wzp_pcap_complain("%s: no media that could be sent; is there a key log?",
                                r->options->args[0]);
        return EXIT_UNREADABLE;
    }
    return -1;
}

static void tell_plan(const replay *r) {
    const wzp_pcap_plan_counters *n = wzp_pcap_plan_counted(r->plan);
    const size_t count = wzp_pcap_plan_count(r->plan);
    if (r->options->quiet) {
        return;
    }
    (void)fprintf(stderr, "%zu packets of %u senders in %.3f s", count,
                  wzp_pcap_plan_senders(r->plan),
                  (double)wzp_pcap_plan_at(r->plan, count - 1)->at_ns / 1e9);
    (void)fprintf(stderr,
                  "; left out: %" PRIu64 " copies, %" PRIu64 " sealed, %" PRIu64 " too many\n",
                  n->copies, n->sealed, n->too_many);
}

/* --- without a room --------------------------------------------------------------------------- */

/* What would be sent, for who only looks. */
static int foresee(replay *r) {
    uint8_t digest[WZP_SHA256_LEN];
    char hex[2 * sizeof digest + 1];
    if (wzp_pcap_player_new(&r->player, &asked.player) != WZP_OK) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    wzp_pcap_player_foresee(r->player, digest);
    (void)wzp_hex_write(hex, wzp_bytes_of(digest, sizeof digest));
    printf(asked.json ? "{\"packets\":%" PRIu64 ",\"senders\":%u,\"digest\":\"%s\"}\n"
                      : "%" PRIu64 " packets of %u senders, digest %s\n",
           (uint64_t)wzp_pcap_plan_count(r->plan) * asked.player.loops,
           wzp_pcap_plan_senders(r->plan), hex);
    (void)fprintf(stderr,
                  "wzp-pcap: without --to nothing is sent; wzp-pcap stat analyses a capture\n");
    return EXIT_GOOD;
}

/* --- whether it arrives ----------------------------------------------------------------------- */

static void on_sent(void *ctx, uint32_t sender, wzp_bytes packet) {
    wzp_pcap_check_sent(((replay *)ctx)->check, sender, packet);
}

/* What the listener hears; the senders hear each other, which is nobody's matter. */
static void on_media(void *ctx, unsigned guest, wzp_bytes datagram, wzp_time now) {
    const replay *r = ctx;
    (void)now;
    if (guest == wzp_pcap_plan_senders(r->plan)) {
        wzp_pcap_check_came(r->check, datagram);
    }
}

/* -1: it can be done. */
static int prepare_check(replay *r) {
    if (!asked.check) {
        return -1;
    }
    if (asked.player.seal || wzp_pcap_plan_senders(r->plan) == WZP_PCAP_GUESTS_MAX) {
        (void)wzp_pcap_complain("--check: %s", asked.player.seal
                                                   ? "what is sealed anew is not known to it"
                                                   : "no place for who listens");
        return EXIT_USAGE;
    }
    const uint64_t packets = (uint64_t)wzp_pcap_plan_count(r->plan) * asked.player.loops;
    if (wzp_pcap_check_new(&r->check, packets) != WZP_OK) {
        (void)wzp_pcap_complain("no memory for %" PRIu64 " packets", packets);
        return EXIT_UNREADABLE;
    }
    asked.player.sent = on_sent;
    asked.player.ctx = r;
    return -1;
}

/* The exit status. */
static int judge(const replay *r) {
    wzp_pcap_check_result c;
    wzp_pcap_check_sum(r->check, &c);
    const bool holds = wzp_pcap_check_holds(&c);
    const bool lossy = r->report.wire.lost + r->report.wire.dropped > 0;
    const char *verdict = holds ? "PASS" : lossy ? "INCONCLUSIVE" : "FAIL";
    printf(asked.json ? "{\"verdict\":\"%s\",\"sent\":%" PRIu64 ",\"came\":%" PRIu64
                        ",\"missing\":%" PRIu64 ",\"reordered\":%" PRIu64 ",\"repeated\":%" PRIu64
                        ",\"others\":%" PRIu64 "}\n"
                      : "%s: of %" PRIu64 " packets %" PRIu64 " came to who listened; %" PRIu64
                        " missing, %" PRIu64 " late, %" PRIu64 " again, %" PRIu64
                        " changed or of somebody else\n",
           verdict, c.sent, c.came, c.missing, c.reordered, c.repeated, c.others);
    if (c.first_missing != 0 && !r->options->quiet) {
        (void)fprintf(stderr, "the first that is missing is number %" PRIu64 " of those sent\n",
                      c.first_missing);
    }
    return holds ? EXIT_GOOD : lossy ? EXIT_INCONCLUSIVE : EXIT_FINDINGS;
}

/* --- in a room -------------------------------------------------------------------------------- */

static void leave(replay *r) {
    if (!r->room.ends) {
        wzp_pcap_player_tell(r->player, &r->report);
        wzp_pcap_guests_leave(r->guests, wzp_io_now());
        wzp_pcap_room_end(&r->room);
    }
}

static void on_linger(uv_timer_t *timer) {
    replay *r = timer->data;
    leave(r);
    wzp_drive_kick(&r->room.drive);
}

static void on_turn(void *ctx, wzp_time now) {
    replay *r = ctx;
    const char *why = "";
    (void)now;
    if (r->room.ends) {
        return;
    }
    if (wzp_pcap_guests_state_of(r->guests, &why) == WZP_PCAP_GUESTS_GONE) {
        (void)snprintf(r->why, sizeof r->why, "%s", why);
    }
    if (!wzp_pcap_player_is_done(r->player)) {
        return;
    }
    if (r->check == NULL || r->why[0] != '\0') {
        leave(r);
    } else if (!uv_is_active((uv_handle_t *)&r->linger)) {
        uv_timer_start(&r->linger, on_linger, LINGER_MS, 0); /* the last ones are under way */
    }
}

static void on_started(void *ctx) {
    replay *r = ctx;
    uv_timer_init(&r->room.loop, &r->linger);
    r->linger.data = r;
}

static void on_interrupted(void *ctx) {
    replay *r = ctx;
    r->interrupted = true;
    leave(r);
}

/* Identities of a seed are always the same; those without one are new. */
static void draw_seeds(uint8_t seeds[WZP_PCAP_GUESTS_MAX][32]) {
    for (uint64_t i = 0; i < WZP_PCAP_GUESTS_MAX; i++) {
        char text[64];
        const int len =
            snprintf(text, sizeof text, "wzp-pcap replay %" PRIu64 " %" PRIu64, asked.seed, i);
        if (asked.seed != 0) {
            wzp_sha256(seeds[i], wzp_bytes_of(text, (size_t)len));
        } else {
            wzp_rng_fill(wzp_io_rng(), seeds[i], 32);
        }
    }
}

static int join(replay *r) {
    static char names[WZP_PCAP_GUESTS_MAX][64];
    const char *aliases[WZP_PCAP_GUESTS_MAX];
    uint8_t seeds[WZP_PCAP_GUESTS_MAX][32];
    const uint32_t senders = wzp_pcap_plan_senders(r->plan);
    const uint32_t count = senders + (r->check != NULL ? 1 : 0);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i],
                       i == senders  ? "%.40s (listens)"
                       : senders > 1 ? "%.48s %u"
                                     : "%.48s",
                       asked.alias, i + 1);
        aliases[i] = names[i];
    }
    draw_seeds(seeds);
    const wzp_pcap_guests_cfg cfg = {.rng = wzp_io_rng(),
                                     .count = count,
                                     .seeds = seeds[0],
                                     .aliases = aliases,
                                     .room = asked.room,
                                     .token = asked.token,
                                     .path = {r->room.local, r->room.relay},
                                     .media = r->check != NULL ? on_media : NULL,
                                     .ctx = r};
    const wzp_err err = wzp_pcap_guests_new(&r->guests, &cfg, wzp_io_now());
    wzp_crypto_wipe(seeds, sizeof seeds);
    if (err != WZP_OK) {
        (void)wzp_pcap_complain("--room: %s", wzp_err_text(err));
        return EXIT_USAGE;
    }
    asked.player.guests = r->guests;
    if (wzp_pcap_player_new(&r->player, &asked.player) != WZP_OK) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    return -1;
}

static void print_json(const wzp_pcap_player_report *n, const char *digest) {
    printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"left\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"heard\":%" PRIu64
           ",\"duration_s\":%.6f,\"late\":%" PRIu64 ",",
           n->packets, n->bytes, n->refused, n->wire.sent, n->wire.dropped, n->wire.lost,
           n->wire.heard, (double)n->duration_ns / 1e9, n->late);
    printf("\"error_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},\"digest\":\"%s\"}\n",
           (double)n->error_p50_ns / 1e3, (double)n->error_p99_ns / 1e3,
           (double)n->error_max_ns / 1e3, digest);
}

static void print_text(const wzp_pcap_player_report *n, const char *digest) {
    printf("sent %" PRIu64 " packets, %" PRIu64 " bytes in %.3f s", n->packets, n->bytes,
           (double)n->duration_ns / 1e9);
    printf("; %" PRIu64 " refused, %" PRIu64 " dropped before they left, %" PRIu64
           " lost on the way to the relay\n",
           n->refused, n->wire.dropped, n->wire.lost);
    if (asked.player.pace == WZP_PCAP_PACE_TOP) {
        printf("pacing: none, %.0f packets/s\n",
               n->duration_ns > 0 ? (double)n->packets * 1e9 / (double)n->duration_ns : 0.0);
    } else {
        printf("pacing: p50 %.1f us, p99 %.1f us, max %.1f us after their time; %" PRIu64
               " late by more than %d ms\n",
               (double)n->error_p50_ns / 1e3, (double)n->error_p99_ns / 1e3,
               (double)n->error_max_ns / 1e3, n->late, (int)(WZP_PCAP_PLAYER_LATE / WZP_MS));
    }
    printf("digest %s\n", digest);
}

static int tell(const replay *r) {
    const wzp_pcap_player_report *n = &r->report;
    char hex[2 * WZP_SHA256_LEN + 1];
    (void)wzp_hex_write(hex, wzp_bytes_of(n->digest, sizeof n->digest));
    if (wzp_pcap_guests_came_never(r->guests)) {
        (void)wzp_pcap_complain("%s: %s", asked.to, r->why);
        return EXIT_UNREACHABLE;
    }
    (asked.json ? print_json : print_text)(n, hex);
    if (r->why[0] != '\0') {
        (void)wzp_pcap_complain("%s: ended early: %s", asked.to, r->why);
        return EXIT_FINDINGS;
    }
    if (r->check != NULL && !r->interrupted) {
        return judge(r);
    }
    return n->refused + n->wire.dropped > 0 || r->interrupted ? EXIT_FINDINGS : EXIT_GOOD;
}

static int perform(replay *r) {
    r->room = (wzp_pcap_room){
        .turn = on_turn, .interrupted = on_interrupted, .started = on_started, .ctx = r};
    int status = prepare_check(r);
    status = status == -1 ? wzp_pcap_room_open(&r->room, asked.to) : status;
    status = status == -1 ? join(r) : status;
    if (status == -1) {
        status = wzp_pcap_room_run(&r->room, wzp_pcap_player_core(r->player));
    }
    if (status == -1) {
        status = tell(r);
    }
    wzp_pcap_player_free(&r->player);
    wzp_pcap_guests_free(&r->guests);
    wzp_pcap_room_close(&r->room);
    return status;
}

static int run(const wzp_pcap_options *options) {
    static replay r;
    r = (replay){.options = options};
    if (options->arg_count != 1) {
        (void)wzp_pcap_complain("replay takes one file, or - for standard input; see --help");
        return EXIT_USAGE;
    }
    if (asked.to != NULL && asked.room == NULL) {
        (void)wzp_pcap_complain("--to: which --room? none is taken from the capture");
        return EXIT_USAGE;
    }
    int status = make_plan(&r);
    if (status == -1) {
        tell_plan(&r);
        asked.player.plan = r.plan;
        status = asked.to != NULL ? perform(&r) : foresee(&r);
    }
    wzp_pcap_player_free(&r.player);
    wzp_pcap_check_free(&r.check);
    wzp_pcap_plan_free(&r.plan);
    wzp_pcap_filter_free(&r.filter);
    return status;
}

const wzp_pcap_verb wzp_pcap_verb_replay = {
    .name = "replay",
    .args = "FILE",
    .about = "sends a capture's media again, into a live room",
    .help =
        "  --to HOST:PORT       the relay; without it nothing is sent, see stat\n"
        "  --room R             the room there; one participant for each sender of the capture\n"
        "  --token T, --alias A, --seed N   the token; 'replay'; identities of this number\n"
        "  --stream FILTER      these packets only, as in dump -Y; without it what a relay passed\n"
        "                       on is left out where what went to it is there\n"
        "  --follow capture|timestamp   times of the capture (default), or of the senders' clocks\n"
        "  --speed X            so many times as fast\n"
        "  --pps N              N packets a second instead\n"
        "  --topspeed           as fast as the connection takes them\n"
        "  --loop N             N times\n"
        "  --seq keep|rewrite   numbers and timestamps as they were (default), or from 0 on and\n"
        "                       further in each loop; what is sealed opens no more then\n"
        "  --payload as-is|clear|seal   as captured (default); opened with --media-keys; or that,\n"
        "                       sealed again with the new session's key\n"
        "  --check              one more participant listens, and a verdict follows: PASS if "
        "every\n"
        "                       packet comes to him unchanged, each sender's in their order (one "
        "in\n"
        "                       a hundred may have been overtaken on its way)\n"
        "  --json               the report as JSON\n"
        "\n"
        "Deadlines are absolute; a late packet is sent at once and counted. The digest is that of\n"
        "senders and packets in their order, before they are sealed again: equal for equal files\n"
        "and options. Exit status 1: packets were dropped, the relay hung up, or --check fails; 5: "
        "nothing\n"
        "can be said, for the way to the relay loses packets.\n"
        "\n"
        "Example: wzp-pcap replay call.pcapng --to 127.0.0.1:4433 --room test --speed 2\n",
    .options = longs,
    .take = take,
    .run = run};
