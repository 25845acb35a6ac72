#include "io/identity_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "io/files.h"
#include "io/sys.h"

enum { SEED_LEN = 32, DIGITS = 64, FILE_MAX = 256, PATH_CAP = 4096 };

static void wipe(void *secret, size_t len) {
    explicit_bzero(secret, len);
}

static wzp_err make(uint8_t seed[SEED_LEN], const char *path, wzp_rng rng,
                    char why[WZP_IDENTITY_WHY_MAX]) {
    uint8_t fresh[SEED_LEN];
    char text[DIGITS + 1];
    wzp_rng_fill(rng, fresh, sizeof fresh);
    wzp_hex_write(text, wzp_bytes_of(fresh, sizeof fresh));
    wzp_err err = wzp_io_make_parents(path);
    if (err == WZP_OK) {
        err = wzp_io_write_atomic(path, wzp_bytes_str(text), 0600);
    }
    if (err == WZP_OK) {
        memcpy(seed, fresh, sizeof fresh);
    } else {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX, "%s: cannot be written: %s", path,
                       wzp_io_reason(errno));
    }
    wipe(fresh, sizeof fresh);
    wipe(text, sizeof text);
    return err;
}

static wzp_err parse(uint8_t seed[SEED_LEN], const char *path, const char *text,
                     char why[WZP_IDENTITY_WHY_MAX]) {
    static const char space[] = " \t\r\n\v\f";
    uint8_t parsed[SEED_LEN];
    size_t bad = 0;
    const size_t lead = strspn(text, space);
    size_t len = strlen(text + lead);
    while (len > 0 && strchr(space, text[lead + len - 1]) != NULL) {
        len--;
    }
    const wzp_err err = wzp_hex_parse(parsed, sizeof parsed, text + lead, len, &bad);
    if (err == WZP_OK) {
        memcpy(seed, parsed, sizeof parsed);
    } else if (len != DIGITS) {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX,
                       "%s: expected 64 hexadecimal digits, found %zu characters", path, len);
    } else {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX,
                       "%s: expected 64 hexadecimal digits, the character at offset %zu is none",
                       path, lead + bad);
    }
    wipe(parsed, sizeof parsed);
    return err == WZP_OK ? WZP_OK : WZP_ERR_PARSE;
}

static bool is_exposed(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

/* WZP_OK: the seed; WZP_ERR_PARSE: what is there is none; WZP_ERR_IO: errno says why not. */
static wzp_err take(uint8_t seed[SEED_LEN], const char *path, char why[WZP_IDENTITY_WHY_MAX]) {
    char text[FILE_MAX];
    size_t len = 0;
    if (wzp_io_read_file(path, text, sizeof text, &len)) {
        const wzp_err err = parse(seed, path, text, why);
        wipe(text, sizeof text);
        return err;
    }
    if (errno == EFBIG) {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX,
                       "%s: expected 64 hexadecimal digits, found a longer file", path);
        return WZP_ERR_PARSE;
    }
    const int reason = errno;
    (void)snprintf(why, WZP_IDENTITY_WHY_MAX, "%s: cannot be read: %s", path,
                   wzp_io_reason(reason));
    errno = reason;
    return WZP_ERR_IO;
}

static wzp_err renew(uint8_t seed[SEED_LEN], const char *path, wzp_rng rng,
                     char why[WZP_IDENTITY_WHY_MAX]) {
    char kept[PATH_CAP];
    char failed[WZP_IDENTITY_WHY_MAX];
    const int n = snprintf(kept, sizeof kept, "%s.bad", path);
    if (n < 0 || (size_t)n >= sizeof kept || rename(path, kept) != 0) {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX, "%s: cannot be kept as %.400s: %s", path, kept,
                       wzp_io_reason(errno));
        return WZP_ERR_IO;
    }
    const wzp_err err = make(seed, path, rng, failed);
    if (err != WZP_OK) {
        (void)snprintf(why, WZP_IDENTITY_WHY_MAX, "%s", failed);
    }
    return err;
}

wzp_err wzp_identity_file_load(uint8_t seed[SEED_LEN], const char *path, wzp_identity_policy policy,
                               wzp_rng rng, wzp_identity_origin *origin,
                               char why[WZP_IDENTITY_WHY_MAX]) {
    wzp_err err = WZP_ERR_IO;
    errno = ENOENT;
    if (policy != WZP_IDENTITY_REPLACE) {
        err = take(seed, path, why);
    }
    if (err == WZP_ERR_IO && errno == ENOENT) {
        *origin = WZP_IDENTITY_MADE;
        return make(seed, path, rng, why);
    }
    if (err == WZP_ERR_PARSE && policy == WZP_IDENTITY_REPLACE_BAD) {
        *origin = WZP_IDENTITY_RENEWED;
        return renew(seed, path, rng, why);
    }
    if (err == WZP_OK) {
        *origin = is_exposed(path) ? WZP_IDENTITY_EXPOSED : WZP_IDENTITY_READ;
    }
    return err;
}
