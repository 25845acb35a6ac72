#include "sim/gateway/xml.h"

#include "base/words.h"

static const struct entity {
    const char *name;
    char means;
} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

/* One tag.  Comments, declarations and processing instructions have an empty name. */
typedef struct tag {
    wzp_bytes name; /* without prefix and slash */
    bool closes, is_empty;
} tag;

static wzp_bytes local_name(wzp_bytes inside) {
    size_t from = 0;
    size_t to = 0;
    while (to < inside.len && inside.data[to] > ' ' && inside.data[to] != '/') {
        if (inside.data[to] == ':') {
            from = to + 1;
        }
        to++;
    }
    return wzp_bytes_of(inside.data + from, to - from);
}

/* Moves `xml` behind its next tag.  False: there is no whole one. */
static bool next_tag(wzp_bytes *xml, tag *out) {
    wzp_bytes rest = wzp_words_after(*xml, wzp_words_find(*xml, "<"));
    const bool comment = wzp_words_begin(rest, "<!--");
    const char *end_mark = comment ? "-->" : ">";
    const size_t end = wzp_words_find(rest, end_mark);
    if (end >= rest.len) {
        return false;
    }
    wzp_bytes inside = wzp_bytes_of(rest.data + 1, end - 1);
    *out = (tag){0};
    if (inside.len > 0 && inside.data[0] != '!' && inside.data[0] != '?') {
        out->closes = inside.data[0] == '/';
        out->is_empty = inside.data[inside.len - 1] == '/';
        out->name = local_name(wzp_words_after(inside, out->closes ? 1 : 0));
    }
    *xml = wzp_words_after(rest, end + strlen(end_mark));
    return true;
}

/* Moves `xml` behind the opening tag of this name. */
static bool enter(wzp_bytes *xml, const char *name, tag *found) {
    while (next_tag(xml, found)) {
        if (!found->closes && wzp_bytes_equal(found->name, wzp_bytes_str(name))) {
            return true;
        }
    }
    return false;
}

bool wzp_sim_xml_text(wzp_bytes xml, const char *name, wzp_bytes *text) {
    tag found;
    if (!enter(&xml, name, &found)) {
        return false;
    }
    const size_t len = found.is_empty ? 0 : wzp_words_find(xml, "<");
    if (!found.is_empty && len == xml.len) {
        return false;
    }
    *text = wzp_bytes_of(xml.data, len);
    return true;
}

bool wzp_sim_xml_child(wzp_bytes xml, const char *parent, wzp_bytes *name) {
    tag found;
    if (!enter(&xml, parent, &found) || found.is_empty) {
        return false;
    }
    while (next_tag(&xml, &found)) {
        if (found.name.len != 0) {
            *name = found.name;
            return !found.closes;
        }
    }
    return false;
}

void wzp_sim_xml_unescape(wzp_wr *wr, wzp_bytes text) {
    while (text.len > 0) {
        size_t used = 1;
        char c = (char)text.data[0];
        for (size_t i = 0; c == '&' && used == 1 && i < WZP_COUNT_OF(entities); i++) {
            if (wzp_words_begin(text, entities[i].name)) {
                c = entities[i].means;
                used = strlen(entities[i].name);
                break;
            }
        }
        wzp_wr_u8(wr, (uint8_t)c);
        text = wzp_words_after(text, used);
    }
}

void wzp_sim_xml_escape(wzp_wr *wr, wzp_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        const char *entity = NULL;
        for (size_t k = 0; k < WZP_COUNT_OF(entities); k++) {
            entity = entities[k].means == (char)text.data[i] ? entities[k].name : entity;
        }
        if (entity != NULL) {
            wzp_wr_str(wr, entity);
        } else {
            wzp_wr_u8(wr, text.data[i]);
        }
    }
}
