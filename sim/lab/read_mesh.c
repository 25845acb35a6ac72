/* "federate" and "twin" of relays: who is linked with whom, once all relays are known. */
#include <string.h>

#include "sim/lab/read.h"

static uint32_t relay_named(wzp_lab_reader *r, const char *path, const char *name, size_t self) {
    const wzp_lab_scenario *s = r->owner;
    const uint32_t found = wzp_lab_find_relay(s, name);
    if (found == WZP_LAB_NONE) {
        wzp_lab_complain_name(r, path, "relay", name, wzp_lab_relay_at, s);
    } else if (found == self) {
        wzp_lab_complain(r, path, "a relay cannot name itself");
        return WZP_LAB_NONE;
    }
    return found;
}

static void read_federate(wzp_lab_reader *r, const char *path, const json_t *value, size_t self) {
    wzp_lab_scenario *s = r->owner;
    const char *names[WZP_LAB_RELAYS_MAX];
    const size_t n = wzp_lab_strings(r, path, value, names, WZP_LAB_RELAYS_MAX);
    s->partial_mesh = true;
    for (size_t i = 0; i < n; i++) {
        const uint32_t other = relay_named(r, path, names[i], self);
        s->relays[self].dials |= other != WZP_LAB_NONE ? 1U << other : 0;
    }
}

static void read_twin(wzp_lab_reader *r, const char *path, const json_t *value, size_t self) {
    wzp_lab_scenario *s = r->owner;
    const char *name = json_string_value(value);
    if (name == NULL) {
        wzp_lab_complain_type(r, path, "the name of a relay", value);
        return;
    }
    const uint32_t twin = relay_named(r, path, name, self);
    if (twin != WZP_LAB_NONE && twin > self) {
        wzp_lab_complain(r, path, "the one with the identity of another comes after it");
        return;
    }
    s->relays[self].identity = twin != WZP_LAB_NONE ? s->relays[twin].identity : (uint32_t)self;
}

static void need_federation(wzp_lab_reader *r, const char *path) {
    const wzp_lab_scenario *s = r->owner;
    if ((s->needs & 1U << WZP_LAB_NEED_FEDERATION) == 0) {
        wzp_lab_complain(r, path, "is of relays that federate; say needs = \"federation\"");
    }
}

/* Without any "federate" every two are linked, and the earlier one dials. */
static void link_all(wzp_lab_scenario *s) {
    for (size_t i = 0; i < s->relay_count; i++) {
        for (size_t k = i + 1; k < s->relay_count; k++) {
            s->relays[i].dials |= 1U << k;
        }
    }
}

void wzp_lab_read_mesh(wzp_lab_reader *r, json_t *relays) {
    wzp_lab_scenario *s = r->owner;
    char base[WZP_LAB_PATH_MAX];
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = 0; i < s->relay_count; i++) {
        json_t *table = json_object_get(relays, s->relays[i].name);
        wzp_lab_below(base, "relay", s->relays[i].name);
        json_t *federate =
            wzp_lab_value(r, wzp_lab_below(path, base, "federate"), table, "federate");
        if (federate != NULL) {
            need_federation(r, path);
            read_federate(r, path, federate, i);
        }
        json_t *twin = wzp_lab_value(r, wzp_lab_below(path, base, "twin"), table, "twin");
        if (twin != NULL) {
            need_federation(r, path);
            read_twin(r, path, twin, i);
        }
    }
    if (!s->partial_mesh) {
        link_all(s);
    }
}
