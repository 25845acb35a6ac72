/* "access" and "core.x-y": what happens to packets on the way. */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/read.h"

#define QUANTITY(name, of, member, text)                                                           \
    WZP_LAB_QUANTITY(wzp_sim_link_cfg, member, name, WZP_LAB_##of, 0, 0, text)
#define FLAG(name, member, text) WZP_LAB_FLAG(wzp_sim_link_cfg, member, name, text)
#define WORD(name, list, member, text) WZP_LAB_WORD(wzp_sim_link_cfg, member, name, list, text)
#define CUSTOM WZP_LAB_CUSTOM
#define REF WZP_LAB_REF
#define TABLE(name, list)                                                                          \
    const wzp_lab_table wzp_lab_##list##_table = {(name), list, WZP_COUNT_OF(list)}

/* A string is a short form: the one quantity that is meant. */
static bool short_form(wzp_lab_reader *r, const char *path, json_t *value,
                       const wzp_lab_field *field, wzp_sim_link_cfg *out) {
    return json_is_string(value) && (wzp_lab_read_field(r, path, value, field, out), true);
}

/* --- delay ----------------------------------------------------------------------------------- */

static const char *const delay_laws[] = {
    "fixed",         "uniform", "normal", "lognormal", "pareto",
    "pareto-normal", "ar1",     "netem",  "wifi",      NULL};

static const char *const text_pair =
    "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
    "\"minItems\":2,\"maxItems\":2}}";

static bool read_point(wzp_lab_reader *r, const char *path, json_t *pair, wzp_sim_point *out) {
    static const wzp_lab_field at =
        WZP_LAB_QUANTITY(wzp_sim_point, at, "at", WZP_LAB_TIME, 0, 0, "");
    static const wzp_lab_field delay =
        WZP_LAB_QUANTITY(wzp_sim_point, delay, "delay", WZP_LAB_TIME, 0, 0, "");
    if (json_array_size(pair) != 2) {
        wzp_lab_complain_type(r, path, "a pair of times, as [\"1 s\", \"20 ms\"]", pair);
        return false;
    }
    return wzp_lab_read_field(r, path, json_array_get(pair, 0), &at, out) &&
           wzp_lab_read_field(r, path, json_array_get(pair, 1), &delay, out);
}

static void take_trace(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    char below[WZP_LAB_PATH_MAX];
    wzp_sim_link_cfg *link = out;
    const size_t n = json_array_size(value);
    wzp_sim_point *points = n > 0 ? wzp_lab_keep(r, n, sizeof *points) : NULL;
    if (points == NULL) {
        wzp_lab_complain_type(r, path, "a list of pairs of times, as [[\"1 s\", \"20 ms\"]]",
                              value);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_point(r, wzp_lab_below_at(below, path, i), json_array_get(value, i),
                        &points[i])) {
            return;
        }
    }
    link->delay.law = WZP_SIM_DELAY_TRACE;
    link->delay.trace = points;
    link->delay.trace_count = n;
}

static const wzp_lab_field jitter[] = {
    WORD("law", delay_laws, delay.law, "how the delay varies"),
    QUANTITY("spread", TIME, delay.spread, "half width, deviation or scale, by the law"),
    QUANTITY("shape", PLAIN, delay.shape_milli,
             "Pareto's alpha or lognormal's sigma, in thousandths"),
    QUANTITY("correlation", SHARE, delay.rho_ppm, "of one packet with the next (ar1, netem)"),
    FLAG("reorder", delay.reorder, "packets may overtake each other"),
    QUANTITY("skip_every", PLAIN, delay.skip_every, "every n-th packet skips the delay"),
    QUANTITY("skip", SHARE, delay.skip_ppm, "so many packets skip the delay"),
    CUSTOM("trace", take_trace, text_pair, "delay over time, repeated"),
};
TABLE("a jitter", jitter);

static void take_jitter(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    static const wzp_lab_field spread = QUANTITY("spread", TIME, delay.spread, "");
    wzp_sim_link_cfg *link = out;
    link->delay.law = WZP_SIM_DELAY_NORMAL;
    if (!short_form(r, path, value, &spread, link)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_jitter_table, link);
    }
}

/* --- loss ------------------------------------------------------------------------------------ */

static const char *const loss_models[] = {"none",    "bernoulli", "gilbert", "four-state",
                                          "pattern", "list",      NULL};

static void take_pattern(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_link_cfg *link = out;
    const char *bits = json_string_value(value);
    const size_t len = bits != NULL ? strlen(bits) : 0;
    if (len == 0 || bits[strspn(bits, "01")] != '\0') {
        wzp_lab_complain_type(r, path, "zeros and ones in quotes, as \"0001\"", value);
        return;
    }
    uint8_t *copy = wzp_lab_keep(r, len + 1, 1);
    if (copy != NULL) {
        memcpy(copy, bits, len + 1);
        link->loss.model = WZP_SIM_LOSS_PATTERN;
        link->loss.pattern = copy;
        link->loss.count = len;
    }
}

static void take_list(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_link_cfg *link = out;
    const size_t n = json_array_size(value);
    uint64_t *list = n > 0 ? wzp_lab_keep(r, n, sizeof *list) : NULL;
    bool good = list != NULL;
    for (size_t i = 0; good && i < n; i++) {
        const json_t *item = json_array_get(value, i);
        good = json_is_integer(item) && json_integer_value(item) >= 0;
        list[i] = good ? (uint64_t)json_integer_value(item) : 0;
    }
    if (!good) {
        wzp_lab_complain_type(r, path, "a list of packet numbers from 0, as [0, 7, 8]", value);
        return;
    }
    link->loss.model = WZP_SIM_LOSS_LIST;
    link->loss.list = list;
    link->loss.count = n;
}

static const wzp_lab_field loss[] = {
    WORD("model", loss_models, loss.model, "bernoulli unless said otherwise"),
    QUANTITY("p", SHARE, loss.p, "of a loss; gilbert: from good to bad"),
    QUANTITY("r", SHARE, loss.r, "gilbert: from bad to good"),
    QUANTITY("bad", SHARE, loss.bad, "gilbert: loss in the bad state"),
    QUANTITY("good", SHARE, loss.good, "gilbert: loss in the good state"),
    QUANTITY("p13", SHARE, loss.p13, "four-state: from gap to burst loss"),
    QUANTITY("p31", SHARE, loss.p31, "four-state: from burst loss to gap"),
    QUANTITY("p32", SHARE, loss.p32, "four-state: from burst loss to burst reception"),
    QUANTITY("p23", SHARE, loss.p23, "four-state: from burst reception to burst loss"),
    QUANTITY("p14", SHARE, loss.p14, "four-state: an isolated loss"),
    QUANTITY("slot", TIME, loss.slot, "gilbert: a step per time, not per packet"),
    QUANTITY("max_burst", PLAIN, loss.max_burst, "after so many losses one gets through"),
    QUANTITY("until", TIME, loss.until, "from the start; for ever without"),
    CUSTOM("pattern", take_pattern, "{\"type\":\"string\",\"pattern\":\"^[01]+$\"}",
           "lost packets by a cyclic pattern, first packet first, 1 is lost"),
    CUSTOM("list", take_list, "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0}}",
           "lost packets by number from 0"),
};
TABLE("a loss", loss);

static void take_loss(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    static const wzp_lab_field share = QUANTITY("p", SHARE, loss.p, "");
    wzp_sim_link_cfg *link = out;
    link->loss = (wzp_sim_loss_cfg){.model = WZP_SIM_LOSS_BERNOULLI, .bad = WZP_PPM};
    if (!short_form(r, path, value, &share, link)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_loss_table, link);
    }
    if (link->loss.model == WZP_SIM_LOSS_BERNOULLI) {
        link->loss.bad = 0;
        link->loss.model = link->loss.p > 0 ? link->loss.model : WZP_SIM_LOSS_NONE;
    }
}

/* --- duplication, corruption ----------------------------------------------------------------- */

static const wzp_lab_field duplicate[] = {
    QUANTITY("share", SHARE, mangle.duplicate_ppm, "of packets that come twice"),
    QUANTITY("from", TIME, mangle.duplicate_from, "least extra delay of the copy"),
    QUANTITY("to", TIME, mangle.duplicate_to, "most extra delay of the copy"),
};
TABLE("a duplication", duplicate);

static void take_duplicate(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    if (!short_form(r, path, value, &duplicate[0], out)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_duplicate_table, out);
    }
}

static const wzp_lab_field corrupt[] = {
    QUANTITY("share", SHARE, mangle.corrupt_ppm, "of packets with one bit changed"),
    FLAG("pass", mangle.corrupt_pass, "handed up; else the checksum drops it"),
    QUANTITY("max_burst", PLAIN, mangle.corrupt_max_burst, "after so many one stays whole"),
    QUANTITY("until", TIME, mangle.until, "from the start; for ever without"),
};
TABLE("a corruption", corrupt);

static void take_corrupt(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    if (!short_form(r, path, value, &corrupt[0], out)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_corrupt_table, out);
    }
}

/* --- queue ----------------------------------------------------------------------------------- */

static const char *const queue_kinds[] = {"droptail", "drophead", "codel", "fq-codel",
                                          "pie",      "dual",     NULL};

static const wzp_lab_field queue[] = {
    WORD("kind", queue_kinds, queue.kind, "discipline"),
    QUANTITY("limit", TIME, queue.limit_ns, "at the link's rate"),
    QUANTITY("packets", PLAIN, queue.limit_packets, "limit"),
    QUANTITY("bytes", SIZE, queue.limit_bytes, "limit"),
    QUANTITY("target", TIME, queue.target, "codel, fq-codel, pie"),
    QUANTITY("interval", TIME, queue.interval, "codel, fq-codel, pie"),
    FLAG("ecn", queue.ecn, "mark instead of drop where the sender can"),
};
TABLE("a queue", queue);

static void take_queue(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_link_cfg *link = out;
    link->queue = (wzp_sim_queue_cfg){0};
    if (!short_form(r, path, value, &queue[1], out)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_queue_table, out);
    }
}

/* --- outages, slots, cross traffic ----------------------------------------------------------- */

static const char *const outage_kinds[] = {"none", "periodic", "exponential", "handover", NULL};

static const wzp_lab_field outage[] = {
    WORD("kind", outage_kinds, outage.kind, "periodic unless said otherwise"),
    QUANTITY("first", TIME, outage.first, "start of the first one; after `on` without"),
    QUANTITY("on", TIME, outage.on, "up for so long; exponential: on average"),
    QUANTITY("on_to", TIME, outage.on_to, "handover: up for `on` to `on_to`"),
    QUANTITY("off", TIME, outage.off, "down for so long; exponential: on average"),
    QUANTITY("off_to", TIME, outage.off_to, "handover: down for `off` to `off_to`"),
    FLAG("hold", outage.hold, "packets wait and leave in a burst; else they are lost"),
};
TABLE("an outage", outage);

static void take_outage(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_link_cfg *link = out;
    link->outage = (wzp_sim_outage_cfg){.kind = WZP_SIM_OUTAGE_PERIODIC};
    (void)wzp_lab_read(r, path, value, &wzp_lab_outage_table, link);
}

static const wzp_lab_field slots[] = {
    QUANTITY("base_from", TIME, slots.base_from, "least one-way delay of a slot"),
    QUANTITY("base_to", TIME, slots.base_to, "most one-way delay of a slot"),
    QUANTITY("gap_from", TIME, slots.gap_from, "least pause between slots"),
    QUANTITY("gap_to", TIME, slots.gap_to, "most pause between slots"),
    QUANTITY("burst_loss", SHARE, slots.burst_loss_ppm, "loss for 200 ms from the boundary on"),
    QUANTITY("outage_every", TIME, slots.outage_every, "mean time between outages"),
    QUANTITY("outage_from", TIME, slots.outage_from, "shortest outage"),
    QUANTITY("outage_to", TIME, slots.outage_to, "longest outage"),
};
TABLE("the 15 s slots of a satellite link", slots);

static void take_slots(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_sim_link_cfg *link = out;
    link->slots.on = true;
    (void)wzp_lab_read(r, path, value, &wzp_lab_slots_table, link);
}

static const char *const cross_kinds[] = {"none", "cbr", "poisson", "video", "reno", "cubic", NULL};

#define CROSS(name, of, member, text)                                                              \
    WZP_LAB_QUANTITY(wzp_sim_cross_cfg, member, name, WZP_LAB_##of, 0, 0, text)

static const wzp_lab_field cross[] = {
    WZP_LAB_WORD(wzp_sim_cross_cfg, kind, "kind", cross_kinds,
                 "of traffic; flows for reno and cubic, rate for the others"),
    CROSS("rate", RATE, bits_per_s, "cbr, poisson, video"),
    CROSS("flows", PLAIN, flows, "reno, cubic"),
    CROSS("packet", SIZE, packet, "of a packet with its IP header, 1500 B without"),
    CROSS("rtt", TIME, rtt, "reno, cubic: besides this queue, 40 ms without"),
    CROSS("from", TIME, from, "start"),
    CROSS("until", TIME, until, "end; for ever without"),
};
TABLE("cross traffic", cross);

static void take_cross(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    char below[WZP_LAB_PATH_MAX];
    wzp_sim_link_cfg *link = out;
    memset(link->cross, 0, sizeof link->cross);
    if (!json_is_array(value)) {
        (void)wzp_lab_read(r, path, value, &wzp_lab_cross_table, &link->cross[0]);
        return;
    }
    if (json_array_size(value) > WZP_SIM_CROSS_MAX) {
        wzp_lab_complain(r, path, "expected at most %d, not %zu", WZP_SIM_CROSS_MAX,
                         json_array_size(value));
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        (void)wzp_lab_read(r, wzp_lab_below_at(below, path, i), json_array_get(value, i),
                           &wzp_lab_cross_table, &link->cross[i]);
    }
}

/* --- delivery opportunities ------------------------------------------------------------------ */

/* One line = one millisecond at which 1504 bytes may leave. */
static size_t parse_opportunities(const char *text, uint32_t *out, size_t cap) {
    size_t n = 0;
    for (char *end = NULL; *text != '\0'; text = end) {
        const unsigned long ms = strtoul(text, &end, 10);
        if (end == text || ms > UINT32_MAX || n == cap || (*end != '\n' && *end != '\0')) {
            return 0;
        }
        out[n++] = (uint32_t)ms;
        end += strspn(end, "\n");
    }
    return n;
}

static void take_opportunities(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    char file[WZP_LAB_FILE_MAX];
    size_t len = 0;
    wzp_sim_link_cfg *link = out;
    char *text = wzp_lab_read_beside(r, path, value, file, &len);
    if (text == NULL) {
        return;
    }
    uint32_t *list = wzp_lab_keep(r, len / 2 + 1, sizeof *list);
    link->rate.opportunities = list;
    link->rate.opportunity_count = list != NULL ? parse_opportunities(text, list, len / 2 + 1) : 0;
    if (link->rate.opportunity_count == 0) {
        wzp_lab_complain(r, path, "%s is not a list of milliseconds, one a line", file);
    }
    free(text);
}

/* --- one direction --------------------------------------------------------------------------- */

#define OR_TABLE(what) "{\"anyOf\":[{\"type\":\"string\"}," REF(what) "]}"

static void set_medium(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    static const char *const media[] = {"wifi", "lte", NULL};
    wzp_sim_link_cfg *link = out;
    for (size_t i = 0; json_is_string(value) && media[i] != NULL; i++) {
        if (strcmp(media[i], json_string_value(value)) == 0) {
            link->access = media[i];
            return;
        }
    }
    wzp_lab_complain_type(r, path, "\"wifi\" or \"lte\"", value);
}

#define LINK_FIELDS                                                                                \
    QUANTITY("rate", RATE, rate.bits_per_s, "of the line; none: no limit and no queue"),           \
        QUANTITY("overhead", SIZE, rate.overhead, "per packet besides its IP length"),             \
        QUANTITY("burst", SIZE, rate.burst, "a token bucket of so much instead of a serial line"), \
        CUSTOM("opportunities", take_opportunities, WZP_LAB_STRING,                                \
               "file of milliseconds at which 1504 bytes may leave, instead of a rate"),           \
        QUANTITY("delay", TIME, delay.base, "one way"),                                            \
        CUSTOM("jitter", take_jitter, OR_TABLE("jitter"), "how the delay varies; a time: normal"), \
        CUSTOM("loss", take_loss, OR_TABLE("loss"), "how packets are lost; a share: independent"), \
        CUSTOM("duplicate", take_duplicate, OR_TABLE("duplicate"), "packets that come twice"),     \
        CUSTOM("corrupt", take_corrupt, OR_TABLE("corrupt"), "packets with a changed bit"),        \
        CUSTOM("queue", take_queue, OR_TABLE("queue"), "before the line; a time: droptail"),       \
        CUSTOM("outage", take_outage, REF("outage"), "times without any passage"),                 \
        CUSTOM("slots", take_slots, REF("slots"), "a satellite's 15 s slots"),                     \
        CUSTOM("cross", take_cross, REF("crosses"), "traffic of others in the same queue"),        \
        QUANTITY("mtu", SIZE, mtu, "largest IP packet"),                                           \
        FLAG("mtu_silent", mtu_silent, "what is too big disappears without ICMP"),                 \
        CUSTOM("medium", set_medium, "{\"enum\":[\"wifi\",\"lte\"]}",                              \
               "a radio that only ns-3 models")

static const wzp_lab_field link_fields[] = {LINK_FIELDS};
const wzp_lab_table wzp_lab_link_table = {"a link", link_fields, WZP_COUNT_OF(link_fields)};

/* --- both directions ------------------------------------------------------------------------- */

void wzp_lab_link_baseline(wzp_sim_link_cfg links[2]) {
    const wzp_sim_link_cfg line = {.delay.base = 10 * WZP_MS, .queue.limit_ns = 100 * WZP_MS};
    links[0] = line;
    links[1] = line;
    links[0].rate.bits_per_s = 10000000;
    links[1].rate.bits_per_s = 50000000;
}

/* Nobody measures LANs: fast, and with a delay so that no packet takes no time at all. */
void wzp_lab_link_lan(wzp_sim_link_cfg links[2]) {
    links[0] = (wzp_sim_link_cfg){
        .rate.bits_per_s = 1000000000, .delay.base = 500 * WZP_US, .queue.limit_ns = 100 * WZP_MS};
    links[1] = links[0];
}

static const char *preset_at(const void *list, size_t index) {
    (void)list;
    return wzp_sim_link_preset_name(index);
}

static bool use_preset(wzp_lab_reader *r, const char *path, const json_t *name,
                       wzp_sim_link_cfg links[2]) {
    if (!json_is_string(name)) {
        wzp_lab_complain_type(r, path, "the name of an access, as \"lte\"", name);
        return false;
    }
    if (!wzp_sim_link_preset(json_string_value(name), true, &links[0]) ||
        !wzp_sim_link_preset(json_string_value(name), false, &links[1])) {
        wzp_lab_complain_name(r, path, "access", json_string_value(name), preset_at, NULL);
        return false;
    }
    return true;
}

static void check_link(wzp_lab_reader *r, const char *path, const wzp_sim_link_cfg *link) {
    wzp_fail fail = {0};
    if (wzp_sim_link_check(link, &fail) != WZP_OK) {
        wzp_lab_complain(r, path, "%s cannot be %llu", fail.field, (unsigned long long)fail.got);
    }
}

static const wzp_lab_field access[] = {
    LINK_FIELDS,
    CUSTOM("preset", wzp_lab_elsewhere, WZP_LAB_STRING, "to begin with"),
    CUSTOM("up", wzp_lab_elsewhere, REF("link"), "only from here towards the network"),
    CUSTOM("down", wzp_lab_elsewhere, REF("link"), "only from the network to here"),
};
TABLE("an access", access);

static const wzp_lab_field core_path[] = {
    LINK_FIELDS,
    CUSTOM("forth", wzp_lab_elsewhere, REF("link"), "only from the first to the second"),
    CUSTOM("back", wzp_lab_elsewhere, REF("link"), "only from the second to the first"),
};
TABLE("a core path", core_path);

/* A medium comes without the line that an access is otherwise: it has a rate and queues itself. */
static bool names_medium(const json_t *value, const char *const names[2]) {
    return json_object_get(value, "medium") != NULL ||
           json_object_get(json_object_get(value, names[0]), "medium") != NULL ||
           json_object_get(json_object_get(value, names[1]), "medium") != NULL;
}

void wzp_lab_read_links(wzp_lab_reader *r, const char *path, json_t *value,
                        const char *const names[2], wzp_sim_link_cfg links[2]) {
    char below[WZP_LAB_PATH_MAX];
    const size_t before = r->errors->count;
    const bool is_access = strcmp(names[0], "up") == 0;
    const bool named = is_access && json_is_string(value);
    if (is_access && !named && !json_is_object(value)) {
        wzp_lab_complain_type(r, path, "the name of an access, as \"lte\", or a table", value);
        return;
    }
    const json_t *preset = named ? value : json_object_get(value, "preset");
    if (is_access && preset != NULL && !use_preset(r, path, preset, links)) {
        return;
    }
    if (preset == NULL && names_medium(value, names)) {
        links[0] = links[1] = (wzp_sim_link_cfg){.mtu = 0};
    }
    for (size_t i = 0; !named && i < 2 && r->errors->count == before; i++) {
        (void)wzp_lab_read(r, path, value,
                           is_access ? &wzp_lab_access_table : &wzp_lab_core_path_table, &links[i]);
    }
    for (size_t i = 0; i < 2 && r->errors->count == before; i++) {
        json_t *one = wzp_lab_value(r, wzp_lab_below(below, path, names[i]), value, names[i]);
        if (one != NULL) {
            (void)wzp_lab_read(r, below, one, &wzp_lab_link_table, &links[i]);
        }
    }
    for (size_t i = 0; i < 2 && r->errors->count == before; i++) {
        check_link(r, path, &links[i]);
    }
}
