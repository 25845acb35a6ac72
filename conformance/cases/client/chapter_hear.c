/* Clients: what they do with the audio that comes to them (media sheet 16, "Audio", "FEC",
 * "Jitter"). */
#include "conformance/cases/client/hear.h"
#include "conformance/cases/macros.h"

enum { TICK_MS = 20 };

#define HEARS(required_, reel, seconds)                                                            \
    {                                                                                              \
        .required = (required_), .within_s = (seconds) + 6, .begin = wzp_ct_step_reel,             \
        .go = wzp_ct_step_reel_heard, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (reel)             \
    }
#define TELLS                                                                                      \
    {                                                                                              \
        .required = "it tells what it plays", .within_s = 4, .go = wzp_ct_step_client_tells,       \
        .late = WZP_CT_REASON_NO_RESPONSE                                                          \
    }
/* As far as its offer says. */
static wzp_ct_so_far go_knows_codec2(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_play_server(e)->offers_codec2 ? WZP_CT_HAPPENED : wzp_ct_play_lacks(e, "codec2");
}

#define KNOWS_CODEC2                                                                               \
    { .required = "it offers Codec2_1200", .within_s = 1, .go = go_knows_codec2 }
#define LISTENER WZP_CT_CLIENT_JOINED, TELLS

/* The next frame of Opus at 24 kbit/s. */
static bool send_opus(wzp_ct_exec *e, wzp_ct_hear *st, bool is_sent) {
    const wzp_ct_outgoing p =
        wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, wzp_ct_sound(WZP_CODEC_OPUS_24K, st->frame));
    return wzp_ct_send_frame(e, st, &p, is_sent);
}

static uint32_t tick_opus(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    (void)i;
    return send_opus(e, st, true) ? TICK_MS : 0;
}

/* --- AUD-008: another codec in each packet ---------------------------------------------------- */

/* From each kind to each, and between frames of 20 and 40 ms. */
static uint32_t tick_codecs(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    static const uint8_t codecs[] = {
        WZP_CODEC_OPUS_24K,    WZP_CODEC_OPUS_6K,     WZP_CODEC_CODEC2_1200, WZP_CODEC_OPUS_24K,
        WZP_CODEC_CODEC2_3200, WZP_CODEC_CODEC2_1200, WZP_CODEC_OPUS_6K,     WZP_CODEC_OPUS_16K,
        WZP_CODEC_CODEC2_3200, WZP_CODEC_OPUS_64K,    WZP_CODEC_OPUS_32K,    WZP_CODEC_OPUS_48K};
    const uint8_t codec = codecs[i % WZP_COUNT_OF(codecs)];
    const bool is_codec2 = codec == WZP_CODEC_CODEC2_3200 || codec == WZP_CODEC_CODEC2_1200;
    wzp_ct_outgoing p = wzp_ct_next_packet(st, codec, wzp_ct_sound(codec, i));
    if (is_codec2) { /* the first of a block that ends with it */
        p.hdr.fec_ratio = codec == WZP_CODEC_CODEC2_3200 ? 50 : 100;
        p.hdr.fec_block = st->block++;
    }
    const uint32_t before = st->ts;
    return wzp_ct_send_frame(e, st, &p, true) ? st->ts - before : 0;
}

static const wzp_ct_reel codecs = {.ticks = 96, .tick = tick_codecs};
static const wzp_ct_act aud008[] = {
    LISTENER,
    KNOWS_CODEC2,
    HEARS("it plays a stream whose codec is another one in each packet", &codecs, 3),
};

/* --- AUD-009: what cannot be played ----------------------------------------------------------- */

typedef struct junk {
    uint8_t type, codec, flags;
    uint16_t len;
} junk;

static const junk all_junk[] = {
    {WZP_MEDIA_AUDIO, 10, 0, 40}, /* unassigned */
    {WZP_MEDIA_AUDIO, 13, 0, 40},
    {WZP_MEDIA_AUDIO, 14, 0, 40},
    {WZP_MEDIA_AUDIO, 255, 0, 40},
    {WZP_MEDIA_AUDIO, WZP_CODEC_H264_BASELINE, 0, 200}, /* video as audio */
    {WZP_MEDIA_AUDIO, WZP_CODEC_AV1_MAIN, WZP_MEDIA_KEYFRAME | WZP_MEDIA_FRAME_END, 1000},
    {WZP_MEDIA_VIDEO, WZP_CODEC_OPUS_24K, 0, 40}, /* and the other way round */
    {WZP_MEDIA_DATA, WZP_CODEC_OPUS_24K, 0, 40},
    {WZP_MEDIA_CONTROL, WZP_CODEC_OPUS_24K, 0, 0},
    {7, WZP_CODEC_OPUS_24K, 0, 40}, /* no media type at all */
    {WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 0},
    {WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_6K, 0, 0},
    {WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_3200, 0, 0},
    {WZP_MEDIA_AUDIO, WZP_CODEC_COMFORT_NOISE, 0, 0},
    {WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_3200, 0, 7}, /* cut short */
    {WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_1200, 0, 5},
    {WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_1200, 0, 1},
    {WZP_MEDIA_AUDIO, WZP_CODEC_CODEC2_3200, 0, 300}, /* too long */
    {WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_24K, 0, 1100},   /* random bytes, too many of them */
    {WZP_MEDIA_AUDIO, WZP_CODEC_OPUS_48K, 0, 3},
    {WZP_MEDIA_AUDIO, WZP_CODEC_COMFORT_NOISE, WZP_MEDIA_REPAIR, 50},
};

/* Each fifth frame is one that cannot be played, in the place of a good one. */
static uint32_t tick_junk(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    static const uint8_t bad_opus[] = {0x03, 0x00}; /* no frames at all */
    const size_t which = i / 5;
    if (i % 5 != 4 || which > WZP_COUNT_OF(all_junk)) {
        return tick_opus(e, st, i);
    }
    wzp_ct_outgoing p = wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, wzp_bytes_of(bad_opus, 2));
    if (which < WZP_COUNT_OF(all_junk)) {
        const junk *j = &all_junk[which];
        p.hdr.media_type = j->type;
        p.hdr.codec_id = j->codec;
        p.hdr.flags = j->flags;
        p.payload = j->len;
        p.seed = wzp_ct_play_seed(e);
        p.bytes = (wzp_bytes){0};
    }
    st->ts += TICK_MS;
    return wzp_ct_send_extra(e, st, &p) ? TICK_MS : 0;
}

/* Datagrams that are no packets. */
static bool send_scraps(wzp_ct_server *s) {
    static const uint8_t scraps[][18] = {
        {0}, {2}, {2, 0, 0, 0}, {1, 0, 0, 0}, {2, WZP_MEDIA_QUALITY}, {255}};
    static const size_t lens[] = {1, 1, 15, 18, 17, 16};
    bool ok = true;
    for (size_t i = 0; i < WZP_COUNT_OF(lens); i++) {
        ok = wzp_ct_server_send_raw(s, wzp_bytes_of(scraps[i], lens[i])) && ok;
    }
    return ok;
}

static uint32_t tick_scraps(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    return (i != 10 || send_scraps(wzp_ct_play_server(e))) ? tick_opus(e, st, i) : 0;
}

static bool begin_ask(wzp_ct_exec *e, wzp_time now) {
    (void)now;
    return wzp_ct_server_list(wzp_ct_play_server(e), 2);
}

static wzp_ct_so_far go_answers(wzp_ct_exec *e, wzp_time now) {
    const wzp_ct_server *s = wzp_ct_play_server(e);
    return !wzp_ct_client_is_there(e) ? WZP_CT_NEVER
           : s->watched_came          ? WZP_CT_HAPPENED
           : wzp_ct_play_elapsed(e, now) > 4 * WZP_S && wzp_ct_server_path_is_bad(s)
               ? WZP_CT_UNSURE
               : WZP_CT_NOT_YET;
}

#define SURVIVES(required_, reel, seconds)                                                         \
    {                                                                                              \
        .required = (required_), .within_s = (seconds) + 6, .begin = wzp_ct_step_reel,             \
        .go = wzp_ct_step_reel_survived, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (reel)          \
    }
#define ANSWERS                                                                                    \
    {                                                                                              \
        .required = "its connection lives: it acknowledges a signal", .within_s = 5,               \
        .begin = begin_ask, .go = go_answers, .late = WZP_CT_REASON_CRASH                          \
    }

static const wzp_ct_reel with_junk = {.ticks = 125, .tick = tick_junk};
static const wzp_ct_reel with_scraps = {.ticks = 60, .tick = tick_scraps};
static const wzp_ct_act aud009[] = {
    WZP_CT_CLIENT_JOINED,
    SURVIVES("it plays on between packets that cannot be played", &with_junk, 3),
    SURVIVES("and after datagrams that are no packets", &with_scraps, 2),
    ANSWERS,
};

/* --- AUD-010: single frames are missing ------------------------------------------------------- */

/* The last one and a half seconds are whole: what a client fills when nothing comes any more is no
 * concealment. */
static uint32_t tick_gaps(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    return send_opus(e, st, i < 25 || i >= 125 || i % 10 != 0) ? TICK_MS : 0;
}

static const wzp_ct_reel with_gaps = {.ticks = 200, .tick = tick_gaps, .fills = true};
static const wzp_ct_act aud010[] = {
    LISTENER,
    HEARS("it fills single frames that are missing", &with_gaps, 5),
};

/* --- DRED-002: with and without --------------------------------------------------------------- */

static uint32_t tick_dred(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    uint8_t buf[WZP_CT_SOUND_MAX];
    const wzp_bytes packet = i / 30 % 3 == 0   ? wzp_ct_sound_with_dred(i)
                             : i / 30 % 3 == 1 ? wzp_ct_sound_with_strange_dred(i, buf)
                                               : wzp_ct_sound(WZP_CODEC_OPUS_24K, i);
    const wzp_ct_outgoing p = wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, packet);
    return wzp_ct_send_frame(e, st, &p, i % 15 != 7) ? TICK_MS : 0;
}

static const wzp_ct_reel with_dred = {.ticks = 180, .tick = tick_dred};
static const wzp_ct_act dred002[] = {
    LISTENER,
    HEARS("it plays packets with DRED, without, and with one of another version", &with_dred, 4),
};

/* --- FEC -------------------------------------------------------------------------------------- */

/* All subsets of five symbols of the eight decode, and all of nine of the sixteen. */
static const uint32_t lost_3200[] = {0x01, 0x06, 0x15, 0x10, 0x0c, 0x07, 0x00, 0x1c};
static const uint32_t lost_1200[] = {0x01, 0x18, 0x55, 0x80, 0x7f, 0xb6, 0xfe, 0x00};

static uint32_t tick_3200(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const wzp_ct_block b = {.codec = WZP_CODEC_CODEC2_3200,
                            .lost = lost_3200[i / WZP_CT_SOURCES_3200 % WZP_COUNT_OF(lost_3200)]};
    return wzp_ct_send_of_block(e, st, &b, i % WZP_CT_SOURCES_3200) ? TICK_MS : 0;
}

static uint32_t tick_1200(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const wzp_ct_block b = {.codec = WZP_CODEC_CODEC2_1200,
                            .lost = lost_1200[i / WZP_CT_SOURCES_1200 % WZP_COUNT_OF(lost_1200)]};
    return wzp_ct_send_of_block(e, st, &b, i % WZP_CT_SOURCES_1200) ? 2 * TICK_MS : 0;
}

/* Whether they come in time is another question: the buffer is shorter than a block. */
#define RECOVERS(name, tick_, blocks, sources)                                                     \
    static const wzp_ct_reel name = {                                                              \
        .ticks = (blocks) * (sources), .tick = (tick_), .recovers = true}

RECOVERS(short_blocks, tick_3200, 16, WZP_CT_SOURCES_3200);
RECOVERS(long_blocks, tick_1200, 8, WZP_CT_SOURCES_1200);
static const wzp_ct_act fec004[] = {
    LISTENER,
    KNOWS_CODEC2,
    HEARS("it recovers up to three of five frames", &short_blocks, 2),
    HEARS("it recovers up to seven of eight frames", &long_blocks, 3),
};

enum { WHOLE_SYMBOL = 256 };

static uint32_t tick_sized(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i, size_t repair_len) {
    const wzp_ct_block b = {.codec = WZP_CODEC_CODEC2_3200, .lost = 0x0a, .repair_len = repair_len};
    return wzp_ct_send_of_block(e, st, &b, i % WZP_CT_SOURCES_3200) ? TICK_MS : 0;
}

static uint32_t tick_trimmed(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    return tick_sized(e, st, i, 0);
}

static uint32_t tick_untrimmed(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    return tick_sized(e, st, i, WHOLE_SYMBOL);
}

/* A client that recovers nothing loses nothing by it here: FEC-004 asks for that. */
static wzp_ct_so_far go_same(wzp_ct_exec *e, wzp_time now) {
    wzp_ct_hear *st = wzp_ct_play_state(e);
    const wzp_ct_so_far sent = wzp_ct_step_reel_over(e, now);
    if (sent != WZP_CT_HAPPENED) {
        return sent;
    }
    wzp_ct_play_wake(e, st->next_at + WZP_CT_CLIENT_SETTLE);
    if (now < st->next_at + WZP_CT_CLIENT_SETTLE) {
        return WZP_CT_NOT_YET;
    }
    const uint64_t got = wzp_ct_play_listen(e).recovered - st->before.recovered;
    const bool is_first = st->recovers == 0 && st->block <= 10;
    const bool differs = !is_first && got + 1 < st->recovers;
    if (differs) {
        wzp_ct_play_say(e,
                        "with symbols of 256 bytes it recovered %llu frames, with short ones "
                        "%llu",
                        (unsigned long long)st->recovers, (unsigned long long)got);
    }
    st->recovers = got;
    return !differs                                           ? WZP_CT_HAPPENED
           : wzp_ct_server_path_is_bad(wzp_ct_play_server(e)) ? WZP_CT_UNSURE
                                                              : WZP_CT_NEVER;
}

typedef struct odd {
    uint8_t flags, index;
    uint16_t len;
} odd;

/* In the middle of a block whose repair packets follow; random bytes but for the last ones. */
static const odd odds[] = {
    {WZP_MEDIA_REPAIR, 8, 10},    /* beyond K + R */
    {WZP_MEDIA_REPAIR, 255, 256}, /* far beyond */
    {WZP_MEDIA_REPAIR, 5, 0},     /* empty */
    {WZP_MEDIA_REPAIR, 6, 300},   /* longer than any symbol */
    {WZP_MEDIA_REPAIR, 2, 256},   /* says that it is a source */
    {0, 7, 8},                    /* the block of Codec2 1200 has eight */
    {0, 200, 8},
};

static bool send_odd(wzp_ct_exec *e, wzp_ct_hear *st, const odd *o) {
    wzp_ct_outgoing p = wzp_ct_next_packet(st, WZP_CODEC_CODEC2_3200, (wzp_bytes){0});
    p.hdr.flags = o->flags;
    p.hdr.fec_ratio = 50;
    p.hdr.fec_block = (uint16_t)(o->index << 8 | (uint8_t)(st->block + 100)); /* of a block apart */
    p.payload = o->len;
    p.seed = wzp_ct_play_seed(e);
    return wzp_ct_send_extra(e, st, &p);
}

/* The first and the last of the block's symbols twice, too. */
static uint32_t tick_odd(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const wzp_ct_block b = {.codec = WZP_CODEC_CODEC2_3200};
    const uint32_t index = i % WZP_CT_SOURCES_3200;
    bool ok = index != 2 || send_odd(e, st, &odds[i / WZP_CT_SOURCES_3200 % WZP_COUNT_OF(odds)]);
    if (index == 1) {
        wzp_ct_outgoing p = wzp_ct_next_packet(st, b.codec, wzp_ct_sound(b.codec, 0));
        p.hdr.fec_ratio = 50;
        p.hdr.fec_block = st->block;
        ok = wzp_ct_send_at(e, st, p, -1) && ok;
    }
    return wzp_ct_send_of_block(e, st, &b, index) && ok ? TICK_MS : 0;
}

static const wzp_ct_reel trimmed = {.ticks = 10 * WZP_CT_SOURCES_3200, .tick = tick_trimmed};
static const wzp_ct_reel untrimmed = {.ticks = 10 * WZP_CT_SOURCES_3200, .tick = tick_untrimmed};
static const wzp_ct_reel with_odd_ones = {.ticks = 14 * WZP_CT_SOURCES_3200, .tick = tick_odd};
#define SAME(required_, reel)                                                                      \
    {                                                                                              \
        .required = (required_), .within_s = 6, .begin = wzp_ct_step_reel, .go = go_same,          \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (reel)                                           \
    }
static const wzp_ct_act fec005[] = {
    WZP_CT_CLIENT_JOINED,
    KNOWS_CODEC2,
    SAME("it takes repair symbols of 256 bytes", &untrimmed),
    SAME("it takes them without their zeros as well", &trimmed),
    SURVIVES("it plays on when symbols are wrong in every way", &with_odd_ones, 2),
    ANSWERS,
};

/* Block 0 lacks four of its sources.  When its number comes again, 25.6 s later, one source lacks
 * and no symbol repairs it: with the old ones it could be "recovered", as what it was then. */
static uint32_t tick_wrap(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const uint32_t number = i / WZP_CT_SOURCES_3200;
    const wzp_ct_block b = {.codec = WZP_CODEC_CODEC2_3200,
                            .lost = number == 0     ? 0x1e
                                    : number == 256 ? 0x10
                                                    : 0,
                            .no_repairs = number != 0};
    st->block = (uint8_t)number;
    const bool ok = wzp_ct_send_of_block(e, st, &b, i % WZP_CT_SOURCES_3200);
    st->back = 0; /* four symbols are too few */
    return ok ? TICK_MS : 0;
}

RECOVERS(wrapping, tick_wrap, 260, WZP_CT_SOURCES_3200);
static const wzp_ct_act fec006[] = {
    LISTENER,
    KNOWS_CODEC2,
    HEARS("it recovers nothing from symbols of 25.6 s before", &wrapping, 26),
};

/* What a repair packet of Opus has is not to be played, though it could be. */
static uint32_t tick_opus_repair(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    bool ok = send_opus(e, st, true);
    if (i % 5 == 4) {
        wzp_ct_outgoing p =
            wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, wzp_ct_sound(WZP_CODEC_OPUS_24K, i));
        p.hdr.flags = WZP_MEDIA_REPAIR;
        p.hdr.fec_ratio = 20;
        p.hdr.fec_block = (uint16_t)(5 << 8 | (i / 5 & 0xff));
        ok = wzp_ct_send_extra(e, st, &p) && ok;
    }
    return ok ? TICK_MS : 0;
}

static const wzp_ct_reel with_repairs = {.ticks = 150, .tick = tick_opus_repair, .once = true};
static const wzp_ct_act fec007[] = {
    LISTENER,
    HEARS("it plays the frames of Opus, and not the repair packets", &with_repairs, 3),
};

/* --- order ------------------------------------------------------------------------------------ */

/* Of five packets the second comes last: three overtake it. */
static uint32_t tick_overtaken(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const wzp_ct_outgoing p =
        wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, wzp_ct_sound(WZP_CODEC_OPUS_24K, i));
    bool ok = i % 5 == 1 || wzp_ct_server_send(wzp_ct_play_server(e), &p);
    st->seq++;
    st->ts += TICK_MS;
    st->frame++;
    st->whole++;
    if (i % 5 == 4) {
        ok = wzp_ct_send_at(e, st, p, -4) && ok;
    }
    return ok ? TICK_MS : 0;
}

static const wzp_ct_reel first_overtaken = {.ticks = 100, .tick = tick_overtaken};
static const wzp_ct_reel overtaken = {.ticks = 200, .tick = tick_overtaken};
static const wzp_ct_act jit002[] = {
    LISTENER,
    {"a while to find out how uneven the path is", 4, wzp_ct_step_reel, wzp_ct_step_reel_over,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, &first_overtaken},
    HEARS("it plays packets that three others have overtaken", &overtaken, 4),
};

static uint32_t tick_twice(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    const wzp_ct_outgoing p =
        wzp_ct_next_packet(st, WZP_CODEC_OPUS_24K, wzp_ct_sound(WZP_CODEC_OPUS_24K, i));
    const bool ok = wzp_ct_send_frame(e, st, &p, true);
    return (i % 3 != 0 || wzp_ct_server_send(wzp_ct_play_server(e), &p)) && ok ? TICK_MS : 0;
}

static const wzp_ct_reel twice = {.ticks = 150, .tick = tick_twice, .once = true};
static const wzp_ct_act jit003[] = {
    LISTENER,
    HEARS("it plays a packet that comes twice once", &twice, 3),
};

/* As deployed clients do when they come again: number and timestamp begin with 0. */
static uint32_t tick_anew(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    if (i == 0) {
        st->seq = st->ts = 0;
    }
    return tick_opus(e, st, i);
}

static uint32_t tick_before(wzp_ct_exec *e, wzp_ct_hear *st, uint32_t i) {
    if (i == 0) {
        st->seq = 40000;
        st->ts = 40000 * TICK_MS;
    }
    return tick_opus(e, st, i);
}

static const wzp_ct_reel before = {.ticks = 100, .tick = tick_before};
static const wzp_ct_reel anew = {.ticks = 50, .tick = tick_anew};
static const wzp_ct_reel after = {.ticks = 100, .tick = tick_opus};
static const wzp_ct_act jit004[] = {
    LISTENER,
    HEARS("it plays a stream from number 40,000 on", &before, 2),
    {"the sender begins again with number 0", 4, wzp_ct_step_reel, wzp_ct_step_reel_over,
     WZP_CT_REASON_NO_RESPONSE, WZP_CT_REASON_NONE, &anew},
    HEARS("a second later it plays all that comes", &after, 3),
};

/* --- the table -------------------------------------------------------------------------------- */

#define HEAR(id, level_, title, must, traffic, script)                                             \
    {                                                                                              \
        .kind = WZP_CT_PLAY, .client = WZP_CT_CLIENT_CLEAR, .hears = true,                         \
        .info = {INFO(id, "HEAR", title, id, must, traffic, "media 16, " id),                      \
                 .level = WZP_CT_##level_},                                                        \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script),                                  \
        .act_count = WZP_COUNT_OF(script), .state_size = sizeof(wzp_ct_hear)                       \
    }

static const wzp_ct_case cases[] = {
    HEAR("AUD-008", MUST, "codecs that change", "play what each packet says it is",
         "96 packets, no two of one codec behind each other, Opus and Codec2", aud008),
    HEAR(
        "AUD-009", MUST, "what cannot be played", "ignore it, and go on",
        "among good packets: unassigned codecs, video as audio, empty and cut payloads, no packets "
        "at all",
        aud009),
    HEAR("AUD-010", SHOULD, "single frames are missing", "conceal or recover them",
         "Opus without each tenth packet for two seconds, then whole", aud010),
    HEAR(
        "DRED-002", MUST, "redundancy is optional",
        "play packets with DRED, without, and with a version that it does not know",
        "Opus at 24 kbit/s with DRED of version 10, of version 99 and without, now and then one is "
        "missing",
        dred002),
    HEAR("FEC-004", SHOULD, "lost frames of Codec2", "recover them from repair packets",
         "blocks of five without up to three frames, of eight without up to seven, with all their "
         "repair packets",
         fec004),
    HEAR("FEC-005", MUST, "repair packets of any kind",
         "take symbols with and without their zeros, and ignore wrong ones",
         "blocks with symbols of 256 and of 10 bytes; indices beyond the block, symbols twice, "
         "empty, of 300 bytes",
         fec005),
    HEAR("FEC-006", SHOULD, "numbers of blocks come again",
         "not mix a block with the one that had its number before",
         "257 blocks, of which the first and the last lack symbols", fec006),
    HEAR("FEC-007", SHOULD, "repair packets of Opus", "drop them",
         "Opus with a repair packet behind each fifth frame", fec007),
    HEAR("JIT-002", SHOULD, "packets out of order", "play what three others have overtaken",
         "Opus, of five packets the second comes last", jit002),
    HEAR("JIT-003", SHOULD, "packets that come twice", "play them once",
         "Opus, each third packet twice", jit003),
    HEAR("JIT-004", SHOULD, "a sender that begins again", "play it within a second",
         "Opus from number 40,000 on, then from number 0 on", jit004),
};

const wzp_ct_chapter wzp_ct_chapter_hear = {"HEAR", "Clients: the audio that they play", cases,
                                            WZP_COUNT_OF(cases)};
