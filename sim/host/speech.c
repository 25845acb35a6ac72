/*      0  "WS"       12  talk       20  sent
 *      2  slots      14  silence    28  check
 *      3  0          16  end        30  filler ...
 *      4  sender
 *      8  number */
#include "sim/host/speech.h"

#include "base/rd.h"
#include "base/wr.h"

enum { MAGIC = 0x5753, HEADER = 28 };

static uint16_t check_of(const uint8_t header[HEADER], size_t len) {
    uint32_t hash = UINT32_C(2166136261) ^ (uint32_t)len;
    for (size_t i = 0; i < HEADER; i++) {
        hash = (hash ^ header[i]) * UINT32_C(16777619);
    }
    return (uint16_t)(hash ^ hash >> 16);
}

static uint8_t filler_at(uint16_t check, size_t i) {
    return (uint8_t)(check + 7 * i);
}

bool wzp_sim_speech_write(uint8_t *out, size_t len, const wzp_sim_speech *speech) {
    wzp_wr wr;
    if (len < WZP_SIM_SPEECH_MIN) {
        return false;
    }
    wzp_wr_init(&wr, out, len);
    wzp_wr_u16(&wr, MAGIC);
    wzp_wr_u8(&wr, speech->slots);
    wzp_wr_u8(&wr, 0);
    wzp_wr_u32(&wr, speech->sender);
    wzp_wr_u32(&wr, speech->number);
    wzp_wr_u16(&wr, speech->talk);
    wzp_wr_u16(&wr, speech->silence);
    wzp_wr_u32(&wr, speech->end);
    wzp_wr_u64(&wr, speech->sent);
    const uint16_t check = check_of(out, len);
    wzp_wr_u16(&wr, check);
    for (size_t i = WZP_SIM_SPEECH_MIN; i < len; i++) {
        out[i] = filler_at(check, i);
    }
    return true;
}

static bool is_whole(wzp_bytes payload, uint16_t check) {
    uint8_t wrong = 0;
    for (size_t i = WZP_SIM_SPEECH_MIN; i < payload.len; i++) {
        wrong |= payload.data[i] ^ filler_at(check, i);
    }
    return wrong == 0 && check == check_of(payload.data, payload.len);
}

bool wzp_sim_speech_parse(wzp_sim_speech *out, wzp_bytes payload) {
    wzp_sim_speech s = {0};
    wzp_rd rd;
    wzp_rd_init(&rd, payload);
    const uint16_t magic = wzp_rd_u16(&rd, "magic");
    s.slots = wzp_rd_u8(&rd, "slots");
    const uint8_t zero = wzp_rd_u8(&rd, "zero");
    s.sender = wzp_rd_u32(&rd, "sender");
    s.number = wzp_rd_u32(&rd, "number");
    s.talk = wzp_rd_u16(&rd, "talk");
    s.silence = wzp_rd_u16(&rd, "silence");
    s.end = wzp_rd_u32(&rd, "end");
    s.sent = wzp_rd_u64(&rd, "sent");
    const uint16_t check = wzp_rd_u16(&rd, "check");
    if (rd.fail.code != WZP_OK || magic != MAGIC || zero != 0 || s.slots == 0 ||
        !is_whole(payload, check)) {
        return false;
    }
    *out = s;
    return true;
}

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
