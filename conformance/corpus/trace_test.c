#include "conformance/corpus/trace.h"

#include <string.h>

#include "base/testing/suite.h"

#define HEADS "wzp-trace 1\nname n\nwhat Some words\nlabel abuse D 8000\nencrypted yes\n"
#define PACKET "packet 20000 audio Opus24k QE 3 7 140 76\n"

static wzp_bytes text_of(const char *text) {
    return wzp_bytes_of((const uint8_t *)text, strlen(text));
}

START_TEST(all_fields_are_read) {
    wzp_trace t;
    wzp_trace_fault fault;
    ck_assert_int_eq(wzp_trace_parse(&t, text_of(HEADS "# said\n\n" PACKET), &fault), WZP_OK);
    ck_assert_str_eq(t.name, "n");
    ck_assert_str_eq(t.what, "Some words");
    ck_assert_int_eq(t.tier, 'D');
    ck_assert_uint_eq(t.within, 8 * WZP_S);
    ck_assert(t.is_encrypted);
    ck_assert_uint_eq(t.count, 1);
    const wzp_trace_packet *p = &t.packets[0];
    ck_assert_uint_eq(p->at, 20 * WZP_MS);
    ck_assert_uint_eq(p->hdr.version, 2);
    ck_assert_uint_eq(p->hdr.flags, WZP_MEDIA_QUALITY | WZP_MEDIA_FRAME_END);
    ck_assert_uint_eq(p->hdr.media_type, WZP_MEDIA_AUDIO);
    ck_assert_uint_eq(p->hdr.codec_id, WZP_CODEC_OPUS_24K);
    ck_assert_uint_eq(p->hdr.stream_id, 3);
    ck_assert_uint_eq(p->hdr.seq, 7);
    ck_assert_uint_eq(p->hdr.timestamp_ms, 140);
    ck_assert_uint_eq(p->payload, 76);
    wzp_trace_clear(&t);
}
END_TEST

static const struct {
    const char *name, *text;
    unsigned line;
    const char *why; /* a part of it */
} faults[] = {{"nothing", "", 0, "wzp-trace 1"},
              {"another version", "wzp-trace 2\n", 1, "wzp-trace 1"},
              {"no heads", "wzp-trace 1\n" PACKET, 2, "without name"},
              {"no packet", HEADS, 5, "no packet"},
              {"unknown word", HEADS "paket 1\n", 6, "unknown word"},
              {"twice", HEADS "name m\n", 6, "twice"},
              {"empty name", "wzp-trace 1\nname \n", 2, "empty or too long"},
              {"a bell", "wzp-trace 1\nname a\ab\n", 2, "printable"},
              {"no label", "wzp-trace 1\nlabel good\n", 2, "legitimate"},
              {"no such tier", "wzp-trace 1\nlabel abuse G 1\n", 2, "tier A to F"},
              {"no deadline", "wzp-trace 1\nlabel abuse A\n", 2, "ms"},
              {"neither", "wzp-trace 1\nencrypted maybe\n", 2, "'yes' or 'no'"},
              {"no time", HEADS "packet soon audio Opus24k - 0 1 2 3\n", 6, "time in us"},
              {"time goes back", HEADS PACKET "packet 1 audio Opus24k - 0 1 2 3\n", 7, "goes back"},
              {"no type", HEADS "packet 1 Audio Opus24k - 0 1 2 3\n", 6, "expected audio"},
              {"no codec", HEADS "packet 1 audio opus24k - 0 1 2 3\n", 6, "no such codec"},
              {"no flag", HEADS "packet 1 audio Opus24k X 0 1 2 3\n", 6, "T Q K E"},
              {"stream too large", HEADS "packet 1 audio Opus24k - 256 1 2 3\n", 6, "0 to 255"},
              {"seq too large", HEADS "packet 1 audio Opus24k - 0 4294967296 2 3\n", 6, "32 bits"},
              {"bytes too many", HEADS "packet 1 audio Opus24k - 0 1 2 65536\n", 6, "65535"},
              {"bytes missing", HEADS "packet 1 audio Opus24k - 0 1 2\n", 6, "bytes"},
              {"a word more", HEADS "packet 1 audio Opus24k - 0 1 2 3 4\n", 6, "more words"}};

START_TEST(faults_are_named_with_their_line) {
    wzp_trace t;
    wzp_trace_fault fault = {0, ""};
    ck_assert_msg(wzp_trace_parse(&t, text_of(faults[_i].text), &fault) == WZP_ERR_PARSE, "%s",
                  faults[_i].name);
    ck_assert_msg(fault.line == faults[_i].line, "%s: line %u", faults[_i].name, fault.line);
    ck_assert_msg(strstr(fault.why, faults[_i].why) != NULL, "%s: %s", faults[_i].name, fault.why);
    ck_assert_ptr_null(t.packets);
}
END_TEST

START_TEST(what_is_written_reads_the_same) {
    static const char text[] =
        HEADS PACKET "packet 30000 video Av1Main TK 255 4294967295 0 65535\n";
    char written[sizeof text] = "";
    char line[WZP_TRACE_LINE_MAX];
    wzp_trace t;
    wzp_trace_fault fault;
    ck_assert_int_eq(wzp_trace_parse(&t, text_of(text), &fault), WZP_OK);
    for (size_t i = 0; i < WZP_TRACE_HEADS; i++) {
        wzp_trace_head(&t, i, line);
        strncat(written, line, sizeof written - strlen(written) - 1);
    }
    for (size_t i = 0; i < t.count; i++) {
        wzp_trace_line(&t.packets[i], line);
        strncat(written, line, sizeof written - strlen(written) - 1);
    }
    ck_assert_str_eq(written, text);
    wzp_trace_clear(&t);
}
END_TEST

START_TEST(every_prefix_is_whole_or_refused) {
    static const char text[] = HEADS "packet 1 audio Opus24k - 0 1 2 3\n";
    for (size_t len = 0; len < sizeof text; len++) {
        wzp_trace t;
        wzp_trace_fault fault = {0, NULL};
        const bool whole = len + 3 > sizeof text; /* without the last byte or its line's end too */
        const wzp_err err = wzp_trace_parse(&t, wzp_bytes_of((const uint8_t *)text, len), &fault);
        ck_assert_msg((err == WZP_OK) == whole, "%zu bytes", len);
        ck_assert(err == WZP_OK || fault.why != NULL);
        wzp_trace_clear(&t);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, all_fields_are_read);
    tcase_add_loop_test(tc, faults_are_named_with_their_line, 0, WZP_COUNT_OF(faults));
    tcase_add_test(tc, what_is_written_reads_the_same);
    tcase_add_test(tc, every_prefix_is_whole_or_refused);
    return wzp_run_suite("trace", tc);
}
