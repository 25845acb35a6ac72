#include "sim/lab/near.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"

enum { MOST = 3 };

const char *wzp_lab_word_at(const void *list, size_t index) {
    const char *const *words = list;
    return words[index];
}

/* "wifi" is near "wifi-bad", whatever their distance. */
static size_t strangeness(const char *name, const char *candidate) {
    const size_t d = wzp_near_distance(name, candidate);
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
