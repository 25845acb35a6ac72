/* "client" and "signals": what a client does besides its call, and what happens to what it says to
 * its relay and hears from it. */
#include <stdio.h>
#include <string.h>

#include "nat/birthday.h"
#include "nat/port_alloc.h"
#include "sim/lab/read.h"
#include "wire/signal.h"

/* --- client ---------------------------------------------------------------------------------- */

#define QUANTITY(name, of, member, least, most, text)                                              \
    WZP_LAB_QUANTITY(wzp_lab_client, member, name, WZP_LAB_##of, least, most, text)

static const char *const accepts[] = {"trusted", "generic", "never", "reject", "offline", NULL};

static const wzp_lab_field birthday_fields[] = {
    QUANTITY("sockets", PLAIN, birthday_sockets, 1, WZP_BIRTHDAY_PORTS_MAX,
             "that the side with the hard NAT opens"),
    QUANTITY("probes", PLAIN, birthday_probes, 1, WZP_BIRTHDAY_PROBES_MAX,
             "that the other side sends"),
    QUANTITY("every", TIME, birthday_every, WZP_BIRTHDAY_INTERVAL_MIN, 0, "so often a probe"),
};
const wzp_lab_table wzp_lab_birthday_table = {"a birthday attack", birthday_fields,
                                              WZP_COUNT_OF(birthday_fields)};

static void take_birthday(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_client *client = out;
    const size_t before = r->errors->count;
    client->birthday_every = 20 * WZP_MS;
    (void)wzp_lab_read(r, path, value, &wzp_lab_birthday_table, client);
    if (r->errors->count == before &&
        (client->birthday_sockets == 0 || client->birthday_probes == 0)) {
        wzp_lab_complain(r, path, "a birthday attack needs `sockets` and `probes`");
    }
}

static void take_allocation(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_client *client = out;
    const char *text = json_string_value(value);
    wzp_port_alloc alloc;
    if (text == NULL || strlen(text) >= sizeof client->allocation ||
        wzp_port_alloc_parse(&alloc, text) != WZP_OK) {
        wzp_lab_complain_type(
            r, path, "\"port-preserving\", \"sequential(delta=1)\", \"random\" or \"unknown\"",
            value);
        return;
    }
    (void)snprintf(client->allocation, sizeof client->allocation, "%s", text);
}

static const wzp_lab_field client_fields[] = {
    WZP_LAB_WORD(wzp_lab_client, accept, "accept", accepts,
                 "called: with its addresses, by the relay only, or not at all"),
    WZP_LAB_WORD(wzp_lab_client, policy, "policy", wzp_lab_policy_words,
                 "how it looks for a path to the other side; the scenario's without"),
    WZP_LAB_FLAG(wzp_lab_client, no_prediction, "no_prediction",
                 "does not guess the next ports of hard NATs"),
    WZP_LAB_CUSTOM("allocation", take_allocation, WZP_LAB_STRING,
                   "what it claims about its NAT's ports, whatever it found"),
    WZP_LAB_CUSTOM("birthday", take_birthday, WZP_LAB_REF("birthday"),
                   "many sockets against many probes, once the relay carries the call"),
    WZP_LAB_TEXT(wzp_lab_client, intrudes, "intrudes",
                 "dials this host as a stranger while others race for it"),
};
const wzp_lab_table wzp_lab_client_table = {"a client", client_fields, WZP_COUNT_OF(client_fields)};

void wzp_lab_read_client(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_host *host) {
    (void)wzp_lab_read(r, path, value, &wzp_lab_client_table, &host->client);
}

static void need(wzp_lab_reader *r, const wzp_lab_scenario *s, const wzp_lab_host *host, bool used,
                 const char *key, wzp_lab_need what) {
    char path[WZP_LAB_PATH_MAX];
    if (used && !wzp_lab_can(what) && (s->needs & 1U << what) == 0) {
        (void)snprintf(path, sizeof path, "host.%s.client.%s", host->name, key);
        wzp_lab_complain(r, path, "this build lacks %s; say needs = \"%s\"",
                         wzp_lab_need_text(what), wzp_lab_need_word(what));
    }
}

void wzp_lab_check_clients(wzp_lab_reader *r, const wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = 0; i < s->host_count; i++) {
        const wzp_lab_host *host = &s->hosts[i];
        const wzp_lab_client *client = &host->client;
        need(r, s, host, client->allocation[0] != '\0', "allocation", WZP_LAB_NEED_BIRTHDAY);
        need(r, s, host, client->no_prediction, "no_prediction", WZP_LAB_NEED_PREDICTION);
        need(r, s, host, client->birthday_sockets != 0, "birthday", WZP_LAB_NEED_BIRTHDAY);
        need(r, s, host, client->intrudes[0] != '\0', "intrudes", WZP_LAB_NEED_INTRUDER);
        if (client->intrudes[0] != '\0' && wzp_lab_find_host(s, client->intrudes) == WZP_LAB_NONE) {
            (void)snprintf(path, sizeof path, "host.%s.client.intrudes", host->name);
            wzp_lab_complain_name(r, path, "host", client->intrudes, wzp_lab_host_at, s);
        }
    }
}

/* --- signals --------------------------------------------------------------------------------- */

static const char *const ways[] = {"in", "out", NULL};
static const char *const acts[] = {"pass", "drop", "delay", "duplicate", NULL};

/* Words are read into integers. */
typedef struct described {
    wzp_sim_signal_fault fault;
    uint32_t way, act;
} described;

/* With `list` "any" is one, too. */
static const char *signal_at(const void *list, size_t index) {
    if (list != NULL && index == 0) {
        return "any";
    }
    index -= list != NULL ? 1 : 0;
    return index < WZP_SIGNAL_COUNT ? wzp_signal_name((wzp_signal_kind)index) : NULL;
}

static void take_one(wzp_lab_reader *r, const char *path, json_t *value, const void *list,
                     char out[WZP_LAB_SIGNAL_MAX]) {
    const char *name = json_string_value(value);
    const char *known = NULL;
    if (name == NULL) {
        wzp_lab_complain_type(r, path,
                              list != NULL ? "the name of a signal, as \"CallAnswer\", or \"any\""
                                           : "the name of a signal, as \"CallAnswer\"",
                              value);
        return;
    }
    for (size_t i = 0; (known = signal_at(list, i)) != NULL; i++) {
        if (strcmp(known, name) == 0) {
            (void)snprintf(out, WZP_LAB_SIGNAL_MAX, "%s", name);
            return;
        }
    }
    wzp_lab_complain_name(r, path, "signal", name, signal_at, list);
}

void wzp_lab_take_signal(wzp_lab_reader *r, const char *path, json_t *value,
                         char out[WZP_LAB_SIGNAL_MAX]) {
    take_one(r, path, value, NULL, out);
}

static void take_name(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    take_one(r, path, value, out, ((described *)out)->fault.name);
}

#define SIGNAL(name, of, member, text)                                                             \
    WZP_LAB_QUANTITY(described, fault.member, name, WZP_LAB_##of, 0, 0, text)

static const wzp_lab_field signal_fields[] = {
    WZP_LAB_CUSTOM("name", take_name, WZP_LAB_STRING, "of the signal, or \"any\""),
    WZP_LAB_WORD(described, way, "way", ways, "to the client, or from it to the relay"),
    WZP_LAB_WORD(described, act, "do", acts, "what happens to it"),
    SIGNAL("by", TIME, by, "delay, duplicate: so much later"),
    SIGNAL("first", PLAIN, first, "from this one on, counted from 0"),
    SIGNAL("count", PLAIN, count, "so many; all that follow without"),
    SIGNAL("from", TIME, from, "not before, from the start of the run"),
    SIGNAL("until", TIME, until, "not after; for ever without"),
};
const wzp_lab_table wzp_lab_signal_table = {"a signal's fault", signal_fields,
                                            WZP_COUNT_OF(signal_fields)};

static void read_signal(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_host *host) {
    described d = {0};
    const size_t before = r->errors->count;
    if (host->fault_count == WZP_SIM_SIGNAL_FAULTS_MAX) {
        wzp_lab_complain(r, path, "expected at most %d faults of signals",
                         WZP_SIM_SIGNAL_FAULTS_MAX);
        return;
    }
    (void)wzp_lab_read(r, path, value, &wzp_lab_signal_table, &d);
    if (r->errors->count != before) {
        return;
    }
    d.fault.out = d.way == 1;
    d.fault.act = (wzp_sim_signal_act)d.act;
    if (d.fault.name[0] == '\0' || json_object_get(value, "way") == NULL ||
        json_object_get(value, "do") == NULL) {
        wzp_lab_complain(r, path, "a fault needs `name`, `way` and `do`");
    } else if (d.fault.act == WZP_SIM_SIGNAL_DELAY && d.fault.by == 0) {
        wzp_lab_complain(r, path, "delay needs `by`");
    } else if (d.fault.until != 0 && d.fault.until <= d.fault.from) {
        wzp_lab_complain(r, path, "it ends before it begins");
    } else {
        host->faults[host->fault_count++] = d.fault;
    }
}

void wzp_lab_read_signals(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_host *host) {
    char below[WZP_LAB_PATH_MAX];
    if (!json_is_array(value)) {
        read_signal(r, path, value, host);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        read_signal(r, wzp_lab_below_at(below, path, i), json_array_get(value, i), host);
    }
}
