#include "tools/pcap/tree/print.h"

#include <jansson.h>

#include "tools/pcap/decode/core.h"
#include "wire/testing/bytes.h"

/* What a core says goes through all printers at once. */
typedef struct shown {
    size_t len, lines;
    char text[32768];
} shown;

typedef struct printers {
    wzp_pcap_core core;
    wzp_pcap_tree tree;
    wzp_pcap_text line, full, json, csv;
    shown line_out, full_out, json_out, csv_out;
} printers;

static printers all;

static void keep(void *ctx, wzp_bytes text) {
    shown *s = ctx;
    ck_assert_uint_lt(s->len + text.len, sizeof s->text);
    memcpy(s->text + s->len, text.data, text.len);
    s->len += text.len;
    s->text[s->len] = '\0';
}

static const unsigned columns[] = {WZP_PCAP_FIELD_FRAME_NUMBER, WZP_PCAP_FIELD_EVENT,
                                   WZP_PCAP_FIELD_SEQ, WZP_PCAP_FIELD_SIGNAL_JSON,
                                   WZP_PCAP_FIELD_PARAM_TYPE};

static void print(void *ctx, const wzp_pcap_message *message) {
    printers *p = ctx;
    wzp_pcap_tree_build(&p->tree, message, 1000000);
    wzp_pcap_print_line(&p->line, message, 1000000);
    wzp_pcap_print_tree(&p->full, &p->tree);
    wzp_pcap_print_json(&p->json, &p->tree);
    wzp_pcap_print_csv(&p->csv, &p->tree, columns, WZP_COUNT_OF(columns));
}

static void open_text(wzp_pcap_text *text, shown *out) {
    text->sink = keep;
    text->ctx = out;
    text->len = 0;
    out->len = 0;
    out->text[0] = '\0';
}

static void begin(void) {
    const wzp_pcap_decoder_cfg cfg = {.sink = print, .sink_ctx = &all, .packets = true};
    open_text(&all.line, &all.line_out);
    open_text(&all.full, &all.full_out);
    open_text(&all.json, &all.json_out);
    open_text(&all.csv, &all.csv_out);
    ck_assert_int_eq(wzp_pcap_core_init(&all.core, &cfg), WZP_OK);
}

static void end(void) {
    wzp_pcap_core_end(&all.core);
    wzp_pcap_core_clear(&all.core);
    wzp_pcap_text_flush(&all.line);
    wzp_pcap_text_flush(&all.full);
    wzp_pcap_text_flush(&all.json);
    wzp_pcap_text_flush(&all.csv);
}

static const wzp_addr client = {WZP_ADDR_V4, 5000, {10, 0, 0, 2}};
static const wzp_addr server = {WZP_ADDR_V4, 4433, {10, 0, 0, 1}};

static wzp_pcap_quic_event make(wzp_pcap_quic_kind kind) {
    return (wzp_pcap_quic_event){.kind = kind,
                                 .conn = 1,
                                 .to_server = true,
                                 .packet_number = 7,
                                 .time_ns = 2500000,
                                 .src = &client,
                                 .dst = &server};
}

static void tell_hello(const char *sni) {
    wzp_pcap_quic_hello hello = {.alpn = "wzp"};
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_HELLO);
    (void)snprintf(hello.sni, sizeof hello.sni, "%s", sni);
    event.hello = &hello;
    wzp_pcap_core_event(&all.core, &event);
}

static void tell_datagram(const char *hex) {
    uint8_t buf[256];
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_DATAGRAM);
    event.data = unhex(buf, sizeof buf, hex);
    wzp_pcap_core_event(&all.core, &event);
}

static void tell_stream(wzp_bytes data) {
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_STREAM);
    event.data = data;
    event.fin = true;
    wzp_pcap_core_event(&all.core, &event);
}

#define HEAD "      7 0.001500 10.0.0.2:5000 > 10.0.0.1:4433 #1 "

static const struct line_case {
    const char *name, *sni, *hex, *want;
} line_cases[] = {
    {"audio with a report", "room", "02400002002000000064000007d00001 7465 194b0a64",
     "audio Opus6k stream=0 seq=100 ts=2000 len=2 fec=0:1 report loss=10% rtt=300 jitter=10 "
     "cap=100\n"},
    {"video", "room", "02300109000000000002000000210203 0000",
     "video H264Baseline stream=0 seq=2 ts=33 len=2 frag=2/3 key end\n"},
    {"repair and reserved bits", "room", "028f000300320000000500000064 0502 aa",
     "audio Codec2_3200 stream=0 seq=5 ts=100 len=1 fec=5:2 repair reserved-bits\n"},
    {"federation", "_federation", "0feae16d55365acf 02000000000000000001000000140000 61",
     "audio Opus24k stream=0 seq=1 ts=20 len=1 federation 0feae16d55365acf\n"},
    {"trunk", "room", "0001 abcd 0011 02000000000000000001000000140000 61",
     "audio Opus24k stream=0 seq=1 ts=20 len=1 trunk abcd/0 guessed\n"},
    {"bad", "room", "0300000000000000000100000014000061",
     "bad datagram of 17 bytes: version byte is not 2 (version) at byte 0, value 3\n"},
};

START_TEST(lines) {
    const struct line_case *c = &line_cases[_i];
    char want[512];
    begin();
    tell_hello(c->sni);
    tell_datagram(c->hex);
    end();
    (void)snprintf(want, sizeof want, HEAD "hello sni=%s (%s) alpn=wzp\n" HEAD "%s", c->sni,
                   c->sni[0] == '_' ? "federation" : "room", c->want);
    ck_assert_msg(strcmp(all.line_out.text, want) == 0, "%s:\n%s", c->name, all.line_out.text);
}
END_TEST

START_TEST(tree) {
    begin();
    tell_hello("room");
    all.full.len = 0; /* the hello is not what is looked at */
    tell_datagram("02700109000000000002000000210203 0a0b 194b0a64");
    end();
    static const char want[] = "Packet\n"
                               "    Number in the capture: 7\n"
                               "    Seconds since 1970: 0.002500000\n"
                               "    Seconds since the first: 0.001500000\n"
                               "Addresses\n"
                               "    Source: 10.0.0.2\n"
                               "    Destination: 10.0.0.1\n"
                               "    Source port: 5000\n"
                               "    Destination port: 4433\n"
                               "QUIC\n"
                               "WZP\n"
                               "    What: media\n"
                               "    Connection: 1\n"
                               "    Role of the connection: room\n"
                               "    Server name of the connection: room\n"
                               "    Towards the server: yes\n"
                               "    Form of the datagram: plain\n"
                               "    Version: 2  [0]\n"
                               "    Flags: 112  [1]\n"
                               "        T: repair symbol: no  [1]\n"
                               "        Q: quality report follows: yes  [1]\n"
                               "        K: key frame: yes  [1]\n"
                               "        E: frame ends: yes  [1]\n"
                               "        Reserved bits: 0  [1]\n"
                               "    Media type: 1 (Video)  [2]\n"
                               "    Codec: 9 (H264Baseline)  [3]\n"
                               "    Stream: 0  [4]\n"
                               "    FEC ratio, percent: 0  [5]\n"
                               "    Sequence: 2  [6-9]\n"
                               "    Timestamp, ms: 33  [10-13]\n"
                               "    Fragment: 2  [14]\n"
                               "    Fragments of the frame: 3  [15]\n"
                               "    Payload: 0a0b  [16-17]\n"
                               "    Payload length: 2\n"
                               "    Encryption: unknown\n"
                               "    Loss, of 255: 25  [18]\n"
                               "    Round trip, 4 ms: 75  [19]\n"
                               "    Jitter, ms: 10  [20]\n"
                               "    Bitrate cap, kbit/s: 100  [21]\n"
                               "\n";
    ck_assert_msg(strcmp(all.full_out.text, want) == 0, "got:\n%s", all.full_out.text);
}
END_TEST

/* Whatever is in a capture, each line of JSON is JSON. */
START_TEST(json) {
    static const char wild[] = "\0\0\0\x12{\"Pi\"\x80\xff,\0\n\r\"\\\x7f\xc3\xa9";
    wzp_pcap_quic_params params = {.count = 2,
                                   .list = {{.id = 1, .is_number = true, .value = 30000},
                                            {.id = 4, .is_number = true, .value = UINT64_MAX}}};
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_PARAMS);
    begin();
    tell_hello("ro\"om\\");
    for (size_t i = 0; i < WZP_COUNT_OF(line_cases); i++) {
        tell_datagram(line_cases[i].hex);
    }
    tell_stream(wzp_bytes_of(wild, sizeof wild - 1));
    event.params = &params;
    wzp_pcap_core_event(&all.core, &event);
    end();
    size_t count = 0;
    for (char *line = all.json_out.text; *line != '\0'; count++) {
        json_error_t error;
        char *next = strchr(line, '\n');
        ck_assert_ptr_nonnull(next);
        json_t *object = json_loadb(line, (size_t)(next - line), JSON_REJECT_DUPLICATES, &error);
        if (strstr(line, "tls.quic") == NULL) { /* 2^64 - 1 is too much for jansson */
            ck_assert_msg(object != NULL, "%s: %.*s", error.text, (int)(next - line), line);
            ck_assert_int_eq(json_integer_value(json_object_get(object, "frame.number")), 7);
        }
        json_decref(object);
        line = next + 1;
    }
    ck_assert_uint_eq(count, 9);
    ck_assert_ptr_nonnull(strstr(all.json_out.text, "\"tls.quic.parameter.type\":[1,4],"
                                                    "\"wzp.quic.parameter.number\":[30000,"
                                                    "18446744073709551615]"));
}
END_TEST

START_TEST(csv) {
    wzp_pcap_quic_params params = {.count = 2,
                                   .list = {{.id = 1, .is_number = true, .value = 30000},
                                            {.id = 4, .is_number = true, .value = 5}}};
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_PARAMS);
    begin();
    wzp_pcap_print_csv_head(&all.csv, columns, WZP_COUNT_OF(columns));
    tell_datagram("02300109000000000002000000210203 0000");
    tell_stream(wzp_bytes_of("\0\0\0\x16{\"Hold\":{\"version\":1}}", 26));
    event.params = &params;
    wzp_pcap_core_event(&all.core, &event);
    end();
    ck_assert_str_eq(all.csv_out.text,
                     "frame.number,wzp.event,wzp.seq,wzp.signal.json,tls.quic.parameter.type\n"
                     "7,media,2,,\n"
                     "7,signal,,\"{\"\"Hold\"\":{\"\"version\"\":1}}\",\n"
                     "7,params,,,\"1,4\"\n");
}
END_TEST

/* What several fields of one name hold stays inside their cell. */
START_TEST(csv_of_several) {
    static const unsigned column[] = {WZP_PCAP_FIELD_TLS_ALPN};
    wzp_pcap_tree twice = {
        .count = 2, .list = {{.id = WZP_PCAP_FIELD_TLS_ALPN}, {.id = WZP_PCAP_FIELD_TLS_ALPN}}};
    twice.list[0].u.bytes = wzp_bytes_str("=a\"");
    twice.list[1].u.bytes = wzp_bytes_str("b\x1b");
    begin();
    wzp_pcap_print_csv(&all.csv, &twice, column, 1);
    end();
    ck_assert_str_eq(all.csv_out.text, "\"'=a\"\",b\xef\xbf\xbd\"\n");
}
END_TEST

/* The most fields that a message can have find place. */
START_TEST(largest) {
    static wzp_pcap_quic_params params = {.count = WZP_PCAP_QUIC_PARAMS_MAX};
    const wzp_pcap_quic_packet packet = {
        .type = WZP_PCAP_QUIC_HANDSHAKE, .version = 1, .late = true};
    const wzp_pcap_quic_frame frame = {.type = 6};
    wzp_pcap_quic_event event = make(WZP_PCAP_QUIC_PARAMS);
    event.params = &params;
    event.packet = &packet;
    event.frame = &frame;
    begin();
    wzp_pcap_core_event(&all.core, &event);
    ck_assert_uint_lt(all.tree.count, WZP_PCAP_TREE_MAX - 1);
    ck_assert_uint_gt(all.tree.count, (size_t)2 * WZP_PCAP_QUIC_PARAMS_MAX);
    end();
}
END_TEST

/* Names are what filters, columns and the Lua dissector go by: none twice. */
START_TEST(names) {
    for (unsigned i = 0; i < WZP_PCAP_FIELD_COUNT; i++) {
        ck_assert_int_eq(wzp_pcap_field_by_name(wzp_bytes_str(wzp_pcap_field_info_of(i)->name)),
                         (int)i);
    }
    ck_assert_int_eq(wzp_pcap_field_by_name(wzp_bytes_str("wzp.")), -1);
    ck_assert_int_eq(wzp_pcap_field_value_by_name(WZP_PCAP_FIELD_CODEC, wzp_bytes_str("Opus24k")),
                     0);
    ck_assert_ptr_null(wzp_pcap_field_value_name(WZP_PCAP_FIELD_CODEC, 256));
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("print");
    tcase_add_loop_test(tc, lines, 0, WZP_COUNT_OF(line_cases));
    tcase_add_test(tc, tree);
    tcase_add_test(tc, json);
    tcase_add_test(tc, csv);
    tcase_add_test(tc, csv_of_several);
    tcase_add_test(tc, largest);
    tcase_add_test(tc, names);
    return wzp_run_suite("print", tc);
}
