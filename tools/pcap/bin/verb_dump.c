/* wzp-pcap dump: what is in a capture, message by message. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/sys.h"
#include "tools/pcap/bin/kept.h"
#include "tools/pcap/bin/source.h"
#include "tools/pcap/bin/summary.h"
#include "tools/pcap/bin/verbs.h"
#include "tools/pcap/tree/filter.h"
#include "tools/pcap/tree/print.h"

#define COLUMNS_MAX 100
#define MILESTONE 64               /* packets of one direction */
#define FLUSH_AFTER (100 * WZP_MS) /* so long a line may wait for others */

enum { OPT_JSON = WZP_PCAP_OWN_OPTION, OPT_CSV, OPT_FIELDS, OPT_PACKETS, OPT_FRAMES, OPT_STRICT };

typedef enum form { LINES, TREES, JSON, CSV } form;

/* What was asked for. */
static struct asked {
    form form;
    const char *filter, *fields, *write, *interface;
    bool packets, frames, strict;
} asked;

static const struct option longs[] = {{"tree", 0, NULL, 'V'},
                                      {"json", 0, NULL, OPT_JSON},
                                      {"csv", 0, NULL, OPT_CSV},
                                      {"fields", 1, NULL, OPT_FIELDS},
                                      {"filter", 1, NULL, 'Y'},
                                      {"write", 1, NULL, 'w'},
                                      {"interface", 1, NULL, 'i'},
                                      {"packets", 0, NULL, OPT_PACKETS},
                                      {"frames", 0, NULL, OPT_FRAMES},
                                      {"strict", 0, NULL, OPT_STRICT},
                                      {NULL, 0, NULL, 0}};

static bool take(int id, const char *value) {
    switch (id) {
    case 'V':
        asked.form = TREES;
        return true;
    case OPT_JSON:
        asked.form = JSON;
        return true;
    case OPT_CSV:
        asked.form = CSV;
        return true;
    case OPT_FIELDS:
        asked.fields = value;
        asked.form = CSV;
        return true;
    case 'Y':
        asked.filter = value;
        return true;
    case 'w':
        asked.write = value;
        return true;
    case 'i':
        asked.interface = value;
        return true;
    case OPT_PACKETS:
        return asked.packets = true;
    case OPT_FRAMES:
        return asked.frames = true;
    default:
        return asked.strict = true;
    }
}

typedef struct dump {
    const wzp_pcap_options *options;
    wzp_pcap_filter *filter; /* NULL: everything */
    unsigned columns[COLUMNS_MAX];
    size_t column_count;
    bool has_first; /* first_ns is known */
    uint64_t first_ns;
    uint64_t shown, malformed;
    wzp_time flushed;
    bool failed;   /* standard output cannot be written */
    uint64_t late; /* matches in packets that were over already, which -w misses */
    wzp_pcap_kept kept;
    uint8_t since_kept[1024]; /* packets of a direction since one was kept for its number */
    wzp_pcap_tree tree;
    wzp_pcap_text text;
} dump;

/* --- output ----------------------------------------------------------------------------------- */

static void to_stdout(void *ctx, wzp_bytes text) {
    dump *d = ctx;
    while (text.len > 0 && !d->failed) {
        const ssize_t done = write(STDOUT_FILENO, text.data, text.len);
        if (done < 0 && errno != EINTR) {
            d->failed = true;
            (void)wzp_pcap_complain("standard output: %s", wzp_io_reason(errno));
        }
        const size_t len = done > 0 ? (size_t)done : 0;
        text = wzp_bytes_of(text.data + len, text.len - len);
    }
}

static void on_reading(void *ctx, bool waits) {
    dump *d = ctx;
    const wzp_time now = wzp_io_now();
    if (waits || now - d->flushed >= FLUSH_AFTER) {
        wzp_pcap_text_flush(&d->text);
        d->flushed = now;
    }
}

/* --- messages --------------------------------------------------------------------------------- */

static bool is_malformed(const wzp_pcap_message *m) {
    return m->kind == WZP_PCAP_MESSAGE_PROBLEM || m->kind == WZP_PCAP_MESSAGE_DATAGRAM ||
           (m->kind == WZP_PCAP_MESSAGE_SIGNAL && m->signal->parsed == NULL);
}

static bool is_quic(const wzp_pcap_message *m, wzp_pcap_quic_kind kind) {
    return m->kind == WZP_PCAP_MESSAGE_QUIC && m->event != NULL && m->event->kind == kind;
}

/* CRYPTO, NEW_CONNECTION_ID, and pieces of streams that are not there all at once (RFC 9000, 19).
 */
static bool is_needed_frame(const wzp_pcap_quic_frame *frame) {
    const bool is_stream = frame->type >= 0x08 && frame->type <= 0x0f;
    return frame->type == 0x06 || frame->type == 0x18 ||
           (is_stream && (frame->stream_offset > 0 || !frame->fin));
}

/* Packet numbers are written in as little as one byte, for whoever has seen one not far before
 * (RFC 9000, A.3): so one packet in a while is kept of each direction.  Connections that share a
 * place keep more of them. */
static bool is_milestone(dump *d, const wzp_pcap_message *m) {
    if (!is_quic(m, WZP_PCAP_QUIC_PACKET) || m->event->packet->type != WZP_PCAP_QUIC_1RTT) {
        return false;
    }
    uint8_t *since =
        &d->since_kept[(m->conn->number * 2 + m->to_server) % WZP_COUNT_OF(d->since_kept)];
    *since = *since + 1 < MILESTONE ? (uint8_t)(*since + 1) : 0;
    return *since == 0;
}

/* What other packets cannot be decoded without. */
static bool is_needed(dump *d, const wzp_pcap_message *m) {
    return is_milestone(d, m) || is_quic(m, WZP_PCAP_QUIC_OPENED) ||
           is_quic(m, WZP_PCAP_QUIC_PATH) ||
           (is_quic(m, WZP_PCAP_QUIC_FRAME) && is_needed_frame(m->event->frame));
}

static void print(dump *d, const wzp_pcap_message *m) {
    switch (asked.form) {
    case LINES:
        wzp_pcap_print_line(&d->text, m, d->first_ns);
        break;
    case TREES:
        wzp_pcap_print_tree(&d->text, &d->tree);
        break;
    case JSON:
        wzp_pcap_print_json(&d->text, &d->tree);
        break;
    case CSV:
        wzp_pcap_print_csv(&d->text, &d->tree, d->columns, d->column_count);
        break;
    }
}

static void on_message(void *ctx, const wzp_pcap_message *m) {
    dump *d = ctx;
    if (!d->has_first && m->time_ns != 0) {
        d->has_first = true;
        d->first_ns = m->time_ns;
    }
    d->malformed += is_malformed(m);
    d->kept.wanted = d->kept.wanted || is_needed(d, m);
    if ((!asked.frames && is_quic(m, WZP_PCAP_QUIC_FRAME)) ||
        (!asked.packets && is_quic(m, WZP_PCAP_QUIC_PACKET))) {
        return; /* told for the line above only */
    }
    if (d->filter != NULL || asked.form != LINES) {
        wzp_pcap_tree_build(&d->tree, m, d->first_ns);
    }
    if (d->filter != NULL && !wzp_pcap_filter_matches(d->filter, &d->tree)) {
        return;
    }
    d->shown++;
    if (asked.write == NULL) {
        print(d, m);
    } else {
        d->kept.wanted = d->kept.wanted || m->packet != NULL;
        d->late += m->packet == NULL && m->packet_number != 0;
    }
}

static void on_item(void *ctx, const wzp_pcap_item *item) {
    dump *d = ctx;
    wzp_pcap_kept_item(&d->kept, item);
}

/* --- what was asked for ----------------------------------------------------------------------- */

static void list_fields(void) {
    static const char *const types[] = {"",      "number", "0 or 1", "seconds",
                                        "bytes", "text",   "address"};
    for (unsigned i = 0; i < WZP_PCAP_FIELD_COUNT; i++) {
        const wzp_pcap_field_info *info = wzp_pcap_field_info_of(i);
        (void)printf("%-40s %-8s %s\n", info->name, types[info->type], info->what);
    }
}

/* Names joined by commas. */
static bool take_columns(dump *d, const char *names) {
    for (const char *at = names; at != NULL;) {
        const size_t len = strcspn(at, ",");
        const int id = wzp_pcap_field_by_name(wzp_bytes_of(at, len));
        if (id < 0) {
            return wzp_pcap_complain("--fields: there is no field '%.*s'; --fields help lists them",
                                     (int)len, at);
        }
        if (d->column_count == COLUMNS_MAX) {
            return wzp_pcap_complain("--fields takes at most %d names", COLUMNS_MAX);
        }
        d->columns[d->column_count++] = (unsigned)id;
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    return true;
}

static bool compile(dump *d) {
    wzp_pcap_filter_error why;
    if (asked.filter == NULL) {
        return true;
    }
    const wzp_err err = wzp_pcap_filter_new(&d->filter, wzp_bytes_str(asked.filter), &why);
    if (err == WZP_OK) {
        return true;
    }
    if (err == WZP_ERR_NOMEM) {
        return wzp_pcap_complain("no memory for the filter");
    }
    (void)wzp_pcap_complain("filter, column %zu: %s", why.column, why.text);
    (void)fprintf(stderr, "  %s\n  %*s^\n", asked.filter, (int)(why.column - 1), "");
    return false;
}

static bool prepare(dump *d) {
    static const char default_columns[] =
        "frame.number,frame.time_epoch,ip.src,ip.dst,ipv6.src,ipv6.dst,udp.srcport,udp.dstport,"
        "wzp.conn,wzp.event,wzp.shape,wzp.media_type,wzp.codec,wzp.stream_id,wzp.seq,"
        "wzp.timestamp_ms,wzp.flags,wzp.fec_ratio,wzp.fec_block,wzp.fec_symbol,wzp.frag.index,"
        "wzp.frag.count,wzp.payload.length,wzp.quality.loss,wzp.quality.rtt,wzp.quality.jitter,"
        "wzp.quality.cap,wzp.signal.type,wzp.error";
    if (!compile(d) || (asked.form == CSV &&
                        !take_columns(d, asked.fields != NULL ? asked.fields : default_columns))) {
        return false;
    }
    if (asked.form == CSV && asked.write == NULL) {
        wzp_pcap_print_csv_head(&d->text, d->columns, d->column_count);
    }
    return true;
}

static int finish(dump *d, const wzp_pcap_source *source, int status) {
    wzp_pcap_text_flush(&d->text);
    if (!d->options->quiet && (status == -1 || source->read.packets > 0)) {
        wzp_pcap_summary(stderr, source);
        if (d->late > 0) {
            (void)fprintf(stderr, "  %" PRIu64 " matches are not in %s: opened after their time\n",
                          d->late, asked.write);
        }
    }
    if (status != -1 || d->failed) {
        return EXIT_UNREADABLE;
    }
    return asked.strict && d->malformed > 0 ? EXIT_FINDINGS : EXIT_GOOD;
}

static int listen_at(wzp_pcap_source *source, const char *interface) {
#ifdef WZP_HAVE_PCAP
    return wzp_pcap_source_listen(source, interface);
#else
    (void)source;
    (void)wzp_pcap_complain("%s: this build has no libpcap; pipe tcpdump -U -w - into dump -",
                            interface);
    return EXIT_UNREADABLE;
#endif
}

static int dump_file(dump *d, const char *path) {
    const wzp_pcap_decoder_cfg cfg = {.sink = on_message,
                                      .sink_ctx = d,
                                      .frames = asked.frames || asked.write != NULL,
                                      .packets = asked.packets || asked.write != NULL,
                                      .waits_for_secrets = d->options->keylog_count > 0,
                                      .legacy_nonce = d->options->legacy_nonce};
    wzp_pcap_source source = {.options = d->options,
                              .item = asked.write != NULL ? on_item : NULL,
                              .reading = on_reading,
                              .ctx = d};
    if (wzp_pcap_decoder_new(&source.decoder, &cfg) != WZP_OK) {
        (void)wzp_pcap_complain("no memory for a decoder");
        return EXIT_UNREADABLE;
    }
    int status = wzp_pcap_source_keys(d->options, source.decoder);
    if (status == -1) {
        status = finish(d, &source,
                        asked.interface != NULL ? listen_at(&source, asked.interface)
                                                : wzp_pcap_source_run(&source, path));
    }
    wzp_pcap_decoder_free(&source.decoder);
    return status;
}

static int run(const wzp_pcap_options *options) {
    if (asked.fields != NULL && strcmp(asked.fields, "help") == 0) {
        list_fields();
        return EXIT_GOOD;
    }
    if (options->arg_count != (asked.interface != NULL ? 0 : 1)) {
        (void)wzp_pcap_complain("dump takes one file, or - for standard input, or -i; see --help");
        return EXIT_USAGE;
    }
    dump *d = calloc(1, sizeof *d);
    if (d == NULL) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    d->options = options;
    d->text.sink = to_stdout;
    d->text.ctx = d;
    int status = EXIT_USAGE;
    if (prepare(d)) {
        status = EXIT_UNREADABLE;
        if (asked.write == NULL ||
            wzp_pcap_kept_open(&d->kept, asked.write, asked.filter == NULL)) {
            status = dump_file(d, options->args[0]);
        }
        if (!wzp_pcap_kept_close(&d->kept)) {
            status = EXIT_UNREADABLE;
        }
    }
    wzp_pcap_filter_free(&d->filter);
    free(d);
    return status;
}

const wzp_pcap_verb wzp_pcap_verb_dump = {
    .name = "dump",
    .args = "FILE",
    .about = "shows each media packet, signal and event of a connection",
    .help =
        "  -V, --tree           all fields, with the bytes that they are of\n"
        "  --json               a JSON object a line\n"
        "  --csv                comma-separated values, with a line of names\n"
        "  --fields A,B,...     these columns, implies --csv; 'help' lists all fields\n"
        "  -Y, --filter EXPR    only what matches, as wzp.seq >= 100 && wzp.codec == Opus24k;\n"
        "                       == != < <= > >= contains in {a, b} && || ! ( )\n"
        "  -w, --write F        pcapng of the packets that match, with the file's secrets and\n"
        "                       what these need to be decoded; prints no messages\n"
        "  -i, --interface IF   packets of a network interface in place of a file, until Ctrl-C;\n"
        "                       key logs may grow meanwhile\n"
        "  --packets            QUIC packets, too, those that cannot be opened among them\n"
        "  --frames             QUIC frames, too\n"
        "  --strict             exit status 1 if anything is malformed\n"
        "\n"
        "Example: wzp-pcap dump -Y 'wzp.signal.type == \"Hangup\"' --json call.pcapng\n",
    .shorts = "VY:w:i:",
    .options = longs,
    .take = take,
    .run = run,
};
