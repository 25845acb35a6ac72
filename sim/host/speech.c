/*      0  "WS"       12  talk       20  sent
 *      2  slots      14  silence    28  check
 *      3  dred       16  end        30  filler ...
 *      4  sender
 *      8  number                                 (in a packet's tag: without filler) */
#include "sim/host/speech.h"

#include "base/rd.h"
#include "base/wr.h"
#include "sim/host/judge.h"

enum { MAGIC = 0x5753, HEADER = 28 };

#define FNV_START UINT32_C(2166136261)

static uint32_t fnv(uint32_t hash, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    }
    return hash;
}

static uint16_t fold(uint32_t hash) {
    return (uint16_t)(hash ^ hash >> 16);
}

static void write_header(uint8_t out[HEADER], const wzp_sim_speech *speech) {
    wzp_wr wr;
    wzp_wr_init(&wr, out, HEADER);
    wzp_wr_u16(&wr, MAGIC);
    wzp_wr_u8(&wr, speech->slots);
    wzp_wr_u8(&wr, speech->dred);
    wzp_wr_u32(&wr, speech->sender);
    wzp_wr_u32(&wr, speech->number);
    wzp_wr_u16(&wr, speech->talk);
    wzp_wr_u16(&wr, speech->silence);
    wzp_wr_u32(&wr, speech->end);
    wzp_wr_u64(&wr, speech->sent);
}

static void write_check(uint8_t *behind, uint16_t check) {
    behind[0] = (uint8_t)(check >> 8);
    behind[1] = (uint8_t)check;
}

/* --- filler ----------------------------------------------------------------------------------- */

static uint16_t check_of_filler(const uint8_t header[HEADER], size_t len) {
    return fold(fnv(FNV_START ^ (uint32_t)len, header, HEADER));
}

static uint8_t filler_at(uint16_t check, size_t i) {
    return (uint8_t)(check + 7 * i);
}

bool wzp_sim_speech_write(uint8_t *out, size_t len, const wzp_sim_speech *speech) {
    if (len < WZP_SIM_SPEECH_MIN) {
        return false;
    }
    write_header(out, speech);
    const uint16_t check = check_of_filler(out, len);
    write_check(out + HEADER, check);
    for (size_t i = WZP_SIM_SPEECH_MIN; i < len; i++) {
        out[i] = filler_at(check, i);
    }
    return true;
}

static bool filler_is_whole(wzp_bytes frame, uint16_t check) {
    uint8_t wrong = 0;
    for (size_t i = WZP_SIM_SPEECH_MIN; i < frame.len; i++) {
        wrong |= frame.data[i] ^ filler_at(check, i);
    }
    return wrong == 0 && check == check_of_filler(frame.data, frame.len);
}

/* --- a codec's payload ------------------------------------------------------------------------ */

/* Of the whole packet but the check itself. */
static uint16_t check_of_packet(wzp_bytes packet, size_t tag_at) {
    const size_t check_at = tag_at + HEADER;
    const size_t after = check_at + sizeof(uint16_t);
    const uint32_t hash = fnv(FNV_START ^ (uint32_t)packet.len, packet.data, check_at);
    return fold(fnv(hash, packet.data + after, packet.len - after));
}

void wzp_sim_speech_wrap(uint8_t *out, wzp_sim_payload payload, const wzp_sim_speech *speech) {
    memcpy(out, payload.packet.data, payload.packet.len);
    write_header(out + payload.tag_at, speech);
    write_check(out + payload.tag_at + HEADER,
                check_of_packet(wzp_bytes_of(out, payload.packet.len), payload.tag_at));
}

/* --- either ----------------------------------------------------------------------------------- */

static bool is_whole(wzp_bytes payload, size_t tag_at, uint16_t check) {
    return tag_at == 0 ? filler_is_whole(payload, check)
                       : check == check_of_packet(payload, tag_at);
}

/* Filler is never taken for a packet: what would be the length of its padding is `slots`, too short
 * for a tag. */
bool wzp_sim_speech_parse(wzp_sim_speech *out, wzp_bytes payload) {
    const size_t tag_at = wzp_sim_payload_tag_at(payload);
    wzp_sim_speech s = {0};
    wzp_rd rd;
    wzp_rd_init(&rd,
                tag_at == 0 ? payload : wzp_bytes_of(payload.data + tag_at, payload.len - tag_at));
    const uint16_t magic = wzp_rd_u16(&rd, "magic");
    s.slots = wzp_rd_u8(&rd, "slots");
    s.dred = wzp_rd_u8(&rd, "dred");
    s.sender = wzp_rd_u32(&rd, "sender");
    s.number = wzp_rd_u32(&rd, "number");
    s.talk = wzp_rd_u16(&rd, "talk");
    s.silence = wzp_rd_u16(&rd, "silence");
    s.end = wzp_rd_u32(&rd, "end");
    s.sent = wzp_rd_u64(&rd, "sent");
    const uint16_t check = wzp_rd_u16(&rd, "check");
    if (rd.fail.code != WZP_OK || magic != MAGIC || s.slots == 0 ||
        !is_whole(payload, tag_at, check)) {
        return false;
    }
    *out = s;
    return true;
}

/* --- short ones ------------------------------------------------------------------------------- */

/* sender, number (3 bytes), check (2 bytes), filler */
enum { SHORT_HEADER = 4, SHORT_OF_ONE = WZP_SIM_SPEECH_SHORT + 2 };

static uint16_t check_of_short(const uint8_t header[SHORT_HEADER], size_t len) {
    return fold(fnv(FNV_START ^ (uint32_t)len, header, SHORT_HEADER));
}

bool wzp_sim_speech_write_short(uint8_t *out, size_t len, const wzp_sim_speech *speech) {
    wzp_wr wr;
    if (len != (speech->slots > 1 ? WZP_SIM_SPEECH_SHORT : SHORT_OF_ONE) ||
        speech->sender > WZP_SIM_SPEECH_SHORT_ID) {
        return false;
    }
    wzp_wr_init(&wr, out, SHORT_HEADER);
    wzp_wr_u32(&wr, speech->sender << 24 | (speech->number & UINT32_C(0xffffff)));
    const uint16_t check = check_of_short(out, len);
    write_check(out + SHORT_HEADER, check);
    for (size_t i = WZP_SIM_SPEECH_SHORT; i < len; i++) {
        out[i] = filler_at(check, i);
    }
    return true;
}

static bool short_is_whole(wzp_bytes p) {
    const bool fits = p.len == WZP_SIM_SPEECH_SHORT || p.len == SHORT_OF_ONE;
    const uint16_t check = fits ? check_of_short(p.data, p.len) : 0;
    bool whole =
        fits && p.data[SHORT_HEADER] == check >> 8 && p.data[SHORT_HEADER + 1] == (check & 0xff);
    for (size_t i = WZP_SIM_SPEECH_SHORT; whole && i < p.len; i++) {
        whole = p.data[i] == filler_at(check, i);
    }
    return whole;
}

uint32_t wzp_sim_speech_short_id(wzp_bytes payload) {
    return short_is_whole(payload) ? payload.data[0] : UINT32_MAX;
}

bool wzp_sim_speech_parse_short(wzp_sim_speech *out, wzp_bytes payload,
                                const wzp_sim_speech *before, wzp_time now) {
    const uint32_t sender = wzp_sim_speech_short_id(payload);
    wzp_rd rd;
    if (sender == UINT32_MAX || (before != NULL && before->sender != sender)) {
        return false;
    }
    wzp_rd_init(&rd, payload);
    const uint32_t number = wzp_rd_u32(&rd, "number") & UINT32_C(0xffffff);
    wzp_sim_speech s = {.sender = sender, .talk = 1, .end = UINT32_MAX, .sent = now};
    if (before != NULL) {
        const int64_t ahead = (int64_t)number - before->number;
        s = *before;
        s.sent += (uint64_t)(ahead * (int64_t)(WZP_SIM_SLOT_MS * WZP_MS));
    }
    s.number = number;
    s.slots = payload.len == WZP_SIM_SPEECH_SHORT ? 2 : 1;
    s.dred = 0;
    *out = s;
    return true;
}

/* --- what is said when ------------------------------------------------------------------------ */

bool wzp_sim_speech_spoken(const wzp_sim_speech *of, uint32_t number) {
    return wzp_sim_speech_spoken_before(of, number + 1) != wzp_sim_speech_spoken_before(of, number);
}

uint32_t wzp_sim_speech_spoken_before(const wzp_sim_speech *of, uint32_t number) {
    const uint32_t until = number < of->end ? number : of->end;
    const uint32_t cycle = (uint32_t)of->talk + of->silence;
    if (of->silence == 0) {
        return until;
    }
    const uint32_t rest = until % cycle;
    return until / cycle * of->talk + (rest < of->talk ? rest : of->talk);
}
