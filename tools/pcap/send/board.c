#include "tools/pcap/send/board.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define POOR_PERCENT 1.0
#define BAD_PERCENT 5.0

void wzp_pcap_printable(char *out, size_t cap, wzp_bytes text) {
    size_t len = 0;
    while (text.len > 0) {
        char bytes[4] = "?";
        const uint32_t c = wzp_text_next(&text);
        const bool is_shown = !wzp_text_is_control(c) && c != WZP_TEXT_REPLACEMENT;
        const size_t n = is_shown ? wzp_text_encode(bytes, c) : 1;
        if (len + n >= cap) {
            break;
        }
        memcpy(out + len, bytes, n);
        len += n;
    }
    out[len] = '\0';
}

/* --- people ----------------------------------------------------------------------------------- */

void wzp_pcap_board_init(wzp_pcap_board *b, const char *own_fingerprint) {
    *b = (wzp_pcap_board){0};
    (void)snprintf(b->own, sizeof b->own, "%s", own_fingerprint);
}

static wzp_pcap_person *find(wzp_pcap_board *b, const char *fingerprint) {
    for (size_t i = 0; i < b->people_count; i++) {
        if (strcmp(b->people[i].fingerprint, fingerprint) == 0) {
            return &b->people[i];
        }
    }
    return NULL;
}

/* Who left first makes room. */
static wzp_pcap_person *new_place(wzp_pcap_board *b) {
    if (b->people_count < WZP_PCAP_PEOPLE_MAX) {
        return &b->people[b->people_count++];
    }
    wzp_pcap_person *gone = NULL;
    for (size_t i = 0; i < b->people_count; i++) {
        wzp_pcap_person *p = &b->people[i];
        if (p->left_ns != 0 && (gone == NULL || p->left_ns < gone->left_ns)) {
            gone = p;
        }
    }
    b->unnamed += gone == NULL;
    return gone;
}

static void meet(wzp_pcap_board *b, const wzp_room_participant *who, uint64_t ns) {
    char fingerprint[WZP_PCAP_PERSON_NAME];
    wzp_pcap_printable(fingerprint, sizeof fingerprint, who->fingerprint);
    if (strcmp(fingerprint, b->own) == 0) {
        return;
    }
    wzp_pcap_person *p = find(b, fingerprint);
    if (p == NULL) {
        p = new_place(b);
        if (p == NULL) {
            return;
        }
        *p = (wzp_pcap_person){.came_ns = ns};
        memcpy(p->fingerprint, fingerprint, sizeof fingerprint);
    } else if (p->left_ns != UINT64_MAX && p->left_ns != 0) {
        p->came_ns = ns;
    }
    p->left_ns = UINT64_MAX; /* until the list is through */
    if (who->alias.present && who->alias.value.len > 0) {
        wzp_pcap_printable(p->name, sizeof p->name, who->alias.value);
    } else {
        (void)snprintf(p->name, sizeof p->name, "%.9s", fingerprint);
    }
}

void wzp_pcap_board_room(wzp_pcap_board *b, const wzp_signal_RoomUpdate *update, uint64_t ns) {
    b->present = update->participants.count;
    for (size_t i = 0; i < update->participants.count; i++) {
        meet(b, &update->participants.items[i], ns);
    }
    for (size_t i = 0; i < b->people_count; i++) {
        wzp_pcap_person *p = &b->people[i];
        p->left_ns = p->left_ns == UINT64_MAX ? 0 : p->left_ns == 0 ? ns : p->left_ns;
    }
}

/* --- whose a stream is ------------------------------------------------------------------------ */

/* Bits: whose this stream can be. */
static uint64_t candidates(const wzp_pcap_board *b, const wzp_pcap_stream *s) {
    uint64_t mask = 0;
    for (size_t i = 0; i < b->people_count; i++) {
        const wzp_pcap_person *p = &b->people[i];
        const bool had_come = p->came_ns <= s->first_ns + WZP_PCAP_BOARD_ANNOUNCE;
        const bool was_there = p->left_ns == 0 || p->left_ns >= s->first_ns;
        mask |= had_come && was_there ? UINT64_C(1) << i : 0;
    }
    return mask;
}

static bool is_one(uint64_t mask) {
    return mask != 0 && (mask & (mask - 1)) == 0;
}

/* At the same time nobody has two streams of one kind and number. */
static bool exclude_each_other(const wzp_pcap_stream *a, const wzp_pcap_stream *b) {
    return a->key.media_type == b->key.media_type && a->key.stream_id == b->key.stream_id &&
           a->first_ns <= b->last_ns && b->first_ns <= a->last_ns;
}

/* What is sure of one stream is no other's, until nothing follows from it any more. */
static void eliminate(const wzp_pcap_flow *flow, uint64_t *masks, size_t count) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            for (size_t k = 0; is_one(masks[i]) && k < count; k++) {
                const uint64_t left = masks[k] & ~masks[i];
                if (k != i && left != masks[k] && left != 0 &&
                    exclude_each_other(wzp_pcap_flow_stream(flow, i),
                                       wzp_pcap_flow_stream(flow, k))) {
                    masks[k] = left;
                    again = true;
                }
            }
        }
    }
}

static void write_name(const wzp_pcap_board *b, uint64_t mask, wzp_pcap_row_shown *row) {
    size_t len = 0;
    row->sure = is_one(mask);
    (void)snprintf(row->name, sizeof row->name, "?");
    for (size_t i = 0; i < b->people_count && len < sizeof row->name; i++) {
        if ((mask >> i & 1) != 0) {
            const int n = snprintf(row->name + len, sizeof row->name - len, "%s%s",
                                   len > 0 ? " or " : "", b->people[i].name);
            len += n > 0 ? (size_t)n : 0;
        }
    }
    if (len >= sizeof row->name) { /* cut, perhaps inside a character */
        char cut[sizeof row->name];
        wzp_pcap_printable(cut, sizeof cut, wzp_bytes_str(row->name));
        memcpy(row->name, cut, sizeof cut);
    }
}

/* --- rows ------------------------------------------------------------------------------------- */

static void fill_row(const wzp_pcap_stream *s, wzp_pcap_row_shown *row) {
    wzp_pcap_loss_figures loss;
    wzp_pcap_loss_sum(&s->loss, &loss);
    const wzp_codec_info *codec = wzp_codec_find(s->codec);
    row->number = s->number;
    row->codec = s->has_codec && codec != NULL && codec->name != NULL ? codec->name : "-";
    row->packets = s->packets;
    row->switches = s->switches;
    row->loss_percent = loss.lost_percent;
    row->jitter_ms = s->timing.jitter_now_ms;
    row->duration_s = (double)(s->last_ns - s->first_ns) / 1e9;
    row->health = loss.lost_percent > BAD_PERCENT    ? WZP_PCAP_BAD
                  : loss.lost_percent > POOR_PERCENT ? WZP_PCAP_POOR
                                                     : WZP_PCAP_FINE;
}

size_t wzp_pcap_board_rows(const wzp_pcap_board *b, const wzp_pcap_flow *flow,
                           wzp_pcap_row_shown *rows) {
    uint64_t masks[WZP_PCAP_SHOWN_MAX];
    const size_t all = wzp_pcap_flow_streams(flow);
    const size_t count = all < WZP_PCAP_SHOWN_MAX ? all : WZP_PCAP_SHOWN_MAX;
    for (size_t i = 0; i < count; i++) {
        masks[i] = candidates(b, wzp_pcap_flow_stream(flow, i));
    }
    eliminate(flow, masks, count);
    for (size_t i = 0; i < count; i++) {
        fill_row(wzp_pcap_flow_stream(flow, i), &rows[i]);
        write_name(b, masks[i], &rows[i]);
    }
    return count;
}
