#include "io/riff.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/testing/suite.h"

#define FORMAT "666d7420 10000000 0100 0100 80bb0000 00770100 0200 1000"

static const struct fault_case {
    const char *name, *hex;
    uint64_t longer;  /* than the bytes that are shown */
    const char *want; /* NULL: nothing is wrong */
} fault_cases[] = {
    {"as it should be", "52494646 28000000 57415645" FORMAT "64617461 04000000 00000000", 0, NULL},
    {"a chunk before",
     "52494646 28000000 57415645 4c495354 03000000 61626300" FORMAT "64617461 04000000 00000000", 0,
     NULL},
    {"data beyond what is shown", "52494646 28000000 57415645" FORMAT "64617461 04010000 0000",
     1000, NULL},
    {"a chunk beyond what is shown", "52494646 28000000 57415645 4c495354 03000100 61626300",
     100000, NULL},
    {"empty", "", 0, "chunk \"RIFF\" at byte 0: the file ends after 0 bytes, expected 12 or more"},
    {"other", "4f676753 28000000 57415645", 0,
     "chunk \"RIFF\" at byte 0: expected \"RIFF\", found \"OggS\""},
    {"binary", "01ff6753 28000000 57415645", 0,
     "chunk \"RIFF\" at byte 0: expected \"RIFF\", found \"??gS\""},
    {"AVI", "52494646 28000000 41564920", 0,
     "chunk \"RIFF\" at byte 0: expected the form \"WAVE\", found \"AVI \""},
    {"short format", "52494646 28000000 57415645 666d7420 08000000 0100 0100 80bb0000", 0,
     "chunk \"fmt \" at byte 12: expected 16 bytes or more, found 8"},
    {"cut within the format", "52494646 28000000 57415645 666d7420 10000000 0100", 0,
     "chunk \"fmt \" at byte 12: the file ends within it"},
    {"no channels",
     "52494646 28000000 57415645 666d7420 10000000 0100 0000 80bb0000 00770100 0200 1000", 0,
     "chunk \"fmt \" at byte 12: 0 channels at 48000 Hz"},
    {"data first", "52494646 28000000 57415645 64617461 04000000 00000000" FORMAT, 0,
     "chunk \"data\" at byte 12: expected a chunk \"fmt \" before it"},
    {"more than there is", "52494646 28000000 57415645" FORMAT "64617461 04010000 0000", 0,
     "chunk \"data\" at byte 36: announces 260 bytes, the file has 2"},
    {"no data", "52494646 28000000 57415645" FORMAT, 0,
     "chunk \"data\" at byte 36: it is missing, the file ends here"},
    {"no format", "52494646 28000000 57415645", 0,
     "chunk \"fmt \" at byte 12: it is missing, the file ends here"},
    {"cut within a head", "52494646 28000000 57415645" FORMAT "646174", 0,
     "chunk \"????\" at byte 36: the file ends within its head"},
};

static size_t unhex(uint8_t *out, const char *text) {
    size_t digits = 0;
    char packed[256];
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            packed[digits++] = *text;
        }
    }
    ck_assert(wzp_hex_parse(out, digits / 2, packed, digits, NULL) == WZP_OK);
    return digits / 2;
}

START_TEST(faults) {
    const struct fault_case *c = &fault_cases[_i];
    uint8_t bytes[128];
    char why[WZP_RIFF_WHY_MAX] = "";
    const size_t len = unhex(bytes, c->hex);
    const bool got = wzp_riff_fault(wzp_bytes_of(bytes, len), len + c->longer, why);
    ck_assert_msg(got == (c->want != NULL), "%s: %s", c->name, why);
    ck_assert_msg(strcmp(why, c->want != NULL ? c->want : "") == 0, "%s: %s", c->name, why);
}
END_TEST

START_TEST(every_prefix_has_a_fault) {
    uint8_t bytes[128];
    char why[WZP_RIFF_WHY_MAX];
    const size_t len = unhex(bytes, fault_cases[0].hex);
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, bytes, n);
        ck_assert_msg(wzp_riff_fault(wzp_bytes_of(exact, n), n, why), "%zu bytes", n);
        free(exact);
    }
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, faults, 0, WZP_COUNT_OF(fault_cases));
    tcase_add_test(tc, every_prefix_has_a_fault);
    return wzp_run_suite("riff", tc);
}
