#include "sim/net/capture.h"

#include <assert.h>
#include <stdlib.h>

#include "base/wr.h"

/* Room for at least one block: headers, the largest packet, options. */
#define BUFFER_LEN 262144
#define BLOCK_MAX (WZP_SIM_BYTES_MAX + WZP_SIM_COMMENT_MAX + 128)

#define LINKTYPE_RAW 101

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1 };
enum { SECTION_PROGRAM = 4 };
enum { INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14 };
enum { PACKET_FLAGS = 2, PACKET_ID = 5 };

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
};

/* --- blocks ----------------------------------------------------------------------------------- */

static void pad(wzp_wr *wr) {
    while (wzp_wr_len(wr) % 4 != 0) { /* blocks begin at multiples of 4 in the buffer */
        wzp_wr_u8(wr, 0);
    }
}

static void patch_u32(uint8_t *at, uint32_t value) {
    wzp_wr wr;
    wzp_wr_init(&wr, at, 4);
    wzp_wr_u32(&wr, value);
}

/* Returns where the block begins; its length follows its type and is filled in at its end. */
static uint8_t *begin_block(wzp_sim_capture *c, uint32_t type) {
    if (wzp_wr_room(&c->wr) < BLOCK_MAX) {
        wzp_sim_capture_flush(c);
    }
    uint8_t *const begin = c->wr.pos;
    wzp_wr_u32(&c->wr, type);
    wzp_wr_u32(&c->wr, 0);
    return begin;
}

static void end_block(wzp_sim_capture *c, uint8_t *begin) {
    const uint32_t len = (uint32_t)(c->wr.pos - begin) + 4;
    wzp_wr_u32(&c->wr, len);
    patch_u32(begin + 4, len);
    assert(wzp_wr_end(&c->wr) == WZP_OK);
}

static void option(wzp_wr *wr, uint16_t code, wzp_bytes value) {
    wzp_wr_u16(wr, code);
    wzp_wr_u16(wr, (uint16_t)value.len);
    wzp_wr_bytes(wr, value);
    pad(wr);
}

static void option_u32(wzp_wr *wr, uint16_t code, uint32_t value) {
    wzp_wr_u16(wr, code);
    wzp_wr_u16(wr, 4);
    wzp_wr_u32(wr, value);
}

static void option_u64(wzp_wr *wr, uint16_t code, uint64_t value) {
    wzp_wr_u16(wr, code);
    wzp_wr_u16(wr, 8);
    wzp_wr_u64(wr, value);
}

/* Not longer than a comment may be; a character of UTF-8 is not cut in two. */
static void option_text(wzp_wr *wr, uint16_t code, const char *text) {
    wzp_bytes bytes = wzp_bytes_str(text);
    if (bytes.len > WZP_SIM_COMMENT_MAX) {
        bytes.len = WZP_SIM_COMMENT_MAX;
        while (bytes.len > 0 && (bytes.data[bytes.len] & 0xc0) == 0x80) {
            bytes.len--;
        }
    }
    option(wr, code, bytes);
}

static void write_section(wzp_sim_capture *c, const char *comment) {
    uint8_t *const begin = begin_block(c, BLOCK_SECTION);
    wzp_wr_u32(&c->wr, 0x1a2b3c4d);
    wzp_wr_u16(&c->wr, 1);
    wzp_wr_u16(&c->wr, 0);
    wzp_wr_u64(&c->wr, UINT64_MAX); /* length of the section: not known */
    option_text(&c->wr, SECTION_PROGRAM, "wzp-sim");
    if (comment != NULL) {
        option_text(&c->wr, OPTION_COMMENT, comment);
    }
    option(&c->wr, OPTION_END, wzp_bytes_of(NULL, 0));
    end_block(c, begin);
}

static void write_interface(wzp_sim_capture *c, const char *name) {
    static const uint8_t nanoseconds = 9;
    uint8_t *const begin = begin_block(c, BLOCK_INTERFACE);
    wzp_wr_u16(&c->wr, LINKTYPE_RAW);
    wzp_wr_u16(&c->wr, 0);
    wzp_wr_u32(&c->wr, 0); /* packets are whole */
    option_text(&c->wr, INTERFACE_NAME, name);
    option(&c->wr, INTERFACE_RESOLUTION, wzp_bytes_of(&nanoseconds, 1));
    option_u64(&c->wr, INTERFACE_OFFSET, c->epoch_s);
    option(&c->wr, OPTION_END, wzp_bytes_of(NULL, 0));
    end_block(c, begin);
}

static void write_packet(wzp_sim_capture *c, size_t interface, wzp_sim_way way,
                         const wzp_sim_packet *packet, const char *comment, wzp_time now) {
    uint8_t *const begin = begin_block(c, BLOCK_PACKET);
    const uint32_t len = wzp_sim_packet_wire_len(packet);
    wzp_wr_u32(&c->wr, (uint32_t)interface);
    wzp_wr_u64(&c->wr, now);
    wzp_wr_u32(&c->wr, len);
    wzp_wr_u32(&c->wr, len);
    c->wr.pos += wzp_sim_packet_bytes(packet, c->wr.pos, wzp_wr_room(&c->wr));
    pad(&c->wr);
    option_u32(&c->wr, PACKET_FLAGS, way == WZP_SIM_WAY_IN ? 1 : 2);
    option_u64(&c->wr, PACKET_ID, packet->id);
    if (comment != NULL) {
        option_text(&c->wr, OPTION_COMMENT, comment);
    }
    option(&c->wr, OPTION_END, wzp_bytes_of(NULL, 0));
    end_block(c, begin);
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
