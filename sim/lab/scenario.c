#include "sim/lab/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "sim/lab/read.h"

/* --- needs ----------------------------------------------------------------------------------- */

static const char *const need_words[] = {
#define X(id, word, text) word,
    WZP_LAB_NEED_MAP(X)
#undef X
        NULL};

static const char *const need_texts[] = {
#define X(id, word, text) text,
    WZP_LAB_NEED_MAP(X)
#undef X
};

const char *wzp_lab_need_word(wzp_lab_need need) {
    return need_words[need];
}

const char *wzp_lab_need_text(wzp_lab_need need) {
    return need_texts[need];
}

/* The client joins rooms on a relay; what more there is to it comes with it. */
bool wzp_lab_can(wzp_lab_need need) {
    static const bool can[WZP_LAB_NEED_COUNT] = {
        [WZP_LAB_NEED_FEDERATION] = true,  [WZP_LAB_NEED_IPV6] = true,
        [WZP_LAB_NEED_QUICK_LOSS] = true,  [WZP_LAB_NEED_RESUME] = true,
        [WZP_LAB_NEED_DRIFT] = true,       [WZP_LAB_NEED_ADAPTATION] = true,
        [WZP_LAB_NEED_CODEC2] = true,      [WZP_LAB_NEED_DIRECT] = true,
        [WZP_LAB_NEED_SIGNALS] = true,     [WZP_LAB_NEED_PORT_MAPPING] = true,
        [WZP_LAB_NEED_PREDICTION] = true,  [WZP_LAB_NEED_UPNP] = true,
        [WZP_LAB_NEED_INTRUDER] = true,    [WZP_LAB_NEED_BIRTHDAY] = true,
        [WZP_LAB_NEED_SIGNAL_LOSS] = true,
    };
    return can[need];
}

const char *wzp_lab_scenario_lacks(const wzp_lab_scenario *scenario) {
    for (unsigned need = 0; need < WZP_LAB_NEED_COUNT; need++) {
        if ((scenario->needs & 1U << need) != 0 && !wzp_lab_can((wzp_lab_need)need)) {
            return need_texts[need];
        }
    }
    return NULL;
}

static void take_needs(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_scenario *s = out;
    const char *words[WZP_LAB_NEED_COUNT];
    const size_t n = wzp_lab_strings(r, path, value, words, WZP_LAB_NEED_COUNT);
    for (size_t i = 0; i < n; i++) {
        unsigned need = 0;
        while (need < WZP_LAB_NEED_COUNT && strcmp(words[i], need_words[need]) != 0) {
            need++;
        }
        if (need == WZP_LAB_NEED_COUNT) {
            wzp_lab_complain_name(r, path, "need", words[i], wzp_lab_word_at, need_words);
        } else {
            s->needs |= 1U << need;
        }
    }
}

const char *const wzp_lab_policy_words[] = {"reference", "deployed", NULL};

/* --- memory ---------------------------------------------------------------------------------- */

void *wzp_lab_keep(wzp_lab_reader *r, size_t count, size_t size) {
    wzp_lab_scenario *s = r->owner;
    void **owned = realloc(s->owned, (s->owned_count + 1) * sizeof *owned);
    void *kept = owned != NULL ? calloc(count, size) : NULL;
    s->owned = owned != NULL ? owned : s->owned;
    if (kept == NULL) {
        wzp_lab_complain(r, "", "out of memory");
        return NULL;
    }
    s->owned[s->owned_count++] = kept;
    return kept;
}

void wzp_lab_scenario_free(wzp_lab_scenario **scenario) {
    wzp_lab_scenario *s = *scenario;
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->call_count; i++) {
        wzp_sim_payloads_free(&s->calls[i].payloads);
    }
    for (size_t i = 0; i < s->owned_count; i++) {
        free(s->owned[i]);
    }
    free(s->owned);
    wzp_lab_doc_clear(&s->doc);
    free(s);
    *scenario = NULL;
}

/* --- sections -------------------------------------------------------------------------------- */

#define SECTION(name, shape, text) WZP_LAB_CUSTOM(name, wzp_lab_elsewhere, shape, text)

static const wzp_lab_field root_fields[] = {
    WZP_LAB_TEXT(wzp_lab_scenario, name, "name", "of the scenario"),
    WZP_LAB_TEXT(wzp_lab_scenario, about, "about", "what it shows"),
    WZP_LAB_QUANTITY(wzp_lab_scenario, duration, "duration", WZP_LAB_TIME, (int64_t)WZP_S,
                     24 * INT64_C(3600) * (int64_t)WZP_S, "of the run"),
    WZP_LAB_QUANTITY(wzp_lab_scenario, seed, "seed", WZP_LAB_PLAIN, 0, 0, "of all chance"),
    WZP_LAB_WORD(wzp_lab_scenario, policy, "policy", wzp_lab_policy_words,
                 "how clients look for a path to each other; decides which expectations count"),
    WZP_LAB_CUSTOM("needs", take_needs, WZP_LAB_STRINGS,
                   "what not every build can do; campaigns skip it in one that cannot"),
    SECTION("access", WZP_LAB_REF("line"), "of every way out that says nothing else"),
    SECTION("host", WZP_LAB_REFS("host"), "who takes part"),
    SECTION("lan", WZP_LAB_REFS("lan"), "networks with several hosts behind one box"),
    SECTION("relay", WZP_LAB_REF("relays"), "one, or several by name"),
    SECTION("stun", WZP_LAB_REF("stun"), "STUN servers; none without"),
    SECTION("core", WZP_LAB_REF("core"), "what lies between the places"),
    SECTION("call", WZP_LAB_REF("calls"), "who talks to whom; all hosts without"),
    SECTION("event", "{\"type\":\"array\",\"items\":" WZP_LAB_REF("event") "}",
            "what happens while it runs"),
    SECTION("expect", WZP_LAB_REF("expect"), "what must come of it"),
};
const wzp_lab_table wzp_lab_root_table = {"a scenario", root_fields, WZP_COUNT_OF(root_fields)};

/* --- addresses that clash -------------------------------------------------------------------- */

typedef struct owner {
    const char *name;
    wzp_addr address;
    uint32_t lan;
} owner;

static void add_owner(wzp_lab_reader *r, owner *owners, size_t *count, const char *name,
                      const wzp_lab_way *way) {
    char text[WZP_ADDR_TEXT_MAX];
    for (size_t i = 0; i < *count; i++) {
        if (owners[i].lan == way->lan && wzp_addr_same_ip(&owners[i].address, &way->address)) {
            wzp_addr_text(&way->address, text);
            text[strcspn(text, ":")] = '\0';
            wzp_lab_complain(r, "", "%s and %s have the same address %s", owners[i].name, name,
                             text);
            return;
        }
    }
    owners[(*count)++] = (owner){name, way->address, way->lan};
}

static void refuse_shared(wzp_lab_reader *r, const wzp_lab_scenario *s) {
    owner *owners =
        calloc((size_t)WZP_LAB_HOSTS_MAX * WZP_LAB_WAYS_MAX + WZP_LAB_LANS_MAX + WZP_LAB_RELAYS_MAX,
               sizeof *owners);
    size_t count = 0;
    for (size_t i = 0; owners != NULL && i < s->relay_count; i++) {
        const wzp_lab_way way = {.address = s->relays[i].address, .lan = WZP_LAB_NONE};
        add_owner(r, owners, &count, s->relays[i].name, &way);
    }
    for (size_t i = 0; owners != NULL && i < s->lan_count; i++) {
        add_owner(r, owners, &count, s->lans[i].name, &s->lans[i].way);
    }
    for (size_t i = 0; owners != NULL && i < s->host_count; i++) {
        for (size_t w = 0; w < s->hosts[i].way_count; w++) {
            add_owner(r, owners, &count, s->hosts[i].ways[w].name, &s->hosts[i].ways[w]);
        }
    }
    free(owners);
}

/* --- all ------------------------------------------------------------------------------------- */

static void read_all(wzp_lab_reader *r, wzp_lab_scenario *s) {
    json_t *root = s->doc.tree;
    if (!wzp_lab_read(r, "", root, &wzp_lab_root_table, s)) {
        /* Go on: the sections may have more to say. */
        s->duration = s->duration != 0 ? s->duration : 60 * WZP_S;
    }
    if (s->name[0] == '\0' && json_object_get(root, "name") == NULL) {
        wzp_lab_complain(r, "", "a scenario needs a name, as name = \"N14 prc-symrand\"");
    }
    wzp_lab_read_places(r, root, s);
    wzp_lab_check_clients(r, s);
    if (r->errors->count == 0) {
        wzp_lab_number(s);
        refuse_shared(r, s);
        wzp_lab_read_calls(r, root, s);
    }
    if (r->errors->count == 0) {
        wzp_lab_read_events(r, root, s);
    }
}

wzp_err wzp_lab_scenario_read(wzp_lab_scenario **out, const wzp_lab_doc *doc, const uint64_t *seed,
                              wzp_lab_errors *errors) {
    wzp_lab_scenario *s = calloc(1, sizeof *s);
    errors->count = 0;
    if (s == NULL || wzp_lab_doc_copy(&s->doc, doc) != WZP_OK) {
        free(s);
        return WZP_ERR_NOMEM;
    }
    s->duration = 60 * WZP_S;
    s->seed = 1;
    /* The seed decides over draws, so it comes before all else. */
    const json_t *own = json_object_get(doc->tree, "seed");
    wzp_lab_reader r = {.doc = &s->doc, .errors = errors, .owner = s};
    r.seed = seed != NULL ? *seed : json_is_integer(own) ? (uint64_t)json_integer_value(own) : 1;
    read_all(&r, s);
    s->seed = r.seed;
    if (errors->count > 0) {
        wzp_lab_scenario_free(&s);
        return WZP_ERR_PARSE;
    }
    *out = s;
    return WZP_OK;
}

/* --- engines ---------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(misc-no-recursion): the parser refused deep nesting before */
static void find_media(wzp_lab_reader *r, const char *path, const json_t *value) {
    char below[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    json_object_foreach((json_t *)wzp_drop_const(value), key, item) {
        wzp_lab_below(below, path, key);
        if (strcmp(key, "medium") == 0 && json_is_string(item)) {
            wzp_lab_complain(r, below, "the native engine has no medium \"%s\"; --engine ns3 has",
                             json_string_value(item));
        } else {
            find_media(r, below, item);
        }
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        find_media(r, wzp_lab_below_at(below, path, i), json_array_get(value, i));
    }
}

bool wzp_lab_scenario_fits(const wzp_lab_scenario *scenario, const char *engine,
                           wzp_lab_errors *errors) {
    wzp_lab_reader r = {.doc = wzp_drop_const(&scenario->doc), .errors = errors};
    errors->count = 0;
    if (strcmp(engine, "native") == 0) {
        find_media(&r, "", scenario->doc.tree);
    }
    return errors->count == 0;
}
