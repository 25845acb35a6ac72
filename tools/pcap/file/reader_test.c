/* Captures built byte by byte: what they hold, what is wrong with them, cut and damaged ones. */
#include "tools/pcap/file/reader.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/rng.h"
#include "base/testing/suite.h"
#include "tools/pcap/file/testing/build.h"

#define S_NS UINT64_C(1000000000)

/* --- what a file says, as text ---------------------------------------------------------------- */

typedef struct said {
    size_t len;
    char text[1 << 20];
    wzp_pcap_form form;
    wzp_pcap_reader_counters count;
} said;

static void say(said *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(said *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(s->text + s->len, sizeof s->text - s->len, format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof s->text - s->len);
    s->len += (size_t)n;
}

static void say_bytes(said *s, wzp_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    assert(bytes.len * 3 < sizeof s->text - s->len);
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        if (c > ' ' && c < 0x7f && c != '%') {
            s->text[s->len++] = (char)c;
        } else {
            s->text[s->len++] = '%';
            s->text[s->len++] = digits[c >> 4];
            s->text[s->len++] = digits[c & 15];
        }
    }
    s->text[s->len] = '\0';
}

static void say_packet(said *s, const wzp_pcap_packet *p) {
    say(s, "%llu %llu.%09llu link %u if %u", (unsigned long long)p->number,
        (unsigned long long)(p->time_ns / S_NS), (unsigned long long)(p->time_ns % S_NS),
        p->link_type, p->interface);
    if (p->interface_name[0] != '\0') {
        say(s, " %s", p->interface_name);
    }
    if (p->way != WZP_PCAP_WAY_UNKNOWN) {
        say(s, p->way == WZP_PCAP_IN ? " in" : " out");
    }
    say(s, " ");
    say_bytes(s, p->data);
    if (p->original_len != p->data.len) {
        say(s, " of %u", p->original_len);
    }
    if (p->comment.len > 0) {
        say(s, " (");
        say_bytes(s, p->comment);
        say(s, ")");
    }
    say(s, "\n");
}

static void say_item(said *s, const wzp_pcap_item *item, wzp_bytes file) {
    switch (item->kind) {
    case WZP_PCAP_ITEM_PACKET:
        say_packet(s, &item->packet);
        if (s->form != WZP_PCAP_FORM_HEX) { /* the offset is that of these bytes */
            const wzp_bytes data = item->packet.data;
            assert(item->packet.offset + data.len <= file.len);
            assert(memcmp(file.data + item->packet.offset, data.data, data.len) == 0);
        }
        return;
    case WZP_PCAP_ITEM_SECRETS:
        say(s, item->media_keys ? "media keys " : "secrets ");
        say_bytes(s, item->text);
        say(s, "\n");
        return;
    case WZP_PCAP_ITEM_HEADER:
        say(s, "header ");
        say_bytes(s, item->text);
        say(s, "\n");
        return;
    case WZP_PCAP_ITEM_PROBLEM:
        say(s, "! %s, offset %llu, after %llu, got %llu\n", item->problem.text,
            (unsigned long long)item->problem.offset, (unsigned long long)item->problem.packet,
            (unsigned long long)item->problem.got);
        assert(item->problem.offset <= file.len);
    }
}

/* Reads all of it, in pieces of at most `piece` bytes. */
static void read_all(said *s, wzp_bytes file, size_t piece) {
    wzp_pcap_reader *reader = NULL;
    wzp_pcap_item item;
    size_t at = 0;
    s->len = 0;
    s->text[0] = '\0';
    if (wzp_pcap_reader_new(&reader) != WZP_OK) {
        abort();
    }
    for (bool ended = false; !ended;) {
        size_t cap = 0;
        uint8_t *room = wzp_pcap_reader_room(reader, &cap);
        assert(cap >= 65536);
        size_t len = file.len - at < cap ? file.len - at : cap;
        len = len < piece ? len : piece;
        if (len > 0) {
            memcpy(room, file.data + at, len);
        }
        at += len;
        ended = len == 0;
        wzp_pcap_reader_filled(reader, len);
        while (wzp_pcap_reader_next(reader, &item)) {
            s->form = wzp_pcap_reader_form(reader);
            say_item(s, &item, file);
        }
    }
    ck_assert(!wzp_pcap_reader_next(reader, &item));
    s->form = wzp_pcap_reader_form(reader);
    s->count = *wzp_pcap_reader_count(reader);
    ck_assert_uint_eq(s->count.bytes, file.len);
    wzp_pcap_reader_free(&reader);
    ck_assert_ptr_null(reader);
}

static said whole, pieces;

/* The same whatever the pieces are in which the file comes. */
static void check_says(const char *name, const build *b, const char *want) {
    read_all(&whole, built(b), SIZE_MAX);
    ck_assert_msg(strcmp(whole.text, want) == 0, "%s:\n%swant:\n%s", name, whole.text, want);
    read_all(&pieces, built(b), 1);
    ck_assert_msg(strcmp(pieces.text, want) == 0, "%s by byte:\n%s", name, pieces.text);
    read_all(&pieces, built(b), 7);
    ck_assert_msg(strcmp(pieces.text, want) == 0, "%s by seven:\n%s", name, pieces.text);
}

/* --- pcap ------------------------------------------------------------------------------------- */

static void two_packets(build *b) {
    put_pcap_packet(b, 1700000000, 5, 3, wzp_bytes_str("one"));
    put_pcap_packet(b, 1700000001, 999999, 9, wzp_bytes_str("two"));
}

static void pcap_little(build *b) {
    b->little = true;
    put_pcap_head(b, 0xa1b2c3d4, 1);
    two_packets(b);
}

static void pcap_big(build *b) {
    put_pcap_head(b, 0xa1b2c3d4, 101);
    two_packets(b);
}

static void pcap_little_nano(build *b) {
    b->little = true;
    put_pcap_head(b, 0xa1b23c4d, 0xf0000071); /* frame check sequences of 0 words are said */
    two_packets(b);
}

static void pcap_big_nano(build *b) {
    put_pcap_head(b, 0xa1b23c4d, 276);
    two_packets(b);
}

static void pcap_without_packets(build *b) {
    put_pcap_head(b, 0xa1b2c3d4, 1);
}

static void pcap_of_version_3(build *b) {
    put_u32(b, 0xa1b2c3d4);
    put_u16(b, 3);
    put_zeros(b, 14);
    put_u32(b, 1);
    put_pcap_packet(b, 1, 0, 1, wzp_bytes_str("x"));
}

static void pcap_lying_length(build *b) {
    put_pcap_head(b, 0xa1b2c3d4, 1);
    two_packets(b);
    put_u32(b, 1700000002);
    put_u32(b, 0);
    put_u32(b, 0x7fffffff);
    put_u32(b, 0x7fffffff);
    put_str(b, "lost bytes");
    two_packets(b);
}

/* The second packet says that it is longer than the file. */
static void pcap_length_past_the_end(build *b) {
    put_pcap_head(b, 0xa1b2c3d4, 1);
    put_pcap_packet(b, 1700000000, 5, 3, wzp_bytes_str("one"));
    put_u32(b, 1700000000);
    put_u32(b, 6);
    put_u32(b, 60000);
    put_u32(b, 60000);
    put_str(b, "two");
    put_pcap_packet(b, 1700000001, 7, 5, wzp_bytes_str("three"));
}

/* --- pcapng ----------------------------------------------------------------------------------- */

static void both_orders(build *b) {
    put_section(b);
    put_interface(b, 1, 0, NULL);
    put_packet(b, 0, UINT64_C(1700000000000007), wzp_bytes_str("micro"));
    put_interface(b, 101, 9, "wlan0");
    put_packet(b, 1, UINT64_C(1700000000000000007), wzp_bytes_str("nano"));
    b->little = true;
    put_section(b); /* with interfaces of its own */
    put_interface(b, 113, 9, "lo");
    put_packet(b, 0, UINT64_C(1700000000000000008), wzp_bytes_str("little"));
    put_packet(b, 1, 0, wzp_bytes_str("stray"));
    put_packet(b, 2, 0, wzp_bytes_str("stray"));
    put_packet(b, 0, UINT64_C(1700000000000000009), wzp_bytes_str(""));
}

static void options(build *b) {
    static const uint8_t in[] = {1, 0, 0, 0};
    static const uint8_t out[] = {2, 0, 0, 0};
    b->little = true;
    put_section(b);
    put_interface(b, 101, 9, NULL);
    for (int i = 0; i < 3; i++) {
        const size_t begin = begin_block(b, 6);
        put_u32(b, 0);
        put_u64(b, 0);
        put_u32(b, 3);
        put_u32(b, 1200);
        put_str(b, "abc");
        pad(b, begin);
        put_option(b, begin, 4, wzp_bytes_str("drops"));
        put_option(b, begin, 1, wzp_bytes_str("why"));
        put_option(b, begin, 2, wzp_bytes_of(i == 0 ? in : out, 4));
        put_option(b, begin, 1, wzp_bytes_str("second comment"));
        if (i == 1) {
            put_u32(b, 0); /* end of options: may be left out */
        } else if (i == 2) {
            put_u16(b, 2988);
            put_u16(b, 0xfff0);
        }
        end_block(b, begin);
    }
}

static void resolutions(build *b) {
    static const uint8_t units[] = {0x80, 0x8a, 0x80 | 34, 0x80 | 63, 0xff, 0, 3, 12, 27, 127};
    put_section(b);
    for (unsigned i = 0; i < sizeof units; i++) {
        const size_t begin = begin_block(b, 1);
        put_u32(b, 101 << 16);
        put_u32(b, 0);
        put_option(b, begin, 9, wzp_bytes_of(&units[i], 1));
        end_block(b, begin);
    }
    put_packet(b, 0, 7, wzp_bytes_str("s"));
    put_packet(b, 1, 1024 + 512, wzp_bytes_str("1/1024"));
    put_packet(b, 2, (UINT64_C(5) << 34) + (UINT64_C(1) << 33), wzp_bytes_str("2^-34"));
    put_packet(b, 3, (UINT64_C(1) << 63) + (UINT64_C(3) << 61), wzp_bytes_str("2^-63"));
    put_packet(b, 4, UINT64_MAX, wzp_bytes_str("2^-127"));
    put_packet(b, 5, 7, wzp_bytes_str("1s"));
    put_packet(b, 6, 7001, wzp_bytes_str("ms"));
    put_packet(b, 7, UINT64_C(7000000001999), wzp_bytes_str("ps"));
    put_packet(b, 8, UINT64_MAX, wzp_bytes_str("10^-27"));
    put_packet(b, 9, UINT64_MAX, wzp_bytes_str("10^-127"));
    put_packet(b, 0, UINT64_MAX, wzp_bytes_str("overflow"));
    put_packet(b, 5, UINT64_MAX, wzp_bytes_str("overflow"));
}

static void offsets(build *b) {
    static const uint64_t seconds[] = {1700000000, UINT64_MAX - 4, UINT64_C(1) << 62};
    put_section(b);
    for (unsigned i = 0; i < 3; i++) {
        const size_t begin = begin_block(b, 1);
        put_u32(b, 101 << 16);
        put_u32(b, 0);
        put_u16(b, 14);
        put_u16(b, 8);
        put_u64(b, seconds[i]);
        end_block(b, begin);
        put_packet(b, i, 7000000, wzp_bytes_str("x"));
    }
    put_packet(b, 1, 4000000, wzp_bytes_str("before 1970"));
}

static void other_packets(build *b) {
    put_section(b);
    size_t begin = begin_block(b, 3); /* before its interface */
    put_u32(b, 1);
    put_str(b, "a");
    end_block(b, begin);
    begin = begin_block(b, 1);
    put_u32(b, 101 << 16);
    put_u32(b, 5); /* packets are cut here */
    end_block(b, begin);
    put_interface(b, 1, 9, "eth0");
    begin = begin_block(b, 3);
    put_u32(b, 9);
    put_str(b, "abcde");
    end_block(b, begin);
    begin = begin_block(b, 3);
    put_u32(b, 2);
    put_str(b, "ab");
    end_block(b, begin);
    begin = begin_block(b, 3); /* says more than there is */
    put_u32(b, 5);
    put_str(b, "abcd");
    end_block(b, begin);
    begin = begin_block(b, 2);
    put_u16(b, 1);
    put_u16(b, 99); /* drops */
    put_u64(b, 5 * S_NS);
    put_u32(b, 3);
    put_u32(b, 4);
    put_str(b, "old");
    pad(b, begin);
    put_option(b, begin, 2, wzp_bytes_of("\0\0\0\1", 4));
    end_block(b, begin);
}

static void secrets_and_strangers(build *b) {
    b->little = true;
    put_section(b);
    put_secrets(b, 0x544c534b, "CLIENT_RANDOM 00 11\n");
    put_secrets(b, 0x57474b4c, "wireguard");
    put_interface(b, 1, 0, NULL);
    for (uint32_t type = 4; type < 0x80000000; type = type * 9 + 1) {
        const size_t begin = begin_block(b, type == 4 ? 5 : type);
        put_str(b, "nobody knows");
        end_block(b, begin);
    }
    put_secrets(b, 0x544c534b, "");
    put_secrets(b, 0x575a504b, "WZP_MEDIA_KEY * 0 00\n");
    put_packet(b, 0, 1, wzp_bytes_str("x"));
    size_t begin = begin_block(b, 10);
    put_u32(b, 0x544c534b);
    put_u32(b, 9);
    put_str(b, "too short");
    b->len--;
    end_block(b, begin);
    begin = begin_block(b, 10);
    put_u32(b, 0x544c534b);
    put_u32(b, 9);
    put_str(b, "short");
    end_block(b, begin);
}

static void bad_blocks(build *b) {
    put_section(b);
    put_interface(b, 101, 0, NULL);
    put_packet(b, 0, 1000000, wzp_bytes_str("one"));
    size_t begin = begin_block(b, 6); /* longer than its block */
    put_u32(b, 0);
    put_u64(b, 0);
    put_u32(b, 5);
    put_u32(b, 5);
    put_str(b, "four");
    end_block(b, begin);
    begin = begin_block(b, 6); /* cannot hold a packet */
    put_u32(b, 0);
    end_block(b, begin);
    begin = begin_block(b, 3);
    end_block(b, begin);
    begin = begin_block(b, 1);
    end_block(b, begin);
    put_packet(b, 0, 2000000, wzp_bytes_str("two"));
    put_packet(b, 0, 3000000, wzp_bytes_str("lost"));
    b->data[b->len - 1]++; /* the two lengths differ */
    put_packet(b, 0, 4000000, wzp_bytes_str("three"));
    begin = b->len;
    put_packet(b, 0, 5000000, wzp_bytes_str("lost"));
    b->data[begin + 7] = 3; /* no multiple of four, too short */
    put_str(b, "xyz");      /* and what follows does not begin at one */
    put_packet(b, 0, 6000000, wzp_bytes_str("four"));
    begin = b->len;
    put_packet(b, 0, 7000000, wzp_bytes_str("lost"));
    b->data[begin + 4] = 0x7f;
    put_packet(b, 0, 8000000, wzp_bytes_str("five"));
}

static void a_section_of_the_future(build *b) {
    put_section(b);
    b->data[12] = 0;
    b->data[13] = 2;
    put_interface(b, 101, 0, NULL);
    put_packet(b, 0, 0, wzp_bytes_str("one"));
    put_section(b);
    put_interface(b, 101, 0, NULL);
    put_packet(b, 0, 0, wzp_bytes_str("two"));
}

static void a_section_without_an_order(build *b) {
    put_section(b);
    b->data[8] = 0;
    put_section(b);
    put_interface(b, 101, 0, NULL);
    put_packet(b, 0, 0, wzp_bytes_str("two"));
}

static void a_block_that_lies_to_the_end(build *b) {
    put_section(b);
    put_interface(b, 101, 0, NULL);
    const size_t begin = b->len;
    put_packet(b, 0, 0, wzp_bytes_str("lost"));
    b->data[begin + 6] = 0x08;
    put_packet(b, 0, 0, wzp_bytes_str("found"));
}

/* --- .wzp ------------------------------------------------------------------------------------- */

static void put_wzp_head(build *b, const char *json) {
    b->little = true;
    put_str(b, "WZP\x01");
    put_u32(b, strlen(json));
    put_str(b, json);
}

static void put_record(build *b, uint64_t us, const char *hex) {
    put_u64(b, us);
    const size_t at = b->len;
    put_u32(b, 0);
    put_hex(b, hex);
    const size_t end = b->len;
    b->len = at;
    put_u32(b, end - at - 4);
    b->len = end;
}

static void wzp_two(build *b) {
    put_wzp_head(b,
                 "{\"room\":\"r\",\"relay\":\"h:1\",\"start_time\":\"2026-05-25T10:11:12.5+00:00\","
                 "\"version\":1}");
    put_record(b, 20, "02000000 01 00 00000001 00000014 0000 aabb");
    put_record(b, UINT64_C(5000000000), "02400006 01 00 00000002 00000014 0000 21222324");
}

static void wzp_without_start(build *b) {
    put_wzp_head(b, "{\"room\":3}");
    put_record(b, 20, "02000000 01 00 00000001 00000014 0000 aabb");
}

static void wzp_header_is_no_json(build *b) {
    put_wzp_head(b, "start_time");
    put_record(b, 20, "02000000 01 00 00000001 00000014 0000 aabb");
}

static void wzp_lying_length(build *b) {
    put_wzp_head(b, "{\"start_time\":\"1970-01-01T00:00:00Z\"}");
    put_record(b, 20, "02000000 01 00 00000001 00000014 0000 aabb");
    put_u64(b, 30);
    put_u32(b, 65536);
    put_hex(b, "02000000 01 00 00000002 00000014 0000 aabb");
    put_record(b, 40, "02000000 01 00 00000003 00000014 0000 2324");
}

static void wzp_lying_header(build *b) {
    b->little = true;
    put_str(b, "WZP\x01");
    put_u32(b, 0x7fffffff);
    put_str(b, "{\"room\":\"\"}");
    put_record(b, 40, "02000000 01 00 00000003 00000014 0000 2324");
}

/* Opus at 24 kbit/s with a report: its first byte is 02, too. */
static void wzp_of_v1(build *b) {
    put_wzp_head(b, "{\"start_time\":\"1970-01-01T00:00:00Z\"}");
    put_record(b, 20, "0200 0000 00000014 01 00 00 00 aabbccdd 01020304");
    put_record(b, 40, "0000 0001 00000028 01 00 00 00 aabbccdd");
    put_record(b, 60, "0000 0002 0000003c 01 00 00 00 aabbccdd");
}

/* Fits the old version as well, as all its bits that were reserved are 0. */
static void wzp_of_v2_that_looks_like_v1(build *b) {
    put_wzp_head(b, "{\"start_time\":\"1970-01-01T00:00:00Z\"}");
    for (unsigned i = 0; i < 3; i++) {
        put_record(b, 20 * (i + UINT64_C(1)), "02000000 01 00 00000001 00000014 0000");
    }
}

/* Most of it is the new one: damage does not make it old. */
static void wzp_with_one_bad_packet(build *b) {
    put_wzp_head(b, "{\"start_time\":\"1970-01-01T00:00:00Z\"}");
    put_record(b, 20, "02000000 01 00 00000001 00000014 0000");
    put_record(b, 40, "0100");
    put_record(b, 60, "02000000 01 00 00000001 00000014 0000");
}

/* --- text ------------------------------------------------------------------------------------- */

static void hex_lines(build *b) {
    put_str(b, "# a comment\n\n  \t\n414243\n 41 42\t4344 # behind it\r\n0x41 0x4a 0X4B4C\n#\n"
               "4a4\n41 4g\n41 0x 41\n0000  41 42 43\n00000010: 4142 4344\n41424344 41\n4142");
}

static void hex_upper(build *b) {
    put_str(b, "4A6B");
}

/* --- no captures ------------------------------------------------------------------------------ */

static void nothing(build *b) {
    (void)b;
}

static void zipped(build *b) {
    put_hex(b, "1f8b0800 00000000");
}

static void wzp_version_2(build *b) {
    put_str(b, "WZP\x02{}");
}

static void prose(build *b) {
    put_str(b, "Not a capture, but text.\n");
}

static const struct file_case {
    const char *name;
    void (*make)(build *b);
    wzp_pcap_form form;
    const char *want;
} file_cases[] = {
    {"pcap, little-endian", pcap_little, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000005000 link 1 if 0 one\n"
     "2 1700000001.999999000 link 1 if 0 two of 9\n"},
    {"pcap, big-endian", pcap_big, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000005000 link 101 if 0 one\n"
     "2 1700000001.999999000 link 101 if 0 two of 9\n"},
    {"pcap, little-endian nanoseconds", pcap_little_nano, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000000005 link 113 if 0 one\n"
     "2 1700000001.000999999 link 113 if 0 two of 9\n"},
    {"pcap, big-endian nanoseconds", pcap_big_nano, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000000005 link 276 if 0 one\n"
     "2 1700000001.000999999 link 276 if 0 two of 9\n"},
    {"pcap without packets", pcap_without_packets, WZP_PCAP_FORM_PCAP, ""},
    {"pcap of version 3", pcap_of_version_3, WZP_PCAP_FORM_PCAP,
     "! pcap of another version than 2: read as such, offset 4, after 0, got 3\n"
     "1 1.000000000 link 1 if 0 x\n"},
    {"pcap with a length that lies", pcap_lying_length, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000005000 link 1 if 0 one\n"
     "2 1700000001.999999000 link 1 if 0 two of 9\n"
     "! a packet's length cannot be true: looking for the next one, offset 62, after 2, got "
     "2147483647\n"
     "! reading goes on here, after bytes passed over, offset 88, after 2, got 26\n"
     "3 1700000000.000005000 link 1 if 0 one\n"
     "4 1700000001.999999000 link 1 if 0 two of 9\n"},
    {"pcap with a length past the end", pcap_length_past_the_end, WZP_PCAP_FORM_PCAP,
     "1 1700000000.000005000 link 1 if 0 one\n"
     "! the file ends inside a packet, offset 43, after 1, got 40\n"
     "! reading goes on here, after bytes passed over, offset 62, after 1, got 19\n"
     "2 1700000001.000007000 link 1 if 0 three\n"},
    {"pcapng, two sections of two orders", both_orders, WZP_PCAP_FORM_PCAPNG,
     "1 1700000000.000007000 link 1 if 0 micro\n"
     "2 1700000000.000000007 link 101 if 1 wlan0 nano\n"
     "3 1700000000.000000008 link 113 if 0 lo little\n"
     "! a packet of an interface that is not described: skipped, as others, offset 276, after 4, "
     "got 1\n"
     "6 1700000000.000000009 link 113 if 0 lo \n"},
    {"pcapng with options", options, WZP_PCAP_FORM_PCAPNG,
     "1 0.000000000 link 101 if 0 in abc of 1200 (why)\n"
     "2 0.000000000 link 101 if 0 out abc of 1200 (why)\n"
     "3 0.000000000 link 101 if 0 out abc of 1200 (why)\n"
     "! an option is longer than its block: it and later ones are not read, offset 312, after 3, "
     "got 0\n"},
    {"pcapng, units of time", resolutions, WZP_PCAP_FORM_PCAPNG,
     "1 7.000000000 link 101 if 0 s\n"
     "2 1.500000000 link 101 if 1 1/1024\n"
     "3 5.500000000 link 101 if 2 2^-34\n"
     "4 1.750000000 link 101 if 3 2^-63\n"
     "5 0.000000000 link 101 if 4 2^-127\n"
     "6 7.000000000 link 101 if 5 1s\n"
     "7 7.001000000 link 101 if 6 ms\n"
     "8 7.000000001 link 101 if 7 ps\n"
     "9 0.000000018 link 101 if 8 10^-27\n"
     "10 0.000000001 link 101 if 9 10^-127\n"
     "11 18446744073.709551615 link 101 if 0 overflow\n"
     "12 18446744073.709551615 link 101 if 5 overflow\n"},
    {"pcapng, offsets of time", offsets, WZP_PCAP_FORM_PCAPNG,
     "1 1700000007.000000000 link 101 if 0 x\n"
     "2 2.000000000 link 101 if 1 x\n"
     "! an interface's time offset is out of range: taken as 0, offset 184, after 2, got "
     "4611686018427387904\n"
     "3 7.000000000 link 101 if 2 x\n"
     "4 0.000000000 link 101 if 1 before%201970\n"},
    {"pcapng, simple and old packets", other_packets, WZP_PCAP_FORM_PCAPNG,
     "! a packet of an interface that is not described: skipped, as others, offset 28, after 1, "
     "got 0\n"
     "2 0.000000000 link 101 if 0 abcde of 9\n"
     "3 0.000000000 link 101 if 0 ab\n"
     "! a packet is longer than its block: skipped, offset 152, after 4, got 5\n"
     "5 5.000000000 link 1 if 1 eth0 in old of 4\n"},
    {"pcapng with secrets and blocks of others", secrets_and_strangers, WZP_PCAP_FORM_PCAPNG,
     "secrets CLIENT_RANDOM%2000%2011%0a\n"
     "! secrets of an unknown kind: not used, offset 68, after 0, got 1464290124\n"
     "secrets \n"
     "media keys WZP_MEDIA_KEY%20*%200%2000%0a\n"
     "1 0.000001000 link 1 if 0 x\n"
     "! secrets are longer than their block: not used, offset 604, after 1, got 9\n"
     "! secrets are longer than their block: not used, offset 632, after 1, got 9\n"},
    {"pcapng with bad blocks", bad_blocks, WZP_PCAP_FORM_PCAPNG,
     "1 1.000000000 link 101 if 0 one\n"
     "! a packet is longer than its block: skipped, offset 84, after 2, got 5\n"
     "! a packet's block is too short: skipped, offset 120, after 3, got 16\n"
     "! a packet's block is too short: skipped, offset 136, after 4, got 12\n"
     "! an interface is too short: not known, offset 148, after 4, got 12\n"
     "5 2.000000000 link 101 if 0 two\n"
     "! a block's two lengths differ: looking for the next block, offset 196, after 5, got 37\n"
     "! reading goes on here, after bytes passed over, offset 232, after 5, got 36\n"
     "6 4.000000000 link 101 if 0 three\n"
     "! a block's length cannot be true: looking for the next block, offset 272, after 6, got 3\n"
     "! reading goes on here, after bytes passed over, offset 311, after 6, got 39\n"
     "7 6.000000000 link 101 if 0 four\n"
     "! a block's length cannot be true: looking for the next block, offset 347, after 7, got "
     "2130706468\n"
     "! reading goes on here, after bytes passed over, offset 383, after 7, got 36\n"
     "8 8.000000000 link 101 if 0 five\n"},
    {"pcapng, a section of the future", a_section_of_the_future, WZP_PCAP_FORM_PCAPNG,
     "! a section of another version than 1: its blocks are skipped, offset 0, after 0, got 2\n"
     "2 0.000000000 link 101 if 0 two\n"},
    {"pcapng, a section without an order", a_section_without_an_order, WZP_PCAP_FORM_PCAPNG,
     "! a section does not say its byte order: passed over, offset 0, after 0, got 0\n"
     "! reading goes on here, after bytes passed over, offset 28, after 0, got 28\n"
     "1 0.000000000 link 101 if 0 two\n"},
    {"pcapng, a block that lies to the end", a_block_that_lies_to_the_end, WZP_PCAP_FORM_PCAPNG,
     "! the file ends inside a block, offset 48, after 0, got 76\n"
     "! reading goes on here, after bytes passed over, offset 84, after 0, got 36\n"
     "1 0.000000000 link 101 if 0 found\n"},
    {".wzp", wzp_two, WZP_PCAP_FORM_WZP,
     "header {\"room\":\"r\",\"relay\":\"h:1\",\"start_time\":\"2026-05-25T10:11:12.5+00:00\","
     "\"version\":1}\n"
     "1 1779703872.500020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00%aa%bb\n"
     "2 1779708872.500000000 link 147 if 0 %02@%00%06%01%00%00%00%00%02%00%00%00%14%00%00!\"#$\n"},
    {".wzp without a start", wzp_without_start, WZP_PCAP_FORM_WZP,
     "header {\"room\":3}\n"
     "! the header has no start_time: times count from 1970, offset 8, after 0, got 0\n"
     "1 0.000020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00%aa%bb\n"},
    {".wzp, the header is no JSON", wzp_header_is_no_json, WZP_PCAP_FORM_WZP,
     "header start_time\n"
     "! the header has no start_time: times count from 1970, offset 8, after 0, got 0\n"
     "1 0.000020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00%aa%bb\n"},
    {".wzp with a length that lies", wzp_lying_length, WZP_PCAP_FORM_WZP,
     "header {\"start_time\":\"1970-01-01T00:00:00Z\"}\n"
     "1 0.000020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00%aa%bb\n"
     "! a packet's length cannot be true: looking for the next one, offset 75, after 1, got "
     "65536\n"
     "! reading goes on here, after bytes passed over, offset 105, after 1, got 30\n"
     "2 0.000040000 link 147 if 0 %02%00%00%00%01%00%00%00%00%03%00%00%00%14%00%00#$\n"},
    {".wzp with a header that lies", wzp_lying_header, WZP_PCAP_FORM_WZP,
     "! the header's length cannot be true: looking for the first packet, offset 0, after 0, got "
     "2147483647\n"
     "! reading goes on here, after bytes passed over, offset 19, after 0, got 19\n"
     "1 0.000040000 link 147 if 0 %02%00%00%00%01%00%00%00%00%03%00%00%00%14%00%00#$\n"},
    {".wzp of wire version 1", wzp_of_v1, WZP_PCAP_FORM_WZP,
     "header {\"start_time\":\"1970-01-01T00:00:00Z\"}\n"
     "! packets of wire version 1 (12-byte headers): counted, not decoded, offset 45, after 1, got "
     "1\n"
     "! packets of wire version 1 in all: not decoded, offset 133, after 3, got 3\n"},
    {".wzp of version 2 that looks like 1", wzp_of_v2_that_looks_like_v1, WZP_PCAP_FORM_WZP,
     "header {\"start_time\":\"1970-01-01T00:00:00Z\"}\n"
     "1 0.000020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00\n"
     "2 0.000040000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00\n"
     "3 0.000060000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00\n"},
    {".wzp with one bad packet", wzp_with_one_bad_packet, WZP_PCAP_FORM_WZP,
     "header {\"start_time\":\"1970-01-01T00:00:00Z\"}\n"
     "1 0.000020000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00\n"
     "2 0.000040000 link 147 if 0 %01%00\n"
     "3 0.000060000 link 147 if 0 %02%00%00%00%01%00%00%00%00%01%00%00%00%14%00%00\n"},
    {"lines of digits", hex_lines, WZP_PCAP_FORM_HEX,
     "1 0.000000000 link 147 if 0 ABC\n"
     "2 0.000000000 link 147 if 0 ABCD\n"
     "3 0.000000000 link 147 if 0 AJKL\n"
     "! a line with half a byte: skipped, offset 71, after 4, got 0\n"
     "! a line with other characters than hexadecimal digits: skipped, offset 76, after 5, got "
     "103\n"
     "! a line with half a byte: skipped, offset 83, after 6, got 32\n"
     "! a line begins with an offset: skipped; give each packet on one line of bytes alone, "
     "offset 101, after 7, got 0\n"
     "! a line begins with an offset: skipped; give each packet on one line of bytes alone, "
     "offset 110, after 8, got 58\n"
     "! a line begins with an offset: skipped; give each packet on one line of bytes alone, "
     "offset 133, after 9, got 0\n"
     "10 0.000000000 link 147 if 0 AB\n"},
    {"a line without its end", hex_upper, WZP_PCAP_FORM_HEX, "1 0.000000000 link 147 if 0 Jk\n"},
    {"nothing", nothing, WZP_PCAP_FORM_UNKNOWN, "! the file is empty, offset 0, after 0, got 0\n"},
    {"a compressed file", zipped, WZP_PCAP_FORM_UNKNOWN,
     "! the file is compressed: unpack it first, offset 0, after 0, got 0\n"},
    {".wzp version 2", wzp_version_2, WZP_PCAP_FORM_UNKNOWN,
     "! a .wzp file of another version than 1: not read, offset 0, after 0, got 0\n"},
    {"prose", prose, WZP_PCAP_FORM_UNKNOWN,
     "! no form of capture that is known: not read, offset 0, after 0, got 0\n"},
};

static build made;

static void make(void (*maker)(build *b)) {
    made = (build){.len = 0};
    maker(&made);
}

START_TEST(files) {
    const struct file_case *c = &file_cases[_i];
    make(c->make);
    check_says(c->name, &made, c->want);
    ck_assert_msg(whole.form == c->form, "%s: form %d", c->name, (int)whole.form);
}
END_TEST

/* Lines up to the first problem. */
static size_t good_part(const char *text) {
    size_t len = 0;
    while (text[len] != '\0' && text[len] != '!') {
        len += strcspn(text + len, "\n") + 1;
    }
    return len;
}

/* A file that was cut says what the whole one does up to there, then that it ends. */
START_TEST(prefixes) {
    const struct file_case *c = &file_cases[_i];
    make(c->make);
    read_all(&whole, built(&made), SIZE_MAX);
    for (size_t len = 0; len < made.len; len++) {
        read_all(&pieces, wzp_bytes_of(made.data, len), SIZE_MAX);
        const size_t good = good_part(pieces.text);
        ck_assert_msg(strncmp(pieces.text, whole.text, good) == 0 || c->form == WZP_PCAP_FORM_HEX ||
                          c->make == wzp_of_v1,
                      "%s, %zu bytes:\n%s", c->name, len, pieces.text);
        ck_assert_uint_le(pieces.count.packets, whole.count.packets + 1);
    }
}
END_TEST

/* Nothing is found in a cut file that the whole one does not have, and the cut is said. */
START_TEST(a_cut_is_said) {
    make(both_orders);
    for (size_t len = 1; len < made.len; len++) {
        read_all(&pieces, wzp_bytes_of(made.data, len), SIZE_MAX);
        ck_assert_msg(pieces.count.packets + pieces.count.skipped <= 6, "%zu bytes", len);
    }
    read_all(&pieces, wzp_bytes_of(made.data, made.len - 1), SIZE_MAX);
    ck_assert_ptr_nonnull(strstr(pieces.text, "! the file ends inside a block, offset"));
}
END_TEST

/* Whatever bytes change, reading ends and its counters agree with what it gave. */
START_TEST(damage) {
    const struct file_case *c = &file_cases[_i];
    wzp_prng prng;
    wzp_prng_init(&prng, (uint64_t)_i, "reader_test");
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (int round = 0; round < 60; round++) {
        make(c->make);
        for (uint64_t n = wzp_rng_below(rng, 4); made.len > 0 && n <= 4; n++) {
            made.data[wzp_rng_below(rng, made.len)] = (uint8_t)wzp_rng_below(rng, 256);
        }
        read_all(&whole, built(&made), SIZE_MAX);
        read_all(&pieces, built(&made), 1 + (size_t)wzp_rng_below(rng, 40));
        ck_assert_msg(strcmp(whole.text, pieces.text) == 0, "%s:\n%s\n%s", c->name, whole.text,
                      pieces.text);
    }
}
END_TEST

/* --- sizes ------------------------------------------------------------------------------------ */

static uint8_t *big;
static size_t big_len, big_cap;

static void add_big(const build *b) {
    if (big_len + b->len > big_cap) {
        big_cap = 2 * (big_len + b->len);
        big = realloc(big, big_cap);
        ck_assert_ptr_nonnull(big);
    }
    memcpy(big + big_len, b->data, b->len);
    big_len += b->len;
}

static void drop_big(void) {
    free(big);
    big = NULL;
    big_len = 0;
    big_cap = 0;
}

static void read_big(void) {
    wzp_pcap_reader *reader = NULL;
    wzp_pcap_item item;
    ck_assert_int_eq(wzp_pcap_reader_new(&reader), WZP_OK);
    whole.len = 0;
    whole.text[0] = '\0';
    uint64_t packets = 0;
    for (size_t at = 0, len = 1; len > 0; at += len) {
        size_t cap = 0;
        uint8_t *room = wzp_pcap_reader_room(reader, &cap);
        len = big_len - at < cap ? big_len - at : cap;
        if (len > 0) {
            memcpy(room, big + at, len);
        }
        wzp_pcap_reader_filled(reader, len);
        while (wzp_pcap_reader_next(reader, &item)) {
            if (item.kind == WZP_PCAP_ITEM_PACKET) {
                packets++;
                ck_assert_uint_ge(item.packet.number, packets);
            } else if (item.kind == WZP_PCAP_ITEM_SECRETS) {
                ck_assert_uint_gt(item.text.len, 0);
                ck_assert_uint_eq(item.text.data[item.text.len - 1], '\n');
                say(&whole, "secrets %zu\n", item.text.len);
            } else {
                say_item(&whole, &item, wzp_bytes_of(big, big_len));
            }
        }
    }
    whole.count = *wzp_pcap_reader_count(reader);
    ck_assert_uint_eq(whole.count.packets, packets);
    wzp_pcap_reader_free(&reader);
}

START_TEST(a_file_of_many_buffers) {
    static uint8_t data[1400];
    build *b = &made;
    make(pcap_without_packets);
    add_big(b);
    for (uint32_t i = 0; i < 5000; i++) {
        *b = (build){.len = 0};
        put_pcap_packet(b, 1700000000, i, 1400, wzp_bytes_of(data, i % sizeof data));
        add_big(b);
    }
    read_big();
    ck_assert_str_eq(whole.text, "");
    ck_assert_uint_eq(whole.count.packets, 5000);
    drop_big();
}
END_TEST

/* 3 MiB of lines, each 128 bytes. */
START_TEST(a_key_log_that_is_longer_than_the_buffer) {
    static const size_t lines = 24000;
    static const char line[] = "CLIENT_TRAFFIC_SECRET_0 "
                               "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
                               "00112233445566778899aabbccddeeff00112\n";
    ck_assert_uint_eq(sizeof line, 128);
    build *b = &made;
    make(pcap_without_packets);
    *b = (build){.little = true};
    put_section(b);
    put_u32(b, 10);
    put_u32(b, 20 + lines * 127);
    put_u32(b, 0x544c534b);
    put_u32(b, lines * 127);
    add_big(b);
    for (unsigned i = 0; i < lines; i++) {
        *b = (build){.len = 0};
        put_str(b, line);
        add_big(b);
    }
    *b = (build){.little = true};
    put_u32(b, 20 + lines * 127);
    put_interface(b, 101, 0, NULL);
    put_packet(b, 0, 0, wzp_bytes_str("x"));
    add_big(b);
    read_big();
    ck_assert_uint_eq(whole.count.packets, 1);
    ck_assert_uint_eq(whole.count.problems, 0);
    size_t sum = 0;
    for (const char *at = whole.text; (at = strstr(at, "secrets ")) != NULL; at++) {
        sum += strtoul(at + 8, NULL, 10);
    }
    ck_assert_uint_eq(sum, lines * 127);
    drop_big();
}
END_TEST

START_TEST(lines_that_are_too_long) {
    build *b = &made;
    *b = (build){.len = 0};
    put_str(b, "# text\n");
    add_big(b);
    for (unsigned i = 0; i < 40; i++) {
        *b = (build){.len = 65536};
        memset(b->data, '4', b->len);
        add_big(b);
    }
    *b = (build){.len = 0};
    put_str(b, "\n4142\n");
    add_big(b);
    read_big();
    ck_assert_uint_eq(whole.count.packets + whole.count.skipped, 2);
    ck_assert_ptr_nonnull(
        strstr(whole.text, "a line is too long for a packet: skipped, offset 7,"));
    drop_big();
}
END_TEST

START_TEST(too_many_interfaces) {
    build *b = &made;
    *b = (build){.len = 0};
    put_section(b);
    for (unsigned i = 0; i < WZP_PCAP_INTERFACES_MAX + 1; i++) {
        put_interface(b, 101, 0, NULL);
    }
    put_packet(b, WZP_PCAP_INTERFACES_MAX - 1, 0, wzp_bytes_str("x"));
    put_packet(b, WZP_PCAP_INTERFACES_MAX, 0, wzp_bytes_str("x"));
    read_all(&whole, built(b), SIZE_MAX);
    ck_assert_uint_eq(whole.count.packets, 1);
    ck_assert_uint_eq(whole.count.skipped, 1);
    ck_assert_uint_eq(whole.count.problems, 2);
}
END_TEST

START_TEST(long_names_are_cut) {
    build *b = &made;
    *b = (build){.len = 0};
    put_section(b);
    put_interface(b, 101, 0,
                  "0123456789012345678901234567890123456789012345678901234567890\xe2\x82\xac");
    put_packet(b, 0, 0, wzp_bytes_str("x"));
    check_says("name", b,
               "1 0.000000000 link 101 if 0 "
               "0123456789012345678901234567890123456789012345678901234567890 x\n");
}
END_TEST

/* The first sixteen records decide, not the first. */
START_TEST(an_old_file_that_begins_like_a_new_one) {
    make(wzp_of_v1);
    made.len = 45;
    for (unsigned i = 0; i < 13; i++) { /* all with reports: sequence numbers look like codecs */
        put_record(&made, UINT64_C(20) * i, "0200 0000 00000014 01 00 00 00 aabbccdd 01020304");
        made.data[made.len - 17] = (uint8_t)i;
    }
    read_all(&whole, built(&made), SIZE_MAX);
    ck_assert_uint_eq(whole.count.packets, 0);
    ck_assert_uint_eq(whole.count.skipped, 13);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("reader");
    tcase_add_loop_test(tc, files, 0, WZP_COUNT_OF(file_cases));
    tcase_add_loop_test(tc, prefixes, 0, WZP_COUNT_OF(file_cases));
    tcase_add_test(tc, a_cut_is_said);
    tcase_add_loop_test(tc, damage, 0, WZP_COUNT_OF(file_cases));
    tcase_add_test(tc, a_file_of_many_buffers);
    tcase_add_test(tc, a_key_log_that_is_longer_than_the_buffer);
    tcase_add_test(tc, lines_that_are_too_long);
    tcase_add_test(tc, too_many_interfaces);
    tcase_add_test(tc, long_names_are_cut);
    tcase_add_test(tc, an_old_file_that_begins_like_a_new_one);
    return wzp_run_suite("reader", tc);
}
