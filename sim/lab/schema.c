/* The JSON schema of scenario files, from the same descriptions that read them. */
#include <stdlib.h>
#include <string.h>

#include "sim/lab/read.h"

static const struct definition {
    const char *name;
    const wzp_lab_table *table;
} definitions[] = {
    {"host", &wzp_lab_host_table},         {"way", &wzp_lab_way_table},
    {"lan", &wzp_lab_lan_table},           {"relay", &wzp_lab_relay_table},
    {"nat", &wzp_lab_nat_table},           {"firewall", &wzp_lab_firewall_table},
    {"access", &wzp_lab_access_table},     {"core_path", &wzp_lab_core_path_table},
    {"link", &wzp_lab_link_table},         {"jitter", &wzp_lab_jitter_table},
    {"loss", &wzp_lab_loss_table},         {"duplicate", &wzp_lab_duplicate_table},
    {"corrupt", &wzp_lab_corrupt_table},   {"queue", &wzp_lab_queue_table},
    {"outage", &wzp_lab_outage_table},     {"slots", &wzp_lab_slots_table},
    {"cross", &wzp_lab_cross_table},       {"call", &wzp_lab_call_table},
    {"expect", &wzp_lab_expect_table},     {"listener", &wzp_lab_listener_table},
    {"event", &wzp_lab_event_table},       {"gateway", &wzp_lab_gateway_table},
    {"stun", &wzp_lab_stun_table},         {"client", &wzp_lab_client_table},
    {"birthday", &wzp_lab_birthday_table}, {"signal", &wzp_lab_signal_table},
    {"deployed", &wzp_lab_deployed_table},
};

/* What is not a table of keys. */
static const struct shape {
    const char *name, *schema;
} shapes[] = {
    {"time", "{\"type\":\"string\",\"pattern\":\"^[0-9. ]+(ns|us|ms|s|min|h)?(\\\\.\\\\.[0-9. ]+)?"
             "(ns|us|ms|s|min|h)$\"}"},
    {"rate", "{\"type\":\"string\",\"pattern\":\"^[0-9. ]+[kMG]?(bit/s)?(\\\\.\\\\.[0-9. ]+)?"
             "[kMG]?bit/s$\"}"},
    {"size", "{\"type\":\"string\",\"pattern\":\"^[0-9. ]+(B|kB|KiB|MB|MiB)?(\\\\.\\\\.[0-9. ]+)?"
             "(B|kB|KiB|MB|MiB)$\"}"},
    {"share",
     "{\"type\":\"string\",\"pattern\":\"^[0-9. ]+(%|ppm)?(\\\\.\\\\.[0-9. ]+)?(%|ppm)$\"}"},
    {"skew", "{\"type\":\"string\",\"pattern\":\"^[-0-9. ]+(ppm)?(\\\\.\\\\.[-0-9. ]+)?ppm$\"}"},
    {"per_s", "{\"type\":\"string\",\"pattern\":\"^[0-9. ]+(/s)?(\\\\.\\\\.[0-9. ]+)?/s$\"}"},
    {"count", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},"
              "{\"type\":\"string\",\"pattern\":\"^[0-9]+(\\\\.\\\\.[0-9]+)?$\"}]}"},
    {"choice", "{\"description\":\"one of these, by the seed\",\"type\":\"object\","
               "\"properties\":{\"any_of\":{\"type\":\"array\",\"minItems\":1}},"
               "\"required\":[\"any_of\"],\"additionalProperties\":false}"},
    {"line", "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/access\"}]}"},
    {"nats", "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/nat\"},{\"type\":\"array\","
             "\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/nat\"}]}}]}"},
    {"crosses", "{\"anyOf\":[{\"$ref\":\"#/$defs/cross\"},{\"type\":\"array\","
                "\"items\":{\"$ref\":\"#/$defs/cross\"}}]}"},
    {"relays", "{\"anyOf\":[{\"$ref\":\"#/$defs/relay\"},{\"type\":\"object\","
               "\"additionalProperties\":{\"$ref\":\"#/$defs/relay\"}}]}"},
    {"calls", "{\"anyOf\":[{\"$ref\":\"#/$defs/call\"},{\"type\":\"array\","
              "\"items\":{\"$ref\":\"#/$defs/call\"}}]}"},
    {"signals", "{\"anyOf\":[{\"$ref\":\"#/$defs/signal\"},{\"type\":\"array\","
                "\"items\":{\"$ref\":\"#/$defs/signal\"}}]}"},
    {"core", "{\"type\":\"object\",\"properties\":{\"delay\":{\"$ref\":\"#/$defs/time\"}},"
             "\"additionalProperties\":{\"$ref\":\"#/$defs/core_path\"}}"},
};

static json_t *parsed(const char *text) {
    json_error_t error;
    return json_loads(text, 0, &error);
}

static json_t *reference(const char *name) {
    char path[64];
    (void)snprintf(path, sizeof path, "#/$defs/%s", name);
    return json_pack("{s:s}", "$ref", path);
}

static json_t *shape_of(const wzp_lab_field *f) {
    static const char *const units[WZP_LAB_UNIT_COUNT] = {
        [WZP_LAB_TIME] = "time",   [WZP_LAB_RATE] = "rate", [WZP_LAB_SIZE] = "size",
        [WZP_LAB_SHARE] = "share", [WZP_LAB_SKEW] = "skew", [WZP_LAB_PER_S] = "per_s",
        [WZP_LAB_PLAIN] = "count"};
    json_t *words = NULL;
    switch (f->kind) {
    case WZP_LAB_KIND_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case WZP_LAB_KIND_QUANTITY:
        return reference(units[f->unit]);
    case WZP_LAB_KIND_WORD:
        words = json_array();
        for (size_t i = 0; f->words[i] != NULL; i++) {
            json_array_append_new(words, json_string(f->words[i]));
        }
        return json_pack("{s:o}", "enum", words);
    case WZP_LAB_KIND_TEXT:
        return json_pack("{s:s,s:I}", "type", "string", "maxLength", (json_int_t)f->size - 1);
    case WZP_LAB_KIND_ADDRESS:
        return json_pack("{s:s}", "type", "string");
    case WZP_LAB_KIND_CUSTOM:
        return parsed(f->schema);
    }
    return NULL;
}

static json_t *table_of(const wzp_lab_table *table) {
    json_t *properties = json_object();
    for (size_t i = 0; i < table->count; i++) {
        const wzp_lab_field *f = &table->fields[i];
        json_object_set_new(properties, f->key,
                            json_pack("{s:s,s:[o,o]}", "description", f->about, "anyOf",
                                      shape_of(f), reference("choice")));
    }
    return json_pack("{s:s,s:s,s:o,s:b}", "description", table->what, "type", "object",
                     "properties", properties, "additionalProperties", 0);
}

bool wzp_lab_schema_write(FILE *out) {
    json_t *schema = table_of(&wzp_lab_root_table);
    json_t *defs = json_object();
    for (size_t i = 0; i < WZP_COUNT_OF(shapes); i++) {
        json_object_set_new(defs, shapes[i].name, parsed(shapes[i].schema));
    }
    for (size_t i = 0; i < WZP_COUNT_OF(definitions); i++) {
        json_object_set_new(defs, definitions[i].name, table_of(definitions[i].table));
    }
    json_object_set_new(schema, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title", json_string("WZP network scenario (TOML)"));
    json_object_set_new(schema, "required", json_pack("[s,s]", "name", "host"));
    json_object_set_new(schema, "$defs", defs);
    const bool ok = json_dumpf(schema, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
    json_decref(schema);
    return ok;
}
