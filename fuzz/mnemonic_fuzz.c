/* Keys as text: 24 words, or hexadecimal.  What parses is written in the one form that there is,
 * and that form gives the same seed; what does not parse says where. */
#include <string.h>

#include "base/hex.h"
#include "crypto/mnemonic.h"
#include "require.h"

static void words(wzp_bytes text) {
    char canonical[WZP_MNEMONIC_MAX];
    uint8_t seed[WZP_KEY_LEN];
    uint8_t back[WZP_KEY_LEN];
    wzp_fail fail = {0};
    if (wzp_mnemonic_parse(seed, text, &fail) != WZP_OK) {
        require(fail.field != NULL && fail.offset <= text.len);
        return;
    }
    wzp_mnemonic_write(canonical, seed);
    require(wzp_mnemonic_parse(back, wzp_bytes_str(canonical), NULL) == WZP_OK);
    require(memcmp(seed, back, sizeof seed) == 0);
}

static void digits(const char *text, size_t len) {
    uint8_t bytes[64];
    char again[2 * sizeof bytes + 1];
    size_t bad = SIZE_MAX;
    const size_t want = len / 2 <= sizeof bytes ? len / 2 : sizeof bytes;
    if (wzp_hex_parse(bytes, want, text, len, &bad) != WZP_OK) {
        require(bad <= len);
        return;
    }
    wzp_hex_write(again, wzp_bytes_of(bytes, want));
    for (size_t i = 0; i < len; i++) {
        require(again[i] == (text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    words(wzp_bytes_of(data, size));
    digits(text, size);
    /* Any 32 bytes are a seed, and come back. */
    if (size == WZP_KEY_LEN) {
        char written[WZP_MNEMONIC_MAX];
        uint8_t back[WZP_KEY_LEN];
        wzp_mnemonic_write(written, data);
        require(wzp_mnemonic_parse(back, wzp_bytes_str(written), NULL) == WZP_OK);
        require(memcmp(back, data, sizeof back) == 0);
    }
    free(text);
    return 0;
}
