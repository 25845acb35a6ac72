/* "call" and "expect": who talks to whom, and what must come of it. */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/read.h"
#include "wire/registry.h"

/* --- expectations ---------------------------------------------------------------------------- */

static const char *const path_words[] = {"any", "relay", "direct", "none", "best", NULL};
static const char *const audio_words[] = {"none", "A0", "A1", "A2", "A3", NULL};

#define EXPECT(name, member, text)                                                                 \
    WZP_LAB_QUANTITY(wzp_lab_expect, member, name, WZP_LAB_TIME, 1, INT64_MAX, text)

static void take_no_hangup(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    if (!json_is_boolean(value)) {
        wzp_lab_complain_type(r, path, "true or false", value);
        return;
    }
    ((wzp_lab_expect *)out)->hangup_allowed = json_is_false(value);
}

/* 3.8, by the scale of the E-model. */
static void take_mos(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    const double mos = json_is_number(value) ? json_number_value(value) : 0;
    if (!(mos >= 1 && mos <= 4.5)) {
        wzp_lab_complain_type(r, path, "a mean opinion score of 1 to 4.5", value);
        return;
    }
    ((wzp_lab_expect *)out)->mos_milli = (uint32_t)(mos * 1000 + 0.5);
}

static void take_unsaid(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    wzp_lab_take_signal(r, path, value, ((wzp_lab_expect *)out)->unsaid);
}

#define EXPECT_FIELDS                                                                              \
    WZP_LAB_WORD(wzp_lab_expect, path, "path", path_words,                                         \
                 "of the media; best: direct if the call is, else relay"),                         \
        WZP_LAB_WORD(wzp_lab_expect, audio, "audio", audio_words,                                  \
                     "class of what is heard, outside of events"),                                 \
        WZP_LAB_CUSTOM(                                                                            \
            "mos", take_mos, "{\"type\":\"number\",\"minimum\":1,\"maximum\":4.5}",                \
            "at least, by the E-model from the codec, what is concealed and the delay"),           \
        EXPECT("audio_from", audio_from, "sound before that is not judged"),                       \
        EXPECT("setup", setup,                                                                     \
               "from dialling to the first sound; of a direct call from the word "                 \
               "of the relay that both agreed"),                                                   \
        EXPECT("offer", offer, "from the wish to call until the relay is asked"),                  \
        EXPECT("event_gap", event_gap, "longest gap that an event may cause"),                     \
        EXPECT("recover", recover, "from the end of an event until all is as before"),             \
        EXPECT("direct_within", direct_within,                                                     \
               "a call that ends on a direct path has it so long after its set-up"),               \
        EXPECT("silence", silence,                                                                 \
               "longest silence of reference clients, besides what events themselves take"),       \
        EXPECT("back_within", back_within,                                                         \
               "direct calls: the client must be registered again so long after the first event"), \
        EXPECT("lost_within", lost_within,                                                         \
               "the client must notice so long after the first event that nothing comes"),         \
        EXPECT("ends_within", ends_within,                                                         \
               "the call must end so long after the first event, or its start"),                   \
        WZP_LAB_QUANTITY(wzp_lab_expect, frames_lost, "frames_lost", WZP_LAB_PLAIN, 0,             \
                         WZP_LAB_NONE - 1, "at most so many frames of each speaker are missing"),  \
        WZP_LAB_QUANTITY(wzp_lab_expect, refused, "refused", WZP_LAB_PLAIN, 0, WZP_LAB_NONE - 1,   \
                         "direct calls: at least so many connections of strangers are refused"),   \
        WZP_LAB_QUANTITY(wzp_lab_expect, updates, "updates", WZP_LAB_PLAIN, 0, WZP_LAB_NONE - 1,   \
                         "direct calls: exactly so many of the other side's updates are taken"),   \
        WZP_LAB_QUANTITY(wzp_lab_expect, update_number, "update_number", WZP_LAB_PLAIN, 1,         \
                         WZP_LAB_NONE - 1, "direct calls: the number of the last of them"),        \
        WZP_LAB_QUANTITY(wzp_lab_expect, members, "members", WZP_LAB_PLAIN, 1, WZP_LAB_NONE - 1,   \
                         "of the room, as its client was told last"),                              \
        WZP_LAB_CUSTOM("unsaid", take_unsaid, WZP_LAB_STRING,                                      \
                       "the name of a signal that its client must never send"),                    \
        WZP_LAB_FLAG(wzp_lab_expect, apart, "apart",                                               \
                     "no packet of its host goes to the other one directly"),                      \
        WZP_LAB_TEXT(wzp_lab_expect, told, "told", "how the reason of the call's end begins"),     \
        WZP_LAB_FLAG(wzp_lab_expect, split, "split",                                               \
                     "the two may end on different paths and in silence, as deployed clients do"), \
        WZP_LAB_CUSTOM("no_hangup", take_no_hangup, "{\"type\":\"boolean\"}",                      \
                       "nobody is hung up on; true without")

static const wzp_lab_field one_fields[] = {EXPECT_FIELDS};
const wzp_lab_table wzp_lab_listener_table = {"what a listener expects", one_fields,
                                              WZP_COUNT_OF(one_fields)};

#define EXPECT_ALL_FIELDS                                                                          \
    EXPECT_FIELDS,                                                                                 \
        WZP_LAB_CUSTOM("host", wzp_lab_elsewhere, WZP_LAB_REFS("listener"),                        \
                       "the same for one listener, by name"),                                      \
        WZP_LAB_CUSTOM("direct_min", wzp_lab_elsewhere, WZP_LAB_REF("share"),                      \
                       "campaigns: at least such a share of seeds has a direct path"),             \
        WZP_LAB_CUSTOM("direct_max", wzp_lab_elsewhere, WZP_LAB_REF("share"),                      \
                       "campaigns: at most such a share of seeds has a direct path")

static const wzp_lab_field deployed_fields[] = {EXPECT_ALL_FIELDS};
const wzp_lab_table wzp_lab_deployed_table = {"an expectation of deployed clients", deployed_fields,
                                              WZP_COUNT_OF(deployed_fields)};

static const wzp_lab_field expect_fields[] = {
    EXPECT_ALL_FIELDS,
    WZP_LAB_CUSTOM("deployed", wzp_lab_elsewhere, WZP_LAB_REF("deployed"),
                   "what differs where clients are as deployed"),
};
const wzp_lab_table wzp_lab_expect_table = {"an expectation", expect_fields,
                                            WZP_COUNT_OF(expect_fields)};

static uint32_t member_of(const wzp_lab_call *call, uint32_t host) {
    for (size_t i = 0; i < call->member_count; i++) {
        if (call->members[i] == host) {
            return (uint32_t)i;
        }
    }
    return WZP_LAB_NONE;
}

static void read_listeners(wzp_lab_reader *r, const char *path, json_t *listeners,
                           const wzp_lab_scenario *s, wzp_lab_call *call) {
    char below[WZP_LAB_PATH_MAX];
    const char *key = NULL;
    json_t *item = NULL;
    if (!json_is_object(listeners)) {
        wzp_lab_complain_type(r, path, "tables by host, as [expect.host.x]", listeners);
        return;
    }
    json_object_foreach(listeners, key, item) {
        const uint32_t host = wzp_lab_find_host(s, key);
        const uint32_t member = member_of(call, host);
        wzp_lab_below(below, path, key);
        if (host == WZP_LAB_NONE) {
            wzp_lab_complain_name(r, below, "host", key, wzp_lab_host_at, s);
        } else if (member != WZP_LAB_NONE) {
            (void)wzp_lab_read(r, below, item, &wzp_lab_listener_table, &call->expect[member]);
        }
    }
}

/* The keys that are for all are read into each member's; a complaint comes once. */
static void read_expect(wzp_lab_reader *r, const char *path, json_t *value,
                        const wzp_lab_table *table, const wzp_lab_scenario *s, wzp_lab_call *call) {
    char below[WZP_LAB_PATH_MAX];
    const size_t before = r->errors->count;
    for (size_t i = 0; i < call->member_count && r->errors->count == before; i++) {
        (void)wzp_lab_read(r, path, value, table, &call->expect[i]);
    }
    json_t *listeners = json_object_get(value, "host");
    if (listeners != NULL && r->errors->count == before) {
        read_listeners(r, wzp_lab_below(below, path, "host"), listeners, s, call);
    }
}

/* What is for deployed clients is read for others too, into nothing: it is to be right. */
static void read_deployed(wzp_lab_reader *r, const char *path, json_t *value,
                          const wzp_lab_scenario *s, wzp_lab_call *call) {
    static wzp_lab_expect kept[WZP_COUNT_OF(call->expect)];
    memcpy(kept, call->expect, sizeof kept);
    read_expect(r, path, value, &wzp_lab_deployed_table, s, call);
    if (s->policy != WZP_LAB_POLICY_DEPLOYED) {
        memcpy(call->expect, kept, sizeof kept);
    }
}

void wzp_lab_read_expect(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_scenario *s,
                         wzp_lab_call *call) {
    char below[WZP_LAB_PATH_MAX];
    const size_t before = r->errors->count;
    read_expect(r, path, value, &wzp_lab_expect_table, s, call);
    json_t *deployed = json_object_get(value, "deployed");
    if (deployed != NULL && r->errors->count == before) {
        read_deployed(r, wzp_lab_below(below, path, "deployed"), deployed, s, call);
    }
}

static void read_share_pair(wzp_lab_reader *r, const char *base, json_t *expect,
                            wzp_lab_scenario *s) {
    static const wzp_lab_field shares[] = {
        WZP_LAB_QUANTITY(wzp_lab_scenario, direct_min, "direct_min", WZP_LAB_SHARE, 0, 0, ""),
        WZP_LAB_QUANTITY(wzp_lab_scenario, direct_max, "direct_max", WZP_LAB_SHARE, 0, 0, ""),
    };
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = 0; i < WZP_COUNT_OF(shares); i++) {
        wzp_lab_below(path, base, shares[i].key);
        json_t *item = wzp_lab_value(r, path, expect, shares[i].key);
        if (item != NULL) {
            (void)wzp_lab_read_field(r, path, item, &shares[i], s);
        }
    }
}

static void read_shares(wzp_lab_reader *r, json_t *expect, wzp_lab_scenario *s) {
    s->direct_max = WZP_PPM;
    read_share_pair(r, "expect", expect, s);
    if (s->policy == WZP_LAB_POLICY_DEPLOYED) {
        read_share_pair(r, "expect.deployed", json_object_get(expect, "deployed"), s);
    }
}

/* --- calls ----------------------------------------------------------------------------------- */

static const char *const talk_words[] = {"all", "caller", "none", NULL};

static const char *codec_at(const void *list, size_t index) {
    (void)list;
    for (unsigned id = 0; id < WZP_CODEC_COUNT; id++) {
        const wzp_codec_info *codec = wzp_codec_find((uint8_t)id);
        if (codec != NULL && codec->is_opus && index-- == 0) {
            return codec->name;
        }
    }
    return NULL;
}

static void take_codec(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    const char *name = json_string_value(value);
    if (name == NULL) {
        wzp_lab_complain_type(r, path, "the name of a codec, as \"Opus24k\"", value);
        return;
    }
    const int id = wzp_codec_by_name(wzp_bytes_str(name));
    if (id < 0 || !wzp_codec_find((uint8_t)id)->is_opus) {
        wzp_lab_complain_name(r, path, "audio codec", name, codec_at, NULL);
        return;
    }
    ((wzp_lab_call *)out)->codec = (uint8_t)id;
}

static void take_payloads(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    char file[WZP_LAB_FILE_MAX];
    wzp_lab_call *call = out;
    size_t len = 0;
    wzp_fail fail;
    char *text = wzp_lab_read_beside(r, path, value, file, &len);
    if (text != NULL &&
        wzp_sim_payloads_parse(&call->payloads, wzp_bytes_of(text, len), &fail) != WZP_OK) {
        wzp_lab_complain(r, path, "%s:%llu: %s; expected Opus packets in hexadecimal, one a line",
                         file, (unsigned long long)fail.got, fail.field);
    }
    free(text);
}

static void add_member(wzp_lab_reader *r, const char *path, const char *name, wzp_lab_call *call) {
    const wzp_lab_scenario *s = r->owner;
    const uint32_t host = wzp_lab_find_host(s, name);
    if (host == WZP_LAB_NONE) {
        wzp_lab_complain_name(r, path, "host", name, wzp_lab_host_at, s);
    } else if (member_of(call, host) != WZP_LAB_NONE) {
        wzp_lab_complain(r, path, "'%s' is in this call already", name);
    } else {
        call->members[call->member_count++] = host;
    }
}

static void take_members(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    const char *names[WZP_LAB_HOSTS_MAX];
    const size_t n = wzp_lab_strings(r, path, value, names, WZP_LAB_HOSTS_MAX);
    for (size_t i = 0; i < n; i++) {
        add_member(r, path, names[i], out);
    }
}

static uint32_t relay_named(wzp_lab_reader *r, const char *path, const json_t *value) {
    const char *name = json_string_value(value);
    const uint32_t relay = name != NULL ? wzp_lab_find_relay(r->owner, name) : WZP_LAB_NONE;
    if (name == NULL) {
        wzp_lab_complain_type(r, path, "the name of a relay", value);
    } else if (relay == WZP_LAB_NONE) {
        wzp_lab_complain_name(r, path, "relay", name, wzp_lab_relay_at, r->owner);
    }
    return relay;
}

/* One for all, or by host.  Comes after the members. */
static void take_relay(wzp_lab_reader *r, const char *path, json_t *value, void *out) {
    char below[WZP_LAB_PATH_MAX];
    wzp_lab_call *call = out;
    const char *key = NULL;
    json_t *item = NULL;
    if (!json_is_object(value)) {
        const uint32_t relay = relay_named(r, path, value);
        for (size_t i = 0; i < call->member_count; i++) {
            call->relays[i] = relay;
        }
        return;
    }
    json_object_foreach(value, key, item) {
        const uint32_t member = member_of(call, wzp_lab_find_host(r->owner, key));
        if (member == WZP_LAB_NONE) {
            wzp_lab_complain(r, wzp_lab_below(below, path, key), "'%s' is not in this call", key);
        } else {
            call->relays[member] = relay_named(r, wzp_lab_below(below, path, key), item);
        }
    }
}

#define CALL(name, least, most, member, text)                                                      \
    WZP_LAB_QUANTITY(wzp_lab_call, member, name, WZP_LAB_TIME, least, most, text)

/* The order counts: who calls, who is called, and then what is said by member. */
static const wzp_lab_field call_fields[] = {
    WZP_LAB_TEXT(wzp_lab_call, name, "name", "in reports"),
    WZP_LAB_CUSTOM("from", take_members, WZP_LAB_STRING, "the host that calls"),
    WZP_LAB_CUSTOM("to", take_members, WZP_LAB_STRINGS, "the host or hosts that are called"),
    WZP_LAB_TEXT(wzp_lab_call, room, "room", "its name"),
    WZP_LAB_CUSTOM("codec", take_codec, WZP_LAB_STRING, "of all members"),
    WZP_LAB_CUSTOM("payloads", take_payloads, WZP_LAB_STRING,
                   "file of Opus packets in hexadecimal, one a line, that all say"),
    CALL("start", 0, INT64_MAX, start, "the caller joins"),
    CALL("end", 1, INT64_MAX, end, "all hang up; they stay without"),
    CALL("stagger", 0, INT64_MAX, stagger, "each member joins so much after the one before"),
    CALL("redial", 1, INT64_MAX, redial, "dial again so long after an end that was not wanted"),
    WZP_LAB_FLAG(wzp_lab_call, dred, "dred",
                 "each frame has the sound of some before it too, as far as libopus has room"),
    WZP_LAB_FLAG(wzp_lab_call, direct, "direct",
                 "the caller rings the other over their relays; the room is that of the call"),
    WZP_LAB_WORD(wzp_lab_call, talk, "talk", talk_words, "who speaks"),
    CALL("on", 1, 3600 * (int64_t)WZP_S, on, "speak for so long, a multiple of 40 ms ..."),
    CALL("off", 1, 3600 * (int64_t)WZP_S, off, "... then pause for so long, a multiple of 40 ms"),
    WZP_LAB_CUSTOM("relay", take_relay,
                   "{\"type\":[\"string\",\"object\"],\"additionalProperties\":" WZP_LAB_STRING "}",
                   "the one all use, or by host; the first without"),
    WZP_LAB_CUSTOM("expect", wzp_lab_elsewhere, WZP_LAB_REF("expect"), "of this call only"),
};
const wzp_lab_table wzp_lab_call_table = {"a call", call_fields, WZP_COUNT_OF(call_fields)};

static void everybody(const wzp_lab_scenario *s, wzp_lab_call *call) {
    for (size_t i = 0; i < s->host_count; i++) {
        call->members[call->member_count++] = (uint32_t)i;
    }
}

/* Phones are registered for a second before one of them rings. */
static void check_direct(wzp_lab_reader *r, const char *path, const wzp_lab_call *call) {
    if (call->member_count != 2) {
        wzp_lab_complain(r, path, "a direct call has two members, not %zu", call->member_count);
    } else if (call->start < WZP_S) {
        wzp_lab_complain(r, path, "a direct call starts at 1 s or later: phones register first");
    } else if (call->redial != 0 || call->stagger != 0) {
        wzp_lab_complain(r, path, "a direct call has no `redial` and no `stagger`");
    }
}

static void check_accepts(wzp_lab_reader *r, const wzp_lab_scenario *s, const wzp_lab_call *call) {
    char path[WZP_LAB_PATH_MAX];
    for (size_t i = 0; i < call->member_count; i++) {
        const wzp_lab_host *host = &s->hosts[call->members[i]];
        if (host->client.accept >= WZP_LAB_ACCEPT_NEVER) {
            (void)snprintf(path, sizeof path, "host.%s.client.accept", host->name);
            wzp_lab_complain(r, path, "in a room nothing is accepted; say direct = true");
        }
    }
}

static void check_call(wzp_lab_reader *r, const char *path, const wzp_lab_scenario *s,
                       const wzp_lab_call *call) {
    if (call->member_count < 2) {
        wzp_lab_complain(r, path, "a call needs two members, in `from` and `to`");
    }
    if (call->direct) {
        check_direct(r, path, call);
    } else {
        check_accepts(r, s, call);
    }
    if (call->end <= call->start || call->end > s->duration) {
        wzp_lab_complain(r, path, "a call ends after its start and within the scenario's duration");
    }
    const uint32_t frame_ms = wzp_codec_find(call->codec)->frame_ms;
    if (call->payloads != NULL && wzp_sim_payloads_frame_ms(call->payloads) != frame_ms) {
        wzp_lab_complain(r, path, "the packets of `payloads` are of %u ms, the codec's of %u ms",
                         wzp_sim_payloads_frame_ms(call->payloads), frame_ms);
    }
    if (call->on % (40 * WZP_MS) != 0 || call->off % (40 * WZP_MS) != 0) {
        wzp_lab_complain(r, path, "`on` and `off` are multiples of 40 ms");
    } else if ((call->off != 0) != (call->on != 0)) {
        wzp_lab_complain(r, path, "`on` and `off` come together");
    }
}

static void read_call(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_scenario *s) {
    char below[WZP_LAB_PATH_MAX];
    wzp_lab_call *call = &s->calls[s->call_count++];
    json_t *expect = json_object_get(value, "expect");
    *call = (wzp_lab_call){.end = s->duration, .codec = WZP_CODEC_OPUS_24K, .dred = true};
    for (size_t i = 0; i < WZP_COUNT_OF(call->expect); i++) {
        call->expect[i].frames_lost = WZP_LAB_NONE;
        call->expect[i].updates = WZP_LAB_NONE;
    }
    (void)snprintf(call->name, sizeof call->name, "call%zu", s->call_count);
    if (value == NULL || (json_is_object(value) && json_object_get(value, "from") == NULL &&
                          json_object_get(value, "to") == NULL)) {
        everybody(s, call);
    }
    const size_t before = r->errors->count;
    if (value != NULL && !wzp_lab_read(r, path, value, &wzp_lab_call_table, call)) {
        return;
    }
    if (call->room[0] == '\0') {
        (void)snprintf(call->room, sizeof call->room, "%s", call->name);
    }
    check_call(r, path, s, call);
    json_t *all = json_object_get(r->doc->tree, "expect");
    if (all != NULL && r->errors->count == before) {
        wzp_lab_read_expect(r, "expect", all, s, call);
    }
    if (expect != NULL && r->errors->count == before) {
        wzp_lab_read_expect(r, wzp_lab_below(below, path, "expect"), expect, s, call);
    }
}

void wzp_lab_read_calls(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s) {
    char path[WZP_LAB_PATH_MAX];
    json_t *calls = json_object_get(root, "call");
    const bool list = json_is_array(calls);
    const size_t n = list ? json_array_size(calls) : 1;
    if (n > WZP_LAB_CALLS_MAX) {
        wzp_lab_complain(r, "call", "expected at most %d calls", WZP_LAB_CALLS_MAX);
        return;
    }
    s->calls = wzp_lab_keep(r, n + 1, sizeof *s->calls);
    read_shares(r, json_object_get(root, "expect"), s);
    for (size_t i = 0; s->calls != NULL && i < n; i++) {
        read_call(r, list ? wzp_lab_below_at(path, "call", i) : "call",
                  list ? json_array_get(calls, i) : calls, s);
    }
}
