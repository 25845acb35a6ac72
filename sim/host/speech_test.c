#include "sim/host/speech.h"

#include "base/rng.h"
#include "base/testing/suite.h"

static const wzp_sim_speech sample = {.sender = 7,
                                      .number = 123456,
                                      .slots = 2,
                                      .talk = 100,
                                      .silence = 50,
                                      .end = 200000,
                                      .sent = UINT64_C(0x0102030405060708)};

static bool same(const wzp_sim_speech *a, const wzp_sim_speech *b) {
    return a->sender == b->sender && a->number == b->number && a->slots == b->slots &&
           a->talk == b->talk && a->silence == b->silence && a->end == b->end && a->sent == b->sent;
}

START_TEST(round_trip) {
    static const size_t lens[] = {WZP_SIM_SPEECH_MIN, 31, 60, 160, 512};
    uint8_t frame[512];
    wzp_sim_speech back = {0};
    ck_assert(wzp_sim_speech_write(frame, lens[_i], &sample));
    ck_assert(wzp_sim_speech_parse(&back, wzp_bytes_of(frame, lens[_i])));
    ck_assert(same(&back, &sample));
    for (size_t len = 0; len < lens[_i]; len++) {
        ck_assert_msg(!wzp_sim_speech_parse(&back, wzp_bytes_of(frame, len)), "cut to %zu", len);
    }
}
END_TEST

START_TEST(too_short_to_write) {
    uint8_t frame[WZP_SIM_SPEECH_MIN];
    ck_assert(!wzp_sim_speech_write(frame, WZP_SIM_SPEECH_MIN - 1, &sample));
}
END_TEST

/* A check of 16 bits: one flip is always seen, and what is not parsed leaves `out` alone. */
START_TEST(every_flipped_bit_is_seen) {
    uint8_t frame[64];
    ck_assert(wzp_sim_speech_write(frame, sizeof frame, &sample));
    for (size_t bit = 0; bit < 8 * sizeof frame; bit++) {
        wzp_sim_speech back = {.sender = 1};
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!wzp_sim_speech_parse(&back, wzp_bytes_of(frame, sizeof frame)), "bit %zu",
                      bit);
        ck_assert_uint_eq(back.sender, 1);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(short_ones) {
    static const struct {
        size_t len;
        uint8_t slots;
    } kinds[] = {{6, 2}, {8, 1}};
    const size_t len = kinds[_i].len;
    uint8_t frame[8] = {0};
    wzp_sim_speech said = sample;
    wzp_sim_speech back = {0};
    said.slots = kinds[_i].slots;
    ck_assert(wzp_sim_speech_write_short(frame, len, &said));
    ck_assert(!wzp_sim_speech_parse(&back, wzp_bytes_of(frame, len)));
    ck_assert_uint_eq(wzp_sim_speech_short_id(wzp_bytes_of(frame, len)), said.sender);
    /* What is known comes from another frame, said earlier or later. */
    wzp_sim_speech before = said;
    before.number = said.number + (_i == 0 ? 50 : (uint32_t)-50);
    before.sent = said.sent + (_i == 0 ? WZP_S : (wzp_time)-WZP_S);
    before.dred = 4;
    ck_assert(wzp_sim_speech_parse_short(&back, wzp_bytes_of(frame, len), &before, 5));
    ck_assert(same(&back, &said) && back.dred == 0);
    ck_assert(wzp_sim_speech_parse_short(&back, wzp_bytes_of(frame, len), NULL, 5));
    ck_assert(back.number == said.number && back.silence == 0 && back.sent == 5);
    before.sender++;
    ck_assert(!wzp_sim_speech_parse_short(&back, wzp_bytes_of(frame, len), &before, 5));
    for (size_t bit = 0; bit < 8 * len; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(wzp_sim_speech_short_id(wzp_bytes_of(frame, len)) == UINT32_MAX, "bit %zu",
                      bit);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert_uint_eq(wzp_sim_speech_short_id(wzp_bytes_of(frame, cut)), UINT32_MAX);
    }
    said.sender = WZP_SIM_SPEECH_SHORT_ID + 1;
    ck_assert(!wzp_sim_speech_write_short(frame, len, &said));
    ck_assert(!wzp_sim_speech_write_short(frame, len + 1, &sample));
}
END_TEST

static const struct spoken_case {
    const char *name;
    uint16_t talk, silence;
    uint32_t end;
    const char *want; /* of the first slots: x spoken, . not */
} spoken_cases[] = {
    {"never pauses", 1, 0, UINT32_MAX, "xxxxxxxx"},
    {"never pauses, ends", 1, 0, 5, "xxxxx..."},
    {"half and half", 2, 2, UINT32_MAX, "xx..xx..xx.."},
    {"ends while it talks", 3, 1, 6, "xxx.xx......"},
    {"ends while it is silent", 3, 2, 4, "xxx........."},
    {"never speaks", 0, 3, UINT32_MAX, "......"},
};

START_TEST(spoken) {
    const struct spoken_case *c = &spoken_cases[_i];
    const wzp_sim_speech of = {.slots = 1, .talk = c->talk, .silence = c->silence, .end = c->end};
    uint32_t before = 0;
    for (uint32_t n = 0; c->want[n] != '\0'; n++) {
        ck_assert_msg(wzp_sim_speech_spoken(&of, n) == (c->want[n] == 'x'), "%s: slot %u", c->name,
                      n);
        ck_assert_uint_eq(wzp_sim_speech_spoken_before(&of, n), before);
        before += c->want[n] == 'x' ? 1 : 0;
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("speech");
    tcase_add_loop_test(tc, round_trip, 0, 5);
    tcase_add_test(tc, too_short_to_write);
    tcase_add_test(tc, every_flipped_bit_is_seen);
    tcase_add_loop_test(tc, short_ones, 0, 2);
    tcase_add_loop_test(tc, spoken, 0, WZP_COUNT_OF(spoken_cases));
    return wzp_run_suite("sim_host.speech", tc);
}
