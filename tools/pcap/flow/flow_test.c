#include "tools/pcap/flow/flow.h"

#include "base/rng.h"
#include "base/testing/suite.h"
#include "fec/sender.h"
#include "tools/pcap/flow/testing/talk.h"

#define FRAME (20 * WZP_MS)

static wzp_media_hdr opus(uint32_t seq) {
    return (wzp_media_hdr){.codec_id = WZP_CODEC_OPUS_24K, .seq = seq, .timestamp_ms = seq * 20};
}

static uint64_t at(uint32_t frame) {
    return WZP_TALK_START + frame * FRAME;
}

static const wzp_pcap_stream *only(const wzp_talk *t) {
    ck_assert_uint_eq(wzp_pcap_flow_streams(t->flow), 1);
    return wzp_pcap_flow_stream(t->flow, 0);
}

/* --- one sender ------------------------------------------------------------------------------- */

START_TEST(a_steady_stream) {
    wzp_talk t;
    wzp_pcap_loss_figures f;
    wzp_pcap_mos mos;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 500; i++) {
        const wzp_media_hdr hdr = opus(i);
        wzp_talk_media(&t, &hdr, 76, 0, at(i));
        ck_assert_uint_eq(wzp_pcap_flow_last(t.flow), 1);
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_stream *s = only(&t);
    wzp_pcap_loss_sum(&s->loss, &f);
    ck_assert_uint_eq(f.lost, 0);
    ck_assert_uint_eq(s->packets, 500);
    ck_assert_uint_eq(s->bytes, UINT64_C(500) * 92);
    ck_assert_uint_eq(s->first_packet, 1);
    ck_assert_uint_eq(s->last_packet, 500);
    ck_assert_uint_eq(s->rows.count, 10);
    ck_assert_uint_eq(s->rows.rows[3].packets, 50);
    ck_assert_uint_eq(s->rows.rows[3].bytes, UINT64_C(50) * 92);
    ck_assert_uint_eq(s->timing.gaps[3], 499);
    ck_assert_uint_eq(wzp_pcap_stream_confidence(s), 100);
    ck_assert(wzp_pcap_stream_mos(s, &mos));
    ck_assert_double_gt(mos.mos, 4.2);
    ck_assert_uint_eq(wzp_pcap_flow_findings(t.flow)->count, 0);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(a_hole_is_told_with_its_length) {
    wzp_talk t;
    size_t count = 0;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 400; i++) {
        const wzp_media_hdr hdr = opus(i);
        if (i < 100 || i >= 160) {
            wzp_talk_media(&t, &hdr, 76, 0, at(i));
        }
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_LOSS_BURST, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(f->packet, 101);
    ck_assert_ptr_nonnull(strstr(f->text, "60 packets in a row"));
    ck_assert_ptr_nonnull(strstr(f->text, "1.2 s"));
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_LOSS, NULL));
    ck_assert_uint_eq(only(&t)->rows.rows[3].lost, 60); /* noticed at 3.2 s */
    wzp_talk_end(&t);
}
END_TEST

/* What comes late after all was no hole, and its interval lost nothing. */
START_TEST(a_hole_that_is_filled_is_not_told) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t seq = i >= 100 && i < 120 ? i + 20 : i >= 120 && i < 140 ? i - 20 : i;
        const wzp_media_hdr hdr = opus(seq);
        wzp_talk_media(&t, &hdr, 76, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_ptr_null(wzp_talk_finding(&t, WZP_PCAP_FINDING_LOSS_BURST, NULL));
    ck_assert_uint_eq(only(&t)->loss.reordered, 20);
    ck_assert_uint_eq(only(&t)->rows.rows[2].lost, 0);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(duplicates_open_no_stream) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    t.to_server = false; /* where several senders may be mixed */
    for (uint32_t i = 0; i < 200; i++) {
        const wzp_media_hdr hdr = opus(i);
        wzp_talk_media(&t, &hdr, 76, 0, at(i));
        wzp_talk_media(&t, &hdr, 76, 0, at(i) + WZP_MS);
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(only(&t)->loss.duplicates, 200);
    ck_assert_uint_eq(only(&t)->loss.unique, 200);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_DUPLICATES, NULL));
    wzp_talk_end(&t);
}
END_TEST

START_TEST(a_new_beginning) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 200; i++) {
        const wzp_media_hdr hdr = opus(i < 100 ? 70000 + i : i - 100);
        wzp_talk_media(&t, &hdr, 76, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_RESET, NULL);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->packet, 101);
    ck_assert_uint_eq(only(&t)->loss.resets, 1);
    ck_assert_double_lt(only(&t)->timing.jitter_ms.max, 0.001);
    wzp_talk_end(&t);
}
END_TEST

/* Two seconds without a packet: what was sent meanwhile comes at once, or there was nothing. */
START_TEST(paths_that_stand_still_and_senders_that_pause) {
    for (int pauses = 0; pauses < 2; pauses++) {
        wzp_talk t;
        wzp_talk_begin(&t, 0);
        for (uint32_t i = 0; i < 400; i++) {
            const wzp_media_hdr hdr = opus(i);
            const uint32_t frame = i < 100 ? i : pauses == 1 ? i + 100 : i < 200 ? 200 : i;
            wzp_talk_media(&t, &hdr, 76, 0, at(frame) + i * WZP_US);
        }
        wzp_pcap_flow_end(t.flow);
        const wzp_pcap_finding *stall = wzp_talk_finding(&t, WZP_PCAP_FINDING_STALL, NULL);
        const wzp_pcap_finding *pause = wzp_talk_finding(&t, WZP_PCAP_FINDING_PAUSE, NULL);
        ck_assert_int_eq(stall == NULL, pauses);
        ck_assert_int_eq(pause != NULL, pauses);
        ck_assert_uint_eq(stall != NULL ? stall->packet : pause->packet, 101);
        wzp_talk_end(&t);
    }
}
END_TEST

START_TEST(silence_is_no_pause) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    uint32_t seq = 0;
    for (uint32_t frame = 0; frame < 500; frame++) {
        wzp_media_hdr hdr = opus(seq);
        hdr.timestamp_ms = frame * 20;
        if (frame >= 200 && frame < 400) {
            hdr.codec_id = WZP_CODEC_COMFORT_NOISE;
            if (frame % 10 != 9) {
                continue;
            }
        }
        seq++;
        wzp_talk_media(&t, &hdr, hdr.codec_id == WZP_CODEC_COMFORT_NOISE ? 17 : 76, 0, at(frame));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(only(&t)->noise, 20);
    ck_assert_uint_eq(only(&t)->pauses, 0);
    ck_assert_uint_eq(only(&t)->silence_ms, UINT64_C(180) * 20);
    ck_assert_uint_eq(only(&t)->switches, 0);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(codecs_that_flap) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 700; i++) {
        wzp_media_hdr hdr = opus(i);
        hdr.codec_id = i / 100 % 2 == 0 ? WZP_CODEC_OPUS_24K : WZP_CODEC_OPUS_16K;
        wzp_talk_media(&t, &hdr, 60, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_FLAPPING, NULL);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->packet, 601);
    ck_assert_uint_eq(only(&t)->switches, 6);
    ck_assert_uint_eq(only(&t)->switch_list[1].packet, 201);
    ck_assert_uint_eq(only(&t)->rows.rows[2].codec, WZP_CODEC_OPUS_16K);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(reports) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 500; i++) {
        const wzp_media_hdr hdr = opus(i);
        const wzp_quality_report report = {26, i < 300 ? 10 : 100, 5, 200};
        if (i % 50 == 0) {
            wzp_talk_report(&t, &hdr, report, at(i));
        } else {
            wzp_talk_media(&t, &hdr, 60, 0, at(i));
        }
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_stream *s = only(&t);
    ck_assert_uint_eq(s->reports, 10);
    ck_assert_uint_eq(s->report_count, 10);
    ck_assert_double_eq_tol(s->report_loss.mean, 26 / 2.55, 1e-9);
    ck_assert_uint_eq(s->rows.rows[1].report_rtt_ms, 40);
    ck_assert_uint_eq(wzp_talk_finding(&t, WZP_PCAP_FINDING_RTT_JUMP, NULL)->packet, 301);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_REPORT_DISAGREES, NULL));
    wzp_talk_end(&t);
}
END_TEST

START_TEST(old_clock_in_samples) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 200; i++) {
        wzp_media_hdr hdr = opus(i);
        hdr.timestamp_ms = i * 960;
        wzp_talk_media(&t, &hdr, 60, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_CLOCK_UNIT, NULL));
    wzp_talk_end(&t);
}
END_TEST

/* --- several senders -------------------------------------------------------------------------- */

/* Every sender's packets must come out in one stream, whole, whatever the others send.  Senders
 * begin apart, or all at the same number and at once. */
static const struct mix_case {
    const char *name;
    uint32_t senders, apart; /* frames between their beginnings */
    uint32_t loss_percent;
    uint64_t jitter;
    double astray; /* at most, of all packets */
} mix_cases[] = {
    {"two, far apart", 2, 5000, 0, 0, 0},
    {"two, ten frames apart", 2, 10, 0, 0, 0.01},
    {"two, one frame apart", 2, 1, 0, 0, 0.01},
    {"two, at the same number", 2, 0, 0, 0, 0.01},
    {"five, seven frames apart", 5, 7, 0, 0, 0.02},
    {"three with loss", 3, 400, 10, 0, 0.02},
    {"three with jitter", 3, 400, 0, 15 * WZP_MS, 0.02},
    {"three with both", 3, 400, 5, 15 * WZP_MS, 0.03},
};

enum { MIXED = 1500, SENDERS_MAX = 5 };

typedef struct arrival {
    uint64_t ns;
    uint32_t sender, seq;
} arrival;

static int by_time(const void *a, const void *b) {
    const arrival *x = a;
    const arrival *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

START_TEST(mixed_senders) {
    static arrival list[SENDERS_MAX * MIXED];
    const struct mix_case *c = &mix_cases[_i];
    size_t count = 0;
    wzp_talk t;
    wzp_prng prng;
    wzp_prng_init(&prng, 7, c->name);
    const wzp_rng rng = wzp_prng_rng(&prng);
    for (uint32_t s = 0; s < c->senders; s++) {
        for (uint32_t i = 0; i < MIXED; i++) {
            const uint64_t queue = c->jitter > 0 ? wzp_rng_below(rng, c->jitter) : 0;
            if (wzp_rng_below(rng, 100) >= c->loss_percent) {
                list[count++] =
                    (arrival){at(i) + UINT64_C(3) * s * WZP_MS + queue, s, s * c->apart + i};
            }
        }
    }
    qsort(list, count, sizeof *list, by_time);
    wzp_talk_begin(&t, 0);
    t.to_server = false;
    uint32_t home[SENDERS_MAX] = {0}; /* the stream that had the sender's packet before */
    size_t moves = 0;
    for (size_t i = 0; i < count; i++) {
        const wzp_media_hdr hdr = opus(list[i].seq);
        uint64_t before[64] = {0};
        const size_t streams = wzp_pcap_flow_streams(t.flow);
        for (size_t k = 0; k < streams && k < 64; k++) {
            before[k] = wzp_pcap_flow_stream(t.flow, k)->packets;
        }
        wzp_talk_media(&t, &hdr, 60, (uint8_t)(list[i].sender * 17), list[i].ns);
        for (size_t k = 0; k < wzp_pcap_flow_streams(t.flow) && k < 64; k++) {
            const wzp_pcap_stream *s = wzp_pcap_flow_stream(t.flow, k);
            if (s->packets != before[k]) {
                moves += home[list[i].sender] != 0 && home[list[i].sender] != s->number ? 1 : 0;
                home[list[i].sender] = s->number;
            }
        }
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_msg(wzp_pcap_flow_streams(t.flow) == c->senders, "%s: %zu streams", c->name,
                  wzp_pcap_flow_streams(t.flow));
    ck_assert_msg((double)moves <= c->astray * (double)count, "%s: %zu of %zu moves", c->name,
                  moves, count);
    unsigned least = 100;
    for (size_t k = 0; k < c->senders; k++) {
        const wzp_pcap_stream *s = wzp_pcap_flow_stream(t.flow, k);
        const unsigned sure = wzp_pcap_stream_confidence(s);
        ck_assert_int_eq(s->basis, WZP_PCAP_BY_SEQUENCE);
        ck_assert_uint_lt(sure, 100);
        least = sure < least ? sure : least;
    }
    /* Where nothing but chance tells them apart, that is said. */
    ck_assert_int_eq(least > 40, c->apart > 1);
    wzp_talk_end(&t);
}
END_TEST

/* Lines of hexadecimal digits have no times: loss can be told, pace and verdicts cannot. */
START_TEST(a_file_without_times) {
    wzp_talk t;
    wzp_pcap_loss_figures f;
    wzp_talk_begin(&t, 0);
    t.conn = (wzp_pcap_conn){.role = WZP_PCAP_ROLE_FILE};
    for (uint32_t i = 0; i < 2000; i++) {
        const wzp_media_hdr hdr = opus(i);
        if (i < 500 || i >= 560) {
            wzp_talk_media(&t, &hdr, 76, 0, 0);
        }
    }
    wzp_pcap_flow_end(t.flow);
    wzp_pcap_loss_sum(&only(&t)->loss, &f);
    ck_assert_uint_eq(f.lost, 60);
    ck_assert_uint_eq(only(&t)->timing.jitter_ms.count, 0);
    ck_assert_uint_eq(wzp_pcap_flow_senders(t.flow), 0);
    ck_assert_ptr_null(wzp_talk_finding(&t, WZP_PCAP_FINDING_HANGUP, NULL));
    wzp_talk_end(&t);
}
END_TEST

/* What numbers cannot tell, keys can: two that send the same numbers at the same time, one of whom
 * begins anew. */
START_TEST(senders_by_their_keys) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    t.to_server = false;
    t.seal = WZP_PCAP_SEAL_OPENED;
    for (uint32_t i = 0; i < 400; i++) {
        for (uint32_t sender = 1; sender <= 2; sender++) {
            const wzp_media_hdr hdr = opus(sender == 2 && i >= 200 ? i + 90000 : i);
            t.sender = sender;
            wzp_talk_media(&t, &hdr, 60, (uint8_t)sender, at(i));
        }
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_streams(t.flow), 2);
    for (size_t k = 0; k < 2; k++) {
        const wzp_pcap_stream *s = wzp_pcap_flow_stream(t.flow, k);
        ck_assert_int_eq(s->basis, WZP_PCAP_BY_KEY);
        ck_assert_uint_eq(wzp_pcap_stream_confidence(s), 100);
        ck_assert_uint_eq(s->packets, 400);
        ck_assert_uint_eq(s->loss.resets, k);
    }
    wzp_talk_end(&t);
}
END_TEST

START_TEST(sessions_of_a_trunk) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    t.to_server = false;
    for (uint32_t i = 0; i < 300; i++) {
        const wzp_media_hdr hdr = opus(i);
        wzp_talk_trunk(&t, &hdr, (uint8_t)(i % 3), at(i));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_streams(t.flow), 3);
    ck_assert_int_eq(wzp_pcap_flow_stream(t.flow, 0)->basis, WZP_PCAP_BY_SESSION);
    wzp_talk_end(&t);
}
END_TEST

/* --- forward error correction ----------------------------------------------------------------- */

static const struct fec_case {
    const char *name;
    uint32_t lose; /* bits: symbols of block 3, sources first */
    bool sealed;
    uint64_t complete, recovered, lost, lost_before, lost_after;
} fec_cases[] = {
    {"nothing lost", 0, false, 10, 0, 0, 0, 0},
    {"repair lost", 0xe0, false, 10, 0, 0, 0, 0},
    {"one source", 0x01, false, 9, 1, 0, 1, 0},
    {"three sources", 0x07, false, 9, 1, 0, 3, 0},
    {"three sources of a sealed stream", 0x07, true, 9, 1, 0, 3, 0},
    {"one too many", 0x0f, false, 9, 0, 1, 4, 4},
    {"sources and repair", 0x23, false, 9, 1, 0, 2, 0},
    {"a whole block", 0xff, false, 9, 0, 1, 5, 5},
};

START_TEST(fec) {
    const struct fec_case *c = &fec_cases[_i];
    const wzp_fec_sender_cfg cfg = {.source_count = 5, .ratio_percent = 50};
    wzp_fec_sender *sender = NULL;
    wzp_talk t;
    ck_assert_int_eq(wzp_fec_sender_new(&sender, &cfg), WZP_OK);
    wzp_talk_begin(&t, 0);
    t.seal = c->sealed ? WZP_PCAP_SEAL_NO_KEY : WZP_PCAP_SEAL_NONE;
    uint32_t seq = 0;
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t frame[8] = {(uint8_t)i, 1, 2, 3, 4, 5, 6, (uint8_t)(i * i)};
        wzp_media_hdr hdr = {.codec_id = WZP_CODEC_CODEC2_3200, .fec_ratio = 50};
        wzp_bytes payload = wzp_bytes_of(frame, sizeof frame);
        ck_assert_int_eq(wzp_fec_sender_push(sender, payload, false, &hdr.fec_block), WZP_OK);
        do {
            hdr.seq = seq++;
            hdr.timestamp_ms = i * 20 + ((hdr.flags & WZP_MEDIA_REPAIR) != 0 ? 20 : 0);
            const unsigned symbol = hdr.fec_block >> 8;
            if ((hdr.fec_block & 0xff) != 3 || (c->lose >> symbol & 1) == 0) {
                wzp_talk_plain(&t, &hdr, payload, at(i));
            }
            hdr.flags = WZP_MEDIA_REPAIR;
        } while (wzp_fec_sender_next_repair(sender, &hdr.fec_block, &payload));
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_blocks *b = &only(&t)->blocks;
    ck_assert_msg(b->complete == c->complete && b->recovered == c->recovered && b->lost == c->lost,
                  "%s: %u complete, %u recovered, %u lost", c->name, (unsigned)b->complete,
                  (unsigned)b->recovered, (unsigned)b->lost);
    ck_assert_uint_eq(b->frames, 50);
    ck_assert_uint_eq(b->frames_lost_before, c->lost_before);
    ck_assert_uint_eq(b->frames_lost_after, c->lost_after);
    ck_assert_uint_eq(b->cut, 0);
    wzp_talk_end(&t);
    wzp_fec_sender_free(&sender);
}
END_TEST

/* --- video ------------------------------------------------------------------------------------ */

/* Frames of three fragments, 33 ms apart, a key frame each 30; fragment `lost` of frame 45 never
 * comes. */
static void send_video(wzp_talk *t, uint32_t frames, int lost, uint32_t keys_from) {
    for (uint32_t i = 0; i < frames; i++) {
        const bool key = i % 30 == 0 && i >= keys_from;
        for (uint32_t n = 0; n < 3; n++) {
            wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO,
                                 .codec_id = WZP_CODEC_AV1_MAIN,
                                 .seq = i * 3 + n,
                                 .timestamp_ms = i * 33,
                                 .fec_block = (uint16_t)(n << 8 | 3)};
            hdr.flags =
                (uint8_t)((key ? WZP_MEDIA_KEYFRAME : 0) | (n == 2 ? WZP_MEDIA_FRAME_END : 0));
            if (i != 45 || (int)n != lost) {
                wzp_talk_media(t, &hdr, key ? 1184 : 300, 0,
                               WZP_TALK_START + UINT64_C(33) * i * WZP_MS + n);
            }
        }
    }
}

START_TEST(video_frames) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    send_video(&t, 90, 1, 30);
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_frames *f = &only(&t)->frames;
    ck_assert_uint_eq(f->complete, 89);
    ck_assert_uint_eq(f->incomplete, 1);
    ck_assert_uint_eq(f->fragments_missing, 1);
    ck_assert_uint_eq(f->keyframes, 2);
    ck_assert_uint_eq(f->first_key_ns - f->first_ns, UINT64_C(990) * WZP_MS + 2);
    ck_assert_double_eq_tol(f->key_gap_ms.mean, 30 * 33, 0.1);
    ck_assert_double_eq_tol(f->key_bytes.mean / f->delta_bytes.mean, 1184.0 / 300, 1e-9);
    ck_assert_uint_eq(f->freezes, 0);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(requests_and_their_answers) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    send_video(&t, 10, -1, 0);
    wzp_talk_signal(&t, "{\"PictureLossIndication\":{\"version\":1,\"stream_id\":0}}", false,
                    WZP_TALK_START + 400 * WZP_MS);
    const uint64_t asked = t.packet;
    wzp_talk_signal(&t, "{\"Nack\":{\"version\":1,\"stream_id\":0,\"seqs\":[5]}}", false,
                    WZP_TALK_START + 400 * WZP_MS);
    wzp_media_hdr hdr = {.media_type = WZP_MEDIA_VIDEO,
                         .codec_id = WZP_CODEC_AV1_MAIN,
                         .seq = 5,
                         .timestamp_ms = 33,
                         .fec_block = 2 << 8 | 3,
                         .flags = WZP_MEDIA_FRAME_END};
    hdr.seq = 31;
    hdr.timestamp_ms = 5000;
    wzp_talk_media(&t, &hdr, 300, 0, WZP_TALK_START + 5000 * WZP_MS);
    hdr.seq = 32;
    hdr.timestamp_ms = 8400;
    hdr.flags = WZP_MEDIA_KEYFRAME | WZP_MEDIA_FRAME_END;
    hdr.fec_block = 1;
    wzp_talk_media(&t, &hdr, 300, 0, WZP_TALK_START + 8400 * WZP_MS);
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_asks *asks = &only(&t)->asks;
    ck_assert_uint_eq(asks->plis, 1);
    ck_assert_uint_eq(asks->plis_answered, 1);
    ck_assert_double_eq_tol(asks->pli_ms.mean, 8000, 0.1);
    ck_assert_uint_eq(asks->nacked, 1);
    ck_assert_uint_eq(asks->nacks_answered, 0);
    ck_assert_uint_eq(wzp_talk_finding(&t, WZP_PCAP_FINDING_NO_KEYFRAME, NULL)->packet, asked);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_FREEZE, NULL));
    wzp_talk_end(&t);
}
END_TEST

/* --- meters ----------------------------------------------------------------------------------- */

START_TEST(who_sends_too_much_is_hung_up_on) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 4000; i++) {
        const wzp_media_hdr hdr = opus(i);
        wzp_talk_media(&t, &hdr, 300, 0,
                       WZP_TALK_START + UINT64_C(4) * i * WZP_MS); /* 250 a second */
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_senders(t.flow), 1);
    const wzp_pcap_sender *s = wzp_pcap_flow_sender(t.flow, 0);
    ck_assert_uint_eq(s->gauge.hangup.count, 1);
    ck_assert_int_eq(s->gauge.why, WZP_VIOLATION_BITRATE);
    ck_assert_uint_eq(s->gauge.breaches[WZP_VIOLATION_BITRATE].packet, 33);
    const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_HANGUP, NULL);
    ck_assert_uint_eq(f->packet, s->gauge.hangup.packet);
    ck_assert_ptr_nonnull(strstr(f->text, "tier A"));
    wzp_talk_end(&t);
}
END_TEST

START_TEST(who_does_not_is_not) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 4000; i++) {
        const wzp_media_hdr hdr = opus(i);
        wzp_talk_media(&t, &hdr, 76, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_sender(t.flow, 0)->gauge.hangup.count, 0);
    ck_assert_ptr_null(wzp_talk_finding(&t, WZP_PCAP_FINDING_VIOLATION, NULL));
    wzp_talk_end(&t);
}
END_TEST

/* --- signals ---------------------------------------------------------------------------------- */

#define DIRECTIVE                                                                                  \
    "{\"QualityDirective\":{\"version\":1,\"recommended_profile\":{\"codec\":\"Opus6k\","          \
    "\"fec_ratio\":0.5,\"frame_duration_ms\":40,\"frames_per_block\":10},\"reason\":\"weak\"}}"

START_TEST(directives) {
    for (int follows = 0; follows < 2; follows++) {
        wzp_talk t;
        wzp_talk_begin(&t, 0);
        for (uint32_t i = 0; i < 400; i++) {
            wzp_media_hdr hdr = opus(i);
            if (i == 100) {
                wzp_talk_signal(&t, DIRECTIVE, false, at(i));
            }
            hdr.codec_id = follows == 1 && i > 110 ? WZP_CODEC_OPUS_6K : WZP_CODEC_OPUS_24K;
            wzp_talk_media(&t, &hdr, 40, 0, at(i));
        }
        wzp_pcap_flow_end(t.flow);
        const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_DIRECTIVE_IGNORED, NULL);
        ck_assert_int_eq(f == NULL, follows);
        ck_assert(f == NULL || (f->packet == 101 && f->level == WZP_PCAP_LEVEL_WARNING));
        wzp_talk_end(&t);
    }
}
END_TEST

/* What a client may do and does not is no fault of it. */
START_TEST(a_directive_that_allows_more) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 400; i++) {
        wzp_media_hdr hdr = opus(i);
        if (i == 100) {
            wzp_talk_signal(&t, DIRECTIVE, false, at(i));
        }
        hdr.codec_id = WZP_CODEC_CODEC2_1200;
        wzp_talk_media(&t, &hdr, 6, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_DIRECTIVE_IGNORED, NULL);
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(f->level, WZP_PCAP_LEVEL_NOTE);
    ck_assert_ptr_nonnull(strstr(f->text, "allows Opus6k"));
    wzp_talk_end(&t);
}
END_TEST

#define OFFER                                                                                      \
    "{\"CallOffer\":{\"version\":1,\"identity_pub\":[" NINES "," NINES "," NINES "," NINES         \
    "],\"ephemeral_pub\":[" NINES "," NINES "," NINES "," NINES                                    \
    "],\"signature\":[],\"supported_profiles\":[],\"alias\":null}}"
#define NINES "9,9,9,9,9,9,9,9"

/* Who was hung up on may come again after the cool-down, and not before. */
START_TEST(who_was_hung_up_on_stays_out) {
    for (int waits = 0; waits < 2; waits++) {
        wzp_talk t;
        uint64_t ns = WZP_TALK_START;
        wzp_talk_begin(&t, 0);
        wzp_talk_signal(&t, OFFER, true, ns);
        for (uint32_t i = 0; i < 20000; i++) { /* 2,000 packets of 300 bytes a second */
            const wzp_media_hdr hdr = opus(i);
            ns += WZP_S / 2000;
            wzp_talk_media(&t, &hdr, 300, 0, ns);
        }
        wzp_talk_signal(&t, OFFER, true, ns + (waits == 1 ? WZP_PCAP_COOLDOWN : WZP_S));
        wzp_pcap_flow_end(t.flow);
        ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_HANGUP, NULL));
        const wzp_pcap_finding *f = wzp_talk_finding(&t, WZP_PCAP_FINDING_BARRED, NULL);
        ck_assert_int_eq(f == NULL, waits);
        ck_assert(f == NULL || strstr(f->text, "cool-down, 35") != NULL);
        wzp_talk_end(&t);
    }
}
END_TEST

/* Twice what an account refills with empties it within a minute, however often one joins anew. */
START_TEST(who_sends_too_much_for_too_long) {
    for (int doubles = 0; doubles < 2; doubles++) {
        wzp_talk t;
        uint64_t ns = WZP_TALK_START;
        bool is_told = false;
        wzp_talk_begin(&t, 0);
        for (uint32_t i = 0; i < 3600; i++) { /* 27 a second are 32,000 bytes */
            const wzp_media_hdr hdr = {
                .codec_id = WZP_CODEC_OPUS_64K, .seq = i, .timestamp_ms = i * 20};
            ns += WZP_S / (doubles == 1 ? 60 : 25);
            if (i % 600 == 0) {
                wzp_talk_signal(&t, OFFER, true, ns);
            }
            wzp_talk_media(&t, &hdr, 1160, 0, ns);
        }
        wzp_pcap_flow_end(t.flow);
        const wzp_pcap_findings *all = wzp_pcap_flow_findings(t.flow);
        for (size_t i = 0; i < all->count; i++) {
            is_told |= strstr(all->list[i].text, "over all its connections") != NULL;
        }
        ck_assert_int_eq(is_told, doubles);
        wzp_talk_end(&t);
    }
}
END_TEST

START_TEST(the_ladder) {
    wzp_talk t;
    const wzp_addr moved = wzp_addr_v4(198, 51, 100, 7, 1234);
    wzp_talk_begin(&t, 0);
    for (uint64_t i = 0; i < 10; i++) {
        wzp_talk_signal(&t, "{\"Ping\":{\"version\":1,\"timestamp_ms\":5}}", true,
                        WZP_TALK_START + i * WZP_S);
    }
    wzp_talk_signal(&t, "{\"Pong\":{\"version\":1,\"timestamp_ms\":5}}", false,
                    WZP_TALK_START + 9 * WZP_S + 30 * WZP_MS);
    wzp_talk_signal(&t,
                    "{\"RoomUpdate\":{\"version\":1,\"count\":2,\"participants\":[{"
                    "\"fingerprint\":\"ab:cd\",\"alias\":\"<Ann>\",\"relay_label\":null}]}}",
                    false, WZP_TALK_START + 10 * WZP_S);
    wzp_talk_signal(&t, "{\"Nonsense\":{}}", false, WZP_TALK_START + 11 * WZP_S);
    wzp_talk_path(&t, &moved, WZP_TALK_START + 12 * WZP_S);
    wzp_talk_close(&t, 5, "gone", WZP_TALK_START + 13 * WZP_S);
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_steps(t.flow), 6);
    const wzp_pcap_step *pings = wzp_pcap_flow_step(t.flow, 0);
    ck_assert_uint_eq(pings->times, 10);
    ck_assert_str_eq(wzp_pcap_flow_step(t.flow, 2)->detail, "2 here: <Ann>");
    ck_assert(wzp_pcap_flow_step(t.flow, 3)->bad);
    ck_assert_str_eq(wzp_pcap_flow_step(t.flow, 4)->name, "new path");
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_BAD_SIGNAL, NULL));
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_PATH_CHANGED, NULL));
    ck_assert_ptr_nonnull(
        strstr(wzp_talk_finding(&t, WZP_PCAP_FINDING_CLOSED, NULL)->text, "gone"));
    const wzp_pcap_session *c = wzp_pcap_flow_find(t.flow, 1);
    ck_assert_uint_eq(c->close_code, 5);
    ck_assert_uint_eq(c->ping_ms.count, 1);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(hangups_and_closed_books) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    t.conn.readable = false;
    wzp_talk_signal(&t,
                    "{\"Hangup\":{\"version\":1,\"reason\":{\"PolicyViolation\":{\"code\":"
                    "\"Bitrate\",\"reason\":\"too much\"}}}}",
                    false, WZP_TALK_START);
    wzp_pcap_flow_end(t.flow);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_HANGUP_SEEN, NULL));
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_UNREADABLE, NULL));
    ck_assert_str_eq(wzp_pcap_flow_step(t.flow, 0)->detail, "PolicyViolation Bitrate: too much");
    wzp_talk_end(&t);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

START_TEST(streams_and_findings_are_bounded) {
    wzp_talk t;
    wzp_prng prng;
    wzp_prng_init(&prng, 1, "bounds");
    wzp_talk_begin(&t, 0);
    t.to_server = false;
    for (uint32_t i = 0; i < 5000; i++) {
        wzp_media_hdr hdr = opus((uint32_t)wzp_prng_u64(&prng));
        hdr.stream_id = (uint8_t)i;
        wzp_talk_media(&t, &hdr, 20, (uint8_t)i, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    ck_assert_uint_eq(wzp_pcap_flow_streams(t.flow), WZP_PCAP_STREAMS_MAX);
    ck_assert_uint_gt(wzp_pcap_flow_count(t.flow)->streams_dropped, 0);
    ck_assert_uint_eq(wzp_pcap_flow_count(t.flow)->media, 5000);
    ck_assert_ptr_nonnull(wzp_talk_finding(&t, WZP_PCAP_FINDING_LIMIT, NULL));
    ck_assert_uint_le(wzp_pcap_flow_findings(t.flow)->count, WZP_PCAP_FINDINGS_MAX);
    wzp_talk_end(&t);
}
END_TEST

START_TEST(findings_of_one_kind_are_few) {
    wzp_talk t;
    size_t count = 0;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 40; i++) {
        const wzp_media_hdr hdr = opus(i / 2 % 2 == 0 ? i : i + 100000);
        wzp_talk_media(&t, &hdr, 20, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    (void)wzp_talk_finding(&t, WZP_PCAP_FINDING_RESET, &count);
    ck_assert_uint_eq(count, WZP_PCAP_FINDINGS_EACH);
    wzp_talk_end(&t);
}
END_TEST

/* One packet that was under way for long costs no thousand that were lost, and is told. */
START_TEST(a_packet_from_long_ago) {
    wzp_talk t;
    wzp_talk_begin(&t, 0);
    for (uint32_t i = 0; i < 3000; i++) {
        const wzp_media_hdr hdr = opus(i == 2000 ? 900 : i);
        wzp_talk_media(&t, &hdr, 20, 0, at(i));
    }
    wzp_pcap_flow_end(t.flow);
    wzp_pcap_loss_figures f;
    wzp_pcap_loss_sum(&only(&t)->loss, &f);
    ck_assert_uint_eq(f.expected, 3000);
    ck_assert_uint_eq(f.lost, 1);
    ck_assert_uint_eq(only(&t)->loss.strays, 1);
    const wzp_pcap_finding *told = wzp_talk_finding(&t, WZP_PCAP_FINDING_RESET, NULL);
    ck_assert_ptr_nonnull(told);
    ck_assert_uint_eq(told->packet, 2001);
    wzp_talk_end(&t);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("flow");
    tcase_add_test(tc, a_steady_stream);
    tcase_add_test(tc, a_hole_is_told_with_its_length);
    tcase_add_test(tc, a_hole_that_is_filled_is_not_told);
    tcase_add_test(tc, duplicates_open_no_stream);
    tcase_add_test(tc, a_new_beginning);
    tcase_add_test(tc, a_packet_from_long_ago);
    tcase_add_test(tc, paths_that_stand_still_and_senders_that_pause);
    tcase_add_test(tc, silence_is_no_pause);
    tcase_add_test(tc, codecs_that_flap);
    tcase_add_test(tc, reports);
    tcase_add_test(tc, old_clock_in_samples);
    tcase_add_loop_test(tc, mixed_senders, 0, (int)WZP_COUNT_OF(mix_cases));
    tcase_add_test(tc, a_file_without_times);
    tcase_add_test(tc, senders_by_their_keys);
    tcase_add_test(tc, sessions_of_a_trunk);
    tcase_add_loop_test(tc, fec, 0, (int)WZP_COUNT_OF(fec_cases));
    tcase_add_test(tc, video_frames);
    tcase_add_test(tc, requests_and_their_answers);
    tcase_add_test(tc, who_sends_too_much_is_hung_up_on);
    tcase_add_test(tc, who_does_not_is_not);
    tcase_add_test(tc, directives);
    tcase_add_test(tc, a_directive_that_allows_more);
    tcase_add_test(tc, who_was_hung_up_on_stays_out);
    tcase_add_test(tc, who_sends_too_much_for_too_long);
    tcase_add_test(tc, the_ladder);
    tcase_add_test(tc, hangups_and_closed_books);
    tcase_add_test(tc, streams_and_findings_are_bounded);
    tcase_add_test(tc, findings_of_one_kind_are_few);
    return wzp_run_suite("pcap_flow", tc);
}
