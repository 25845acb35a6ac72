/* wzp-pcap live: an observer in a room, who hears and says nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/identity.h"
#include "io/capture.h"
#include "io/sys.h"
#include "tools/pcap/bin/room.h"
#include "tools/pcap/bin/tui.h"
#include "tools/pcap/bin/verbs.h"
#include "tools/pcap/decode/decoder.h"
#include "tools/pcap/file/writer.h"
#include "tools/pcap/send/board.h"
#include "tools/pcap/send/guests.h"
#include "wzp_version.h"

enum { REDRAW_MS = 100, BLOCK_MS = 2000, DURATION_MAX_S = 86400 };

/* Whoever else is in the room sees what we are. */
#define ALIAS "analyzer (observer)"

enum {
    OPT_ROOM = WZP_PCAP_OWN_OPTION,
    OPT_NO_TUI,
    OPT_JSON,
    OPT_CAPTURE,
    OPT_DURATION,
    OPT_TOKEN,
    OPT_SEED,
    OPT_KEY
};

/* What was asked for. */
static struct asked {
    const char *room, *capture, *token;
    double duration_s; /* 0: until the user has enough */
    bool no_tui, json, has_seed, has_key;
    uint8_t seed[WZP_KEY_LEN], key[WZP_KEY_LEN];
} asked;

static const struct option longs[] = {{"room", 1, NULL, OPT_ROOM},
                                      {"no-tui", 0, NULL, OPT_NO_TUI},
                                      {"json", 0, NULL, OPT_JSON},
                                      {"capture", 1, NULL, OPT_CAPTURE},
                                      {"duration", 1, NULL, OPT_DURATION},
                                      {"token", 1, NULL, OPT_TOKEN},
                                      {"seed", 1, NULL, OPT_SEED},
                                      {"key", 1, NULL, OPT_KEY},
                                      {NULL, 0, NULL, 0}};

/* --- options ---------------------------------------------------------------------------------- */

static bool take_hex(const char *name, const char *value, uint8_t out[WZP_KEY_LEN]) {
    return wzp_hex_parse(out, WZP_KEY_LEN, value, strlen(value), NULL) == WZP_OK ||
           wzp_pcap_complain("--%s takes 64 hex digits", name);
}

static bool take_duration(const char *value) {
    char *end = NULL;
    asked.duration_s = strtod(value, &end);
    return (end != value && *end == '\0' && asked.duration_s > 0 &&
            asked.duration_s <= DURATION_MAX_S) ||
           wzp_pcap_complain("--duration takes seconds up to a day, not '%s'", value);
}

static bool take(int id, const char *value) {
    switch (id) {
    case OPT_ROOM:
        asked.room = value;
        return true;
    case OPT_NO_TUI:
        return asked.no_tui = true;
    case OPT_JSON:
        return asked.json = true;
    case OPT_CAPTURE:
        asked.capture = value;
        return wzp_pcap_ends_in(value, ".wzp") || wzp_pcap_ends_in(value, ".pcapng") ||
               wzp_pcap_complain("--capture takes a file that ends in .wzp or .pcapng, not '%s'",
                                 value);
    case OPT_DURATION:
        return take_duration(value);
    case OPT_TOKEN:
        asked.token = value;
        return true;
    case OPT_SEED:
        return asked.has_seed = take_hex("seed", value, asked.seed);
    default:
        return asked.has_key = take_hex("key", value, asked.key);
    }
}

/* --- what is heard ---------------------------------------------------------------------------- */

typedef struct live {
    const wzp_pcap_options *options;
    wzp_pcap_room room;
    wzp_pcap_guests *guests;
    wzp_pcap_decoder *decoder; /* reads media as those of a `.wzp` file */
    wzp_pcap_flow *flow;
    wzp_pcap_board board;
    uint64_t packets, offset_ns; /* offset_ns: from our clock to the wall's */
    wzp_time began;
    uv_timer_t redraw, end;
    bool has_tui, was_in, no_memory;
    char room_text[128], why[192]; /* why: it ended by itself; "": it did not */
    /* --capture */
    FILE *file;
    wzp_pcap_writer *writer; /* .wzp */
    wzp_capture *capture;    /* .pcapng */
    bool write_failed;
} live;

static void on_message(void *ctx, const wzp_pcap_message *m) {
    wzp_pcap_flow_take(((live *)ctx)->flow, m);
}

static void on_media(void *ctx, unsigned guest, wzp_bytes datagram, wzp_time now) {
    live *l = ctx;
    const wzp_pcap_item item = {.kind = WZP_PCAP_ITEM_PACKET,
                                .packet = {.number = ++l->packets,
                                           .time_ns = now + l->offset_ns,
                                           .link_type = WZP_PCAP_LINK_MEDIA,
                                           .original_len = (uint32_t)datagram.len,
                                           .way = WZP_PCAP_IN,
                                           .data = datagram}};
    (void)guest;
    l->no_memory = wzp_pcap_decoder_take(l->decoder, &item) != WZP_OK || l->no_memory;
    if (l->writer != NULL) {
        l->write_failed =
            wzp_pcap_writer_packet(l->writer, NULL, &item.packet) != WZP_OK || l->write_failed;
    }
}

static void on_signal(void *ctx, unsigned guest, wzp_bytes json, wzp_time now) {
    live *l = ctx;
    wzp_signal *signal = NULL;
    (void)guest;
    if (wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK &&
        signal->kind == WZP_SIGNAL_ROOM_UPDATE) {
        wzp_pcap_board_room(&l->board, &signal->u.RoomUpdate, now + l->offset_ns);
    }
    wzp_signal_free(&signal);
}

/* --- what is shown ---------------------------------------------------------------------------- */

static uint64_t seconds_of(const live *l) {
    return wzp_time_since(wzp_io_now(), l->began) / WZP_S;
}

static void draw(const live *l) {
    char relay[WZP_ADDR_TEXT_MAX];
    wzp_pcap_row_shown rows[WZP_PCAP_SHOWN_MAX];
    const size_t count = wzp_pcap_board_rows(&l->board, l->flow, rows);
    const wzp_pcap_tui_head head = {.room = l->room_text,
                                    .relay = wzp_addr_text(&l->room.relay, relay),
                                    .present = l->board.present,
                                    .packets = l->packets,
                                    .seconds = seconds_of(l),
                                    .state = l->was_in ? "in the room" : "joining"};
    wzp_pcap_tui_draw(&head, rows, count);
}

static void print_block(FILE *out, const live *l) {
    wzp_pcap_row_shown rows[WZP_PCAP_SHOWN_MAX];
    const size_t count = wzp_pcap_board_rows(&l->board, l->flow, rows);
    const uint64_t s = seconds_of(l);
    (void)fprintf(out,
                  "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " room %s: %zu participants, %" PRIu64
                  " packets\n",
                  s / 3600, s / 60 % 60, s % 60, l->room_text, l->board.present, l->packets);
    for (size_t i = 0; i < count; i++) {
        const wzp_pcap_row_shown *r = &rows[i];
        (void)fprintf(out,
                      "%3u %-20s %-9s %8" PRIu64 " packets, loss %.2f %%, jitter %.1f ms, %" PRIu64
                      " switches, %.1f s\n",
                      r->number, r->name, r->codec, r->packets, r->loss_percent, r->jitter_ms,
                      r->switches, r->duration_s);
    }
    (void)fflush(out);
}

static void print_json(const live *l, bool final) {
    wzp_pcap_row_shown rows[WZP_PCAP_SHOWN_MAX];
    const size_t count = wzp_pcap_board_rows(&l->board, l->flow, rows);
    json_t *streams = json_array();
    for (size_t i = 0; i < count; i++) {
        const wzp_pcap_row_shown *r = &rows[i];
        json_array_append_new(streams,
                              json_pack("{s:i, s:s, s:b, s:s, s:I, s:f, s:f, s:I, s:f}", "stream",
                                        (int)r->number, "name", r->name, "sure", r->sure, "codec",
                                        r->codec, "packets", (json_int_t)r->packets, "loss_percent",
                                        r->loss_percent, "jitter_ms", r->jitter_ms, "switches",
                                        (json_int_t)r->switches, "duration_s", r->duration_s));
    }
    json_t *all = json_pack("{s:f, s:b, s:s, s:i, s:I, s:o}", "time_s",
                            (double)wzp_time_since(wzp_io_now(), l->began) / 1e9, "final", final,
                            "room", l->room_text, "participants", (int)l->board.present, "packets",
                            (json_int_t)l->packets, "streams", streams);
    char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text != NULL) {
        (void)puts(text);
        (void)fflush(stdout);
    }
    free(text);
    json_decref(all);
}

static void leave(live *l) {
    if (!l->room.ends) {
        wzp_pcap_guests_leave(l->guests, wzp_io_now());
        wzp_pcap_room_end(&l->room);
    }
}

static void on_redraw(uv_timer_t *timer) {
    live *l = timer->data;
    if (l->has_tui) {
        draw(l);
        if (wzp_pcap_tui_is_quit()) {
            leave(l);
            wzp_drive_kick(&l->room.drive);
        }
    } else if (l->was_in && asked.json) {
        print_json(l, false);
    } else if (l->was_in && !l->options->quiet) {
        print_block(stderr, l);
    }
}

static void on_end(uv_timer_t *timer) {
    live *l = timer->data;
    leave(l);
    wzp_drive_kick(&l->room.drive);
}

static void on_turn(void *ctx, wzp_time now) {
    live *l = ctx;
    const char *why = "";
    (void)now;
    switch (wzp_pcap_guests_state_of(l->guests, &why)) {
    case WZP_PCAP_GUESTS_IN:
        if (!l->was_in && asked.duration_s > 0) {
            uv_timer_start(&l->end, on_end, (uint64_t)(asked.duration_s * 1000), 0);
        }
        l->was_in = true;
        break;
    case WZP_PCAP_GUESTS_GONE:
        (void)snprintf(l->why, sizeof l->why, "%s", why);
        leave(l);
        break;
    case WZP_PCAP_GUESTS_COME:
    case WZP_PCAP_GUESTS_LEAVE:
        break;
    }
}

/* The loop is there. */
static void on_started(void *ctx) {
    live *l = ctx;
    uv_timer_init(&l->room.loop, &l->redraw);
    uv_timer_init(&l->room.loop, &l->end);
    l->redraw.data = l->end.data = l;
    uv_timer_start(&l->redraw, on_redraw, l->has_tui ? 0 : BLOCK_MS,
                   l->has_tui ? REDRAW_MS : BLOCK_MS);
}

static void on_interrupted(void *ctx) {
    leave(ctx);
}

/* --- captures --------------------------------------------------------------------------------- */

static void to_file(void *ctx, wzp_bytes bytes) {
    live *l = ctx;
    l->write_failed = fwrite(bytes.data, 1, bytes.len, l->file) != bytes.len || l->write_failed;
}

static void on_keylog(void *ctx, wzp_quic_conn conn, const char *line) {
    const live *l = ctx;
    (void)conn;
    if (l->capture != NULL) {
        wzp_capture_secret_line(wzp_capture_lane_of(l->capture, 0), WZP_CAPTURE_TLS,
                                wzp_bytes_str(line));
    }
}

static int complain_file(int error) {
    (void)wzp_pcap_complain("%s: %s", asked.capture, wzp_io_reason(error));
    return EXIT_UNREADABLE;
}

/* All of the connection, with its secrets. */
static int open_capture(live *l) {
    const wzp_capture_cfg cfg = {.path = asked.capture,
                                 .program = "wzp-pcap " WZP_VERSION " (" WZP_BUILD_HASH ")",
                                 .lanes = 1};
    if (wzp_capture_open(&l->capture, &cfg) != WZP_OK) {
        return complain_file(errno);
    }
    wzp_udp_set_tap(l->room.udp, wzp_capture_datagram, wzp_capture_lane_of(l->capture, 0));
    return -1;
}

/* Media packets alone, as upstream's analyzer writes and reads them. */
static int open_wzp(live *l, const char *relay) {
    const wzp_pcap_writer_cfg cfg = {.form = WZP_PCAP_FORM_WZP,
                                     .sink = to_file,
                                     .sink_ctx = l,
                                     .room = l->room_text,
                                     .relay = relay,
                                     .start_ns = wzp_io_unix_ns()};
    const int fd = open(asked.capture, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    l->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (l->file == NULL) {
        return complain_file(errno);
    }
    if (wzp_pcap_writer_new(&l->writer, &cfg) != WZP_OK) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    return -1;
}

static int close_captures(live *l) {
    int status = -1;
    if (l->capture != NULL) {
        wzp_capture_counters n;
        wzp_capture_finish(l->capture);
        wzp_capture_count(l->capture, &n);
        status = n.error != 0 ? complain_file(n.error) : -1;
        wzp_capture_close(&l->capture);
    }
    wzp_pcap_writer_free(&l->writer);
    if (l->file != NULL && (fclose(l->file) != 0 || l->write_failed)) {
        status = complain_file(errno != 0 ? errno : EIO);
    }
    return status;
}

/* --- start and end ---------------------------------------------------------------------------- */

static bool open_figures(live *l) {
    const wzp_pcap_decoder_cfg cfg = {.sink = on_message, .sink_ctx = l};
    if (wzp_pcap_flow_new(&l->flow, 0) != WZP_OK ||
        wzp_pcap_decoder_new(&l->decoder, &cfg) != WZP_OK) {
        return wzp_pcap_complain("no memory");
    }
    if (asked.has_key) {
        char line[128];
        char hex[2 * WZP_KEY_LEN + 1];
        size_t at = 0;
        const int len = snprintf(line, sizeof line, "WZP_MEDIA_KEY * 0 %s\n",
                                 wzp_hex_write(hex, wzp_bytes_of(asked.key, sizeof asked.key)));
        const wzp_err err =
            wzp_pcap_decoder_media_keys(l->decoder, wzp_bytes_of(line, (size_t)len), &at);
        wzp_crypto_wipe(line, sizeof line);
        wzp_crypto_wipe(hex, sizeof hex);
        return err == WZP_OK || wzp_pcap_complain("--key: %s", wzp_err_text(err));
    }
    return true;
}

static int join(live *l) {
    static const char *const alias[] = {ALIAS};
    wzp_identity own;
    if (!asked.has_seed) {
        wzp_rng_fill(wzp_io_rng(), asked.seed, sizeof asked.seed);
    }
    wzp_identity_from_seed(&own, asked.seed);
    wzp_pcap_board_init(&l->board, own.fingerprint);
    wzp_identity_clear(&own);
    const wzp_pcap_guests_cfg cfg = {.rng = wzp_io_rng(),
                                     .count = 1,
                                     .seeds = asked.seed,
                                     .aliases = alias,
                                     .room = asked.room,
                                     .token = asked.token,
                                     .path = {l->room.local, l->room.relay},
                                     .media = on_media,
                                     .signal = on_signal,
                                     .ctx = l,
                                     .keylog = on_keylog,
                                     .keylog_ctx = l};
    const wzp_err err = wzp_pcap_guests_new(&l->guests, &cfg, wzp_io_now());
    wzp_crypto_wipe(asked.seed, sizeof asked.seed);
    if (err != WZP_OK) {
        (void)wzp_pcap_complain("--room: %s", wzp_err_text(err));
        return EXIT_USAGE;
    }
    return -1;
}

static int prepare(live *l, const char *target) {
    wzp_pcap_printable(l->room_text, sizeof l->room_text, wzp_bytes_str(asked.room));
    l->began = wzp_io_now();
    l->offset_ns = wzp_io_unix_ns() - l->began;
    if (!open_figures(l)) {
        return EXIT_UNREADABLE;
    }
    int status = wzp_pcap_room_open(&l->room, target);
    if (status == -1 && asked.capture != NULL) {
        status = wzp_pcap_ends_in(asked.capture, ".wzp") ? open_wzp(l, target) : open_capture(l);
    }
    return status == -1 ? join(l) : status;
}

static int tell(live *l) {
    wzp_pcap_decoder_end(l->decoder);
    wzp_pcap_flow_end(l->flow);
    if (wzp_pcap_guests_came_never(l->guests)) {
        (void)wzp_pcap_complain("%s: %s", l->options->args[0], l->why);
        return EXIT_UNREACHABLE;
    }
    if (asked.json) {
        print_json(l, true);
    } else {
        print_block(stderr, l);
    }
    if (l->why[0] != '\0' || l->no_memory) {
        (void)wzp_pcap_complain("%s: %s", l->options->args[0],
                                l->no_memory ? "no memory for some packets" : l->why);
        return EXIT_FINDINGS;
    }
    return EXIT_GOOD;
}

static int run(const wzp_pcap_options *options) {
    static live l;
    l = (live){.options = options};
    if (options->arg_count != 1 || asked.room == NULL) {
        (void)wzp_pcap_complain("live takes HOST:PORT and --room; see --help");
        return EXIT_USAGE;
    }
    l.room = (wzp_pcap_room){
        .turn = on_turn, .interrupted = on_interrupted, .started = on_started, .ctx = &l};
    int status = prepare(&l, options->args[0]);
    if (status == -1) {
        l.has_tui = !asked.no_tui && !asked.json && wzp_pcap_tui_open();
        status = wzp_pcap_room_run(&l.room, wzp_pcap_guests_core(l.guests));
        wzp_pcap_tui_close();
    }
    status = status == -1 ? tell(&l) : status;
    wzp_pcap_guests_free(&l.guests);
    wzp_pcap_room_close(&l.room);
    const int written = close_captures(&l);
    wzp_pcap_decoder_free(&l.decoder);
    wzp_pcap_flow_free(&l.flow);
    return written != -1 ? written : status;
}

const wzp_pcap_verb wzp_pcap_verb_live = {
    .name = "live",
    .args = "HOST:PORT --room R",
    .about = "watches a room: joins as an observer, and shows who sends what",
    .help =
        "  --room R             the room\n"
        "  --no-tui             a block of lines on standard error every 2 s; without a terminal\n"
        "                       it is that anyway\n"
        "  --json               a line of JSON on standard output instead, and one at the end\n"
        "  --capture F          F.wzp: the media packets, as upstream's analyzer writes them;\n"
        "                       F.pcapng: everything, with its secrets\n"
        "  --duration S         ends after S seconds\n"
        "  --token T, --seed HEX   the token; the observer's identity (a new one)\n"
        "  --key HEX            of sealed media: what it opens tells more of repaired blocks\n"
        "\n"
        "The others see '" ALIAS "' in the room. Media do not say who sends them: a stream\n"
        "bears one name where only one of those in the room can be meant, else all of them.\n"
        "Rows are green, yellow above 1 % of loss, red above 5 %; q or Ctrl-C ends it.\n"
        "\n"
        "Example: wzp-pcap live relay.example:4433 --room standup --capture standup.pcapng\n",
    .options = longs,
    .take = take,
    .run = run};
