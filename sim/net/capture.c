#include "sim/net/capture.h"

#include <assert.h>
#include <stdlib.h>

#include "trace/pcapng.h"

/* Room for at least one block: headers, the largest packet, options. */
#define BUFFER_LEN 262144
#define BLOCK_MAX (WZP_SIM_BYTES_MAX + 2 * (WZP_SIM_COMMENT_MAX + 8) + 128)

static const wzp_pcapng_order order = WZP_PCAPNG_BIG;

struct wzp_sim_capture {
    wzp_sim_sink *sink;
    void *sink_ctx;
    uint64_t epoch_s;
    wzp_wr wr; /* over `buffer` */
    uint8_t *buffer;
    char **names; /* of interfaces, by number */
    size_t name_count, name_cap;
    size_t recent; /* the interface that was used last; < name_count unless that is 0 */
    uint64_t lost;
    uint8_t packet[WZP_SIM_BYTES_MAX];
};

/* --- blocks ----------------------------------------------------------------------------------- */

static wzp_wr *room_for_a_block(wzp_sim_capture *c) {
    if (wzp_wr_room(&c->wr) < BLOCK_MAX) {
        wzp_sim_capture_flush(c);
    }
    return &c->wr;
}

/* Every block fits: its parts were limited before. */
static void end_block(const wzp_sim_capture *c) {
    assert(wzp_wr_end(&c->wr) == WZP_OK);
}

static wzp_bytes cut(const char *text) {
    return wzp_pcapng_cut(wzp_bytes_str(text), WZP_SIM_COMMENT_MAX);
}

/* `text` cut, in `out`; NULL stays NULL. */
static const char *cut_into(char out[WZP_SIM_COMMENT_MAX + 1], const char *text) {
    if (text == NULL) {
        return NULL;
    }
    const wzp_bytes bytes = cut(text);
    memcpy(out, bytes.data, bytes.len);
    out[bytes.len] = '\0';
    return out;
}

static void write_section(wzp_sim_capture *c, const char *comment) {
    char text[WZP_SIM_COMMENT_MAX + 1];
    const wzp_pcapng_section section = {.program = "wzp-sim", .comment = cut_into(text, comment)};
    wzp_pcapng_put_section(room_for_a_block(c), order, &section);
    end_block(c);
}

static void write_interface(wzp_sim_capture *c, const char *name) {
    char text[WZP_SIM_COMMENT_MAX + 1];
    const wzp_pcapng_interface interface = {.link_type = WZP_LINKTYPE_RAW,
                                            .name = cut_into(text, name),
                                            .digits = 9,
                                            .offset_s = &c->epoch_s};
    wzp_pcapng_put_interface(room_for_a_block(c), order, &interface);
    end_block(c);
}

static void write_packet(wzp_sim_capture *c, size_t interface, wzp_sim_way way,
                         const wzp_sim_packet *packet, const char *comment, wzp_time now) {
    const size_t len = wzp_sim_packet_bytes(packet, c->packet, sizeof c->packet);
    const wzp_pcapng_packet block = {
        .interface = (uint32_t)interface,
        .time = now,
        .data = wzp_bytes_of(c->packet, len),
        .flags = way == WZP_SIM_WAY_IN ? WZP_PCAPNG_INBOUND : WZP_PCAPNG_OUTBOUND,
        .id = packet->id,
        .comment = comment != NULL ? cut(comment) : wzp_bytes_of(NULL, 0)};
    wzp_pcapng_put_packet(room_for_a_block(c), order, &block);
    end_block(c);
}

/* --- interfaces ------------------------------------------------------------------------------- */

static bool make_room(wzp_sim_capture *c) {
    if (c->name_count < c->name_cap) {
        return true;
    }
    const size_t cap = c->name_cap == 0 ? 8 : c->name_cap * 2;
    char **names = realloc(c->names, cap * sizeof(char *));
    if (names == NULL) {
        return false;
    }
    c->names = names;
    c->name_cap = cap;
    return true;
}

static bool add_interface(wzp_sim_capture *c, const char *name) {
    const size_t size = strlen(name) + 1;
    char *copy = make_room(c) ? malloc(size) : NULL;
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, name, size);
    c->names[c->name_count++] = copy;
    write_interface(c, name);
    return true;
}

/* Makes `recent` the number of `name`.  False: out of memory. */
static bool find_interface(wzp_sim_capture *c, const char *name) {
    if (c->name_count > 0 && strcmp(c->names[c->recent], name) == 0) {
        return true;
    }
    size_t at = 0;
    while (at < c->name_count && strcmp(c->names[at], name) != 0) {
        at++;
    }
    if (at == c->name_count && !add_interface(c, name)) {
        return false;
    }
    c->recent = at;
    return true;
}

/* --- capture ---------------------------------------------------------------------------------- */

wzp_err wzp_sim_capture_new(wzp_sim_capture **out, const wzp_sim_capture_cfg *cfg) {
    wzp_sim_capture *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->buffer = malloc(BUFFER_LEN);
    if (c->buffer == NULL) {
        free(c);
        return WZP_ERR_NOMEM;
    }
    c->sink = cfg->sink;
    c->sink_ctx = cfg->sink_ctx;
    c->epoch_s = cfg->epoch_s;
    wzp_wr_init(&c->wr, c->buffer, BUFFER_LEN);
    write_section(c, cfg->comment);
    *out = c;
    return WZP_OK;
}

void wzp_sim_capture_free(wzp_sim_capture **capture) {
    wzp_sim_capture *c = *capture;
    if (c == NULL) {
        return;
    }
    wzp_sim_capture_flush(c);
    for (size_t i = 0; i < c->name_count; i++) {
        free(c->names[i]);
    }
    free(c->names);
    free(c->buffer);
    free(c);
    *capture = NULL;
}

void wzp_sim_capture_flush(wzp_sim_capture *c) {
    const size_t len = wzp_wr_len(&c->wr);
    if (len > 0) {
        c->sink(c->sink_ctx, wzp_bytes_of(c->buffer, len));
        wzp_wr_init(&c->wr, c->buffer, BUFFER_LEN);
    }
}

void wzp_sim_capture_packet(wzp_sim_capture *c, const char *interface, wzp_sim_way way,
                            const wzp_sim_packet *packet, const char *comment, wzp_time now) {
    if (find_interface(c, interface)) {
        write_packet(c, c->recent, way, packet, comment, now);
    } else {
        c->lost++;
    }
}

void wzp_sim_capture_tap(void *capture, const char *interface, wzp_sim_way way,
                         const wzp_sim_packet *packet, wzp_time now) {
    wzp_sim_capture_packet(capture, interface, way, packet, NULL, now);
}

uint64_t wzp_sim_capture_lost(const wzp_sim_capture *c) {
    return c->lost;
}
