#include "nat/demux.h"

#include "wire/testing/bytes.h"

#define REST "010000 2112a442 000102030405060708090a0b"

static const struct demux_case {
    const char *name, *hex;
    wzp_demux want;
} demux_cases[] = {
    {"nothing", "", WZP_DEMUX_OTHER},
    {"a tickle", "00", WZP_DEMUX_OTHER},
    {"STUN request", "00" REST, WZP_DEMUX_STUN},
    {"the last first byte of STUN", "03" REST, WZP_DEMUX_STUN},
    {"after STUN", "04" REST, WZP_DEMUX_OTHER},
    {"STUN without its cookie", "00010000 2112a443 000102030405060708090a0b", WZP_DEMUX_OTHER},
    {"STUN cut in its header", "00010000 2112a442 000102030405060708090a", WZP_DEMUX_OTHER},
    {"DTLS", "16feff", WZP_DEMUX_OTHER},
    {"before QUIC's short headers", "3f" REST, WZP_DEMUX_OTHER},
    {"TURN channel, here QUIC", "40" REST, WZP_DEMUX_QUIC},
    {"QUIC short header, one byte", "40", WZP_DEMUX_QUIC},
    {"the last short header", "7f" REST, WZP_DEMUX_QUIC},
    {"RTP", "80" REST, WZP_DEMUX_OTHER},
    {"RTCP", "bf" REST, WZP_DEMUX_OTHER},
    {"QUIC long header", "c0" REST, WZP_DEMUX_QUIC},
    {"the last long header", "ff" REST, WZP_DEMUX_QUIC},
};

START_TEST(demux) {
    const struct demux_case *c = &demux_cases[_i];
    uint8_t buf[32];
    const wzp_demux got = wzp_demux_of(unhex(buf, sizeof buf, c->hex));
    ck_assert_msg(got == c->want, "%s: got %d", c->name, (int)got);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("demux");
    tcase_add_loop_test(tc, demux, 0, WZP_COUNT_OF(demux_cases));
    return wzp_run_suite("demux", tc);
}
