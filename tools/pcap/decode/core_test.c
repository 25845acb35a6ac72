#include "tools/pcap/decode/core.h"

#include "tools/pcap/decode/names.h"
#include "tools/pcap/decode/testing/events.h"
#include "wire/testing/bytes.h"

/* --- connections ------------------------------------------------------------------------------ */

static const struct role_case {
    const char *sni;
    wzp_pcap_role want;
} role_cases[] = {
    {"", WZP_PCAP_ROLE_ROOM},
    {"general", WZP_PCAP_ROLE_ROOM},
    {"android", WZP_PCAP_ROLE_ROOM},
    {"call-c1", WZP_PCAP_ROLE_ROOM},
    {"call-call-c1", WZP_PCAP_ROLE_DIRECT},
    {"_signal", WZP_PCAP_ROLE_SIGNAL},
    {"_signals", WZP_PCAP_ROLE_ROOM},
    {"_federation", WZP_PCAP_ROLE_FEDERATION},
    {"_relay", WZP_PCAP_ROLE_FEDERATION},
    {"_probe", WZP_PCAP_ROLE_PROBE},
    {"ping", WZP_PCAP_ROLE_PROBE},
    {"version", WZP_PCAP_ROLE_VERSION},
};

START_TEST(roles) {
    const struct role_case *c = &role_cases[_i];
    ck_assert_msg(wzp_pcap_role_of(c->sni) == c->want, "%s: %s", c->sni,
                  wzp_pcap_role_name(wzp_pcap_role_of(c->sni)));
}
END_TEST

/* Other protocols beside ours are left alone. */
START_TEST(foreign) {
    static const struct alpn_case {
        const char *alpn;
        wzp_pcap_message_kind want;
    } cases[] = {{"h3", WZP_PCAP_MESSAGE_QUIC},
                 {"wzp", WZP_PCAP_MESSAGE_MEDIA},
                 {"h3,wzp", WZP_PCAP_MESSAGE_MEDIA},
                 {"wzp2,xwzp", WZP_PCAP_MESSAGE_QUIC},
                 {"", WZP_PCAP_MESSAGE_QUIC}};
    uint8_t buf[32];
    for (size_t i = 0; i < WZP_COUNT_OF(cases); i++) {
        ears_begin(false);
        tell_hello(1, "room", cases[i].alpn);
        tell_datagram(1, true, unhex(buf, sizeof buf, "02000000000000000001000000140000"));
        ck_assert_uint_eq(ears.count, 2);
        ck_assert_msg(ears.list[1].kind == cases[i].want, "%s", cases[i].alpn);
        ears_end();
    }
}
END_TEST

/* The quietest connection goes when there is no place left, and it is said. */
START_TEST(forgetting) {
    const wzp_bytes nothing = {0};
    ears_begin(false);
    for (uint32_t i = 1; i <= WZP_PCAP_CONNS_MAX; i++) {
        tell_stream(i, 0, 0, nothing, false);
    }
    tell_stream(1, 0, 0, nothing, false); /* so the second one is the oldest */
    ck_assert_uint_eq(ears.count, 0);
    tell_stream(WZP_PCAP_CONNS_MAX + 1, 0, 0, nothing, false);
    ck_assert_uint_eq(ears.count, 1);
    ck_assert_int_eq(ears.list[0].kind, WZP_PCAP_MESSAGE_FORGOTTEN);
    ck_assert_uint_eq(ears.list[0].conn, 2);
    ck_assert_uint_eq(ears.core.conns.count, WZP_PCAP_CONNS_MAX);
    ears_end();
}
END_TEST

/* --- datagrams -------------------------------------------------------------------------------- */

#define PLAIN "02000000000000000001000000140000 616263"
#define OTHER "02000000000000000002000000280000 64656667"

static const struct shape_case {
    const char *name, *sni; /* NULL: the hello was not seen */
    const char *hex;
    size_t media; /* packets; the last one is looked at */
    wzp_pcap_shape shape;
    bool guessed;
    wzp_err fail; /* of the datagram that is none */
    uint32_t seq;
} shape_cases[] = {
    {"plain in a room", "room", PLAIN, 1, WZP_PCAP_PLAIN, false, WZP_OK, 1},
    {"plain between clients", "call-call-1", PLAIN, 1, WZP_PCAP_PLAIN, false, WZP_OK, 1},
    {"plain without a hello", NULL, PLAIN, 1, WZP_PCAP_PLAIN, true, WZP_OK, 1},
    {"plain where none should be", "_signal", PLAIN, 1, WZP_PCAP_PLAIN, true, WZP_OK, 1},
    {"federation", "_federation", "0feae16d55365acf" PLAIN, 1, WZP_PCAP_FEDERATION, false, WZP_OK,
     1},
    {"federation without a hello", NULL, "0feae16d55365acf" PLAIN, 1, WZP_PCAP_FEDERATION, true,
     WZP_OK, 1},
    {"federation in a room", "room", "0feae16d55365acf" PLAIN, 0, 0, false, WZP_ERR_VERSION, 0},
    {"federation, short", "_federation", "020000000000000000010000", 0, 0, false, WZP_ERR_TRUNCATED,
     0},
    {"plain on a federation link", "_federation", PLAIN, 0, 0, false, WZP_ERR_TRUNCATED, 0},
    {"trunk", "room", "0002 abcd 0013" PLAIN "abcd 0014" OTHER, 2, WZP_PCAP_TRUNK, true, WZP_OK, 2},
    {"trunk with a byte too many", "room", "0002 abcd 0013" PLAIN "abcd 0014" OTHER "00", 0, 0,
     false, WZP_ERR_VERSION, 0},
    {"trunk with a bad entry", "room", "0002 abcd 0013" PLAIN "abcd 0002 0200", 1, WZP_PCAP_TRUNK,
     true, WZP_ERR_TRUNCATED, 1},
    {"trunk of no entries", "room", "0000", 0, 0, false, WZP_ERR_TRUNCATED, 0},
    {"full", "room", "00" PLAIN, 1, WZP_PCAP_FULL, true, WZP_OK, 1},
    {"mini without a full one", "room", "01 01 0014 0003 616263", 0, 0, false, WZP_ERR_TRUNCATED,
     0},
    {"version 1", "room", "00000001000000140000000000010203040506", 0, 0, false, WZP_ERR_VERSION,
     0},
    {"unknown codec", "room", "0200000a000000000001000000140000", 0, 0, false, WZP_ERR_CODEC, 0},
    {"nothing", "room", "", 0, 0, false, WZP_ERR_TRUNCATED, 0},
};

START_TEST(shapes) {
    const struct shape_case *c = &shape_cases[_i];
    uint8_t buf[200];
    ears_begin(false);
    if (c->sni != NULL) {
        tell_hello(1, c->sni, "wzp");
    }
    const size_t before = ears.count;
    tell_datagram(1, false, unhex(buf, sizeof buf, c->hex));
    size_t media = 0;
    wzp_err fail = WZP_OK;
    for (size_t i = before; i < ears.count; i++) {
        const heard *h = &ears.list[i];
        if (h->kind == WZP_PCAP_MESSAGE_MEDIA) {
            media++;
            ck_assert_msg(h->media.shape == c->shape, "%s: shape %d", c->name, h->media.shape);
            ck_assert_msg(h->media.guessed == c->guessed, "%s: guessed", c->name);
            ck_assert_uint_eq(h->media.packet.hdr.seq, media + c->seq - c->media);
        } else {
            ck_assert_int_eq(h->kind, WZP_PCAP_MESSAGE_DATAGRAM);
            fail = h->fail.code;
        }
    }
    ck_assert_msg(media == c->media, "%s: %zu packets", c->name, media);
    ck_assert_msg(fail == c->fail, "%s: %s", c->name, wzp_err_name(fail));
    ck_assert_uint_eq(ears.core.counters.media, media);
    ck_assert_uint_eq(ears.core.counters.datagrams_bad, fail != WZP_OK);
    ears_end();
}
END_TEST

/* Every beginning of each of them is media or a datagram that is said to be none. */
START_TEST(prefixes) {
    const struct shape_case *c = &shape_cases[_i];
    uint8_t buf[200];
    const wzp_bytes whole = unhex(buf, sizeof buf, c->hex);
    for (size_t len = 0; len <= whole.len; len++) {
        ears_begin(false);
        uint8_t *copy = exact(whole.data, len);
        if (c->sni != NULL) {
            tell_hello(1, c->sni, "wzp");
        }
        const size_t before = ears.count;
        tell_datagram(1, true, wzp_bytes_of(copy, len));
        ck_assert_uint_gt(ears.count, before);
        free(copy);
        ears_end();
    }
}
END_TEST

/* Deltas count from the previous frame of their own direction; what fails changes nothing. */
START_TEST(minis) {
    static const struct step {
        const char *hex;
        bool to_server;
        wzp_pcap_message_kind want;
        uint32_t seq, timestamp;
    } steps[] = {
        {"0002000000000000000064000003e8000061", true, WZP_PCAP_MESSAGE_MEDIA, 100, 1000},
        {"01010014000162", true, WZP_PCAP_MESSAGE_MEDIA, 101, 1020},
        {"01010014000162", false, WZP_PCAP_MESSAGE_DATAGRAM, 0, 0},
        {"0101001400036263", true, WZP_PCAP_MESSAGE_DATAGRAM, 0, 0},
        {"02000000000000000500000000000000", true, WZP_PCAP_MESSAGE_MEDIA, 0x500, 0},
        {"01020028000163", true, WZP_PCAP_MESSAGE_MEDIA, 103, 1060},
    };
    uint8_t buf[64];
    ears_begin(false);
    tell_hello(1, "room", "wzp");
    for (size_t i = 0; i < WZP_COUNT_OF(steps); i++) {
        tell_datagram(1, steps[i].to_server, unhex(buf, sizeof buf, steps[i].hex));
        const heard *h = &ears.list[ears.count - 1];
        ck_assert_msg(h->kind == steps[i].want, "step %zu", i);
        if (h->kind == WZP_PCAP_MESSAGE_MEDIA) {
            ck_assert_msg(h->media.packet.hdr.seq == steps[i].seq, "step %zu", i);
            ck_assert_msg(h->media.packet.hdr.timestamp_ms == steps[i].timestamp, "step %zu", i);
        }
    }
    ears_end();
}
END_TEST

START_TEST(records) {
    uint8_t buf[64];
    wzp_pcap_packet packet = {.number = 9, .link_type = WZP_PCAP_LINK_MEDIA};
    packet.data = unhex(buf, sizeof buf, PLAIN);
    ears_begin(false);
    wzp_pcap_core_record(&ears.core, &packet);
    ck_assert_uint_eq(ears.count, 1);
    ck_assert_int_eq(ears.list[0].kind, WZP_PCAP_MESSAGE_MEDIA);
    ck_assert_int_eq(ears.list[0].media.seal, WZP_PCAP_SEAL_NO_KEY);
    ck_assert(!ears.list[0].media.guessed);
    ck_assert_uint_eq(ears.list[0].packet_number, 9);
    ears_end();
}
END_TEST

/* --- signals ---------------------------------------------------------------------------------- */

#define PING                                                                                       \
    "000000337b2250696e67223a7b2276657273696f6e223a312c2274696d657374616d705f6d73223a"             \
    "313734383136303030303030307d7d"

/* In two pieces, cut anywhere, the end with the second or by itself. */
START_TEST(pieces) {
    uint8_t buf[128];
    const wzp_bytes whole = unhex(buf, sizeof buf, PING);
    for (size_t cut = 0; cut <= whole.len; cut++) {
        ears_begin(false);
        tell_hello(1, "_signal", "wzp");
        tell_stream(1, 4, 0, wzp_bytes_of(whole.data, cut), false);
        const uint64_t first = next_packet;
        tell_stream(1, 4, cut, wzp_bytes_of(whole.data + cut, whole.len - cut), (cut & 1) != 0);
        tell_stream(1, 4, whole.len, wzp_bytes_of(NULL, 0), true);
        ck_assert_msg(ears.count == 2, "cut at %zu: %zu messages", cut, ears.count);
        ck_assert_str_eq(ears.list[1].signal, "Ping");
        ck_assert(ears.list[1].parsed);
        ck_assert_uint_eq(ears.list[1].json_len, whole.len - 4);
        ck_assert_uint_eq(ears.list[1].first_packet, cut == 0 ? first + 1 : first);
        ck_assert_uint_eq(ears.core.signals.held, 0);
        ears_end();
    }
}
END_TEST

static const struct signal_case {
    const char *name, *hex;
    size_t count; /* messages */
    const char *signal;
    wzp_err fail;
    bool fin;
} signal_cases[] = {
    {"bytes behind the message", PING "aabbcc", 1, "Ping", WZP_OK, true},
    {"no end of the stream", PING, 1, "Ping", WZP_OK, false},
    {"ends in the prefix", "0000", 1, "", WZP_ERR_SIGNAL_TRUNCATED, true},
    {"ends in the JSON", "0000000a 7b22", 1, "", WZP_ERR_SIGNAL_TRUNCATED, true},
    {"too large", "00100001", 1, "", WZP_ERR_SIGNAL_TOO_LARGE, false},
    {"no JSON", "00000003 616263", 1, "", WZP_ERR_SIGNAL_JSON, true},
    {"unknown", "0000000b 7b22506f6e6733223a317d", 1, "Pong3", WZP_ERR_SIGNAL_JSON, true},
    {"of length 0", "00000000", 1, "", WZP_ERR_SIGNAL_JSON, true},
    {"an empty stream", "", 0, "", WZP_OK, true},
};

START_TEST(signals) {
    const struct signal_case *c = &signal_cases[_i];
    uint8_t buf[128];
    ears_begin(false);
    tell_stream(1, 0, 0, unhex(buf, sizeof buf, c->hex), c->fin);
    ck_assert_msg(ears.count == c->count, "%s: %zu messages", c->name, ears.count);
    if (c->count > 0) {
        ck_assert_int_eq(ears.list[0].kind, WZP_PCAP_MESSAGE_SIGNAL);
        ck_assert_msg(ears.list[0].fail.code == c->fail, "%s: %s", c->name,
                      wzp_err_name(ears.list[0].fail.code));
        ck_assert_str_eq(ears.list[0].signal, c->signal);
        ck_assert(ears.list[0].parsed == (c->fail == WZP_OK));
    }
    ck_assert_uint_eq(ears.core.signals.held, 0);
    ears_end();
}
END_TEST

/* What is not whole when the capture ends is said then. */
START_TEST(unfinished) {
    uint8_t buf[16];
    ears_begin(false);
    tell_stream(1, 0, 0, unhex(buf, sizeof buf, "000000ff 7b"), false);
    ck_assert_uint_eq(ears.count, 0);
    wzp_pcap_core_end(&ears.core);
    ck_assert_uint_eq(ears.count, 1);
    ck_assert_int_eq(ears.list[0].fail.code, WZP_ERR_SIGNAL_TRUNCATED);
    ears_end();
}
END_TEST

/* Streams that stay open give way, the one that waited longest first; all are said. */
START_TEST(many_streams) {
    uint8_t buf[16];
    const wzp_bytes begun = unhex(buf, sizeof buf, "000000ff 7b");
    ears_begin(false);
    for (uint64_t i = 0; i < WZP_PCAP_SIGNALS_MAX + 5; i++) {
        tell_stream(1, i * 4, 0, begun, false);
    }
    ck_assert_uint_eq(ears.count, 5);
    ck_assert_int_eq(ears.list[0].fail.code, WZP_ERR_LIMIT);
    tell_stream(1, 0, begun.len, begun, false); /* given up: its rest is counted only */
    ck_assert_uint_eq(ears.count, 5);
    ck_assert_uint_eq(ears.core.signals.behind, begun.len);
    ears_end();
}
END_TEST

/* Unfinished signals of all connections share a limit. */
START_TEST(held_bytes) {
    enum { PIECE = 1 << 19 };
    static uint8_t piece[PIECE];
    static const uint8_t prefix[4] = {0x00, 0x10, 0x00, 0x00};
    ears_begin(false);
    for (uint32_t conn = 1; conn <= 80; conn++) {
        tell_stream(conn, 0, 0, wzp_bytes_of(prefix, 4), false);
        tell_stream(conn, 0, 4, wzp_bytes_of(piece, PIECE), false);
        ck_assert_uint_le(ears.core.signals.held, WZP_PCAP_SIGNAL_BYTES);
    }
    ck_assert_uint_gt(ears.count, 0);
    ck_assert_int_eq(ears.list[0].fail.code, WZP_ERR_LIMIT);
    ears_end();
}
END_TEST

/* One-way streams are text, as the answer to `version`. */
START_TEST(text) {
    ears_begin(false);
    tell_hello(1, "version", "wzp");
    tell_stream(1, 3, 0, wzp_bytes_str("0123abc"), true);
    ck_assert_uint_eq(ears.count, 2);
    ck_assert_int_eq(ears.list[1].kind, WZP_PCAP_MESSAGE_TEXT);
    ck_assert_uint_eq(ears.list[1].data_len, 7);
    ears_end();
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("core");
    tcase_add_loop_test(tc, roles, 0, WZP_COUNT_OF(role_cases));
    tcase_add_test(tc, foreign);
    tcase_add_test(tc, forgetting);
    tcase_add_loop_test(tc, shapes, 0, WZP_COUNT_OF(shape_cases));
    tcase_add_loop_test(tc, prefixes, 0, WZP_COUNT_OF(shape_cases));
    tcase_add_test(tc, minis);
    tcase_add_test(tc, records);
    tcase_add_test(tc, pieces);
    tcase_add_loop_test(tc, signals, 0, WZP_COUNT_OF(signal_cases));
    tcase_add_test(tc, unfinished);
    tcase_add_test(tc, many_streams);
    tcase_add_test(tc, held_bytes);
    tcase_add_test(tc, text);
    return wzp_run_suite("core", tc);
}
