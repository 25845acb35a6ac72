#include "sim/lab/near.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 63, MOST = 3 };

const char *wzp_lab_word_at(const void *list, size_t index) {
    const char *const *words = list;
    return words[index];
}

static size_t min3(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Insertions, deletions and replacements from one to the other; SIZE_MAX for what is too long. */
static size_t distance(const char *a, const char *b) {
    size_t row[LONGEST + 1];
    const size_t n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t above = row[j];
            row[j] = min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[n];
}

/* "wifi" is near "wifi-bad", whatever their distance. */
static size_t strangeness(const char *name, const char *candidate) {
    const size_t d = distance(name, candidate);
    const size_t len = strlen(name);
    const size_t enough = len / 3 + 1;
    if (d <= enough && d < len) {
        return d;
    }
    return len >= 3 && strncmp(name, candidate, len) == 0 ? enough : SIZE_MAX;
}

const char *wzp_lab_near(const char *name, wzp_lab_name_at *at, const void *list,
                         char buf[WZP_LAB_NEAR_MAX]) {
    size_t best = SIZE_MAX;
    size_t used = 0;
    unsigned found = 0;
    const char *candidate = NULL;
    for (size_t i = 0; (candidate = at(list, i)) != NULL; i++) {
        const size_t d = strangeness(name, candidate);
        best = d < best ? d : best;
    }
    buf[0] = '\0';
    for (size_t i = 0; best != SIZE_MAX && found < MOST && (candidate = at(list, i)) != NULL; i++) {
        if (strangeness(name, candidate) == best) {
            used += (size_t)snprintf(buf + used, WZP_LAB_NEAR_MAX - used, "%s'%s'",
                                     found == 0 ? " (" : " or ", candidate);
            found++;
        }
    }
    if (found > 0) {
        (void)snprintf(buf + used, WZP_LAB_NEAR_MAX - used, "?)");
    }
    return buf;
}

const char *wzp_lab_names(wzp_lab_name_at *at, const void *list, char *buf, size_t cap) {
    size_t used = 0;
    const char *name = NULL;
    buf[0] = '\0';
    for (size_t i = 0; (name = at(list, i)) != NULL; i++) {
        const size_t len = strlen(name) + 2;
        if (used + len + sizeof ", ..." > cap) {
            (void)snprintf(buf + used, cap - used, ", ...");
            break;
        }
        used += (size_t)snprintf(buf + used, cap - used, "%s%s", i > 0 ? ", " : "", name);
    }
    return buf;
}
