#include "wire/signal_frame.h"

static wzp_err refuse(wzp_fail *fail, wzp_fail why) {
    if (fail != NULL) {
        *fail = why;
    }
    return why.code;
}

wzp_err wzp_signal_frame_parse(wzp_bytes *json, wzp_bytes stream, wzp_fail *fail) {
    wzp_rd rd;
    wzp_rd_init(&rd, stream);
    const uint32_t len = wzp_rd_u32(&rd, "length");
    if (rd.fail.code != WZP_OK) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TRUNCATED, "length", 0, stream.len});
    }
    if (len > WZP_SIGNAL_MAX_LEN) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TOO_LARGE, "length", 0, len});
    }
    const wzp_bytes body = wzp_rd_bytes(&rd, len, "JSON");
    if (rd.fail.code != WZP_OK) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TRUNCATED, "JSON", WZP_SIGNAL_PREFIX_LEN,
                                       stream.len - WZP_SIGNAL_PREFIX_LEN});
    }
    *json = body;
    return WZP_OK;
}

void wzp_signal_frame_write(wzp_wr *wr, wzp_bytes json) {
    wzp_wr_u32(wr, (uint32_t)json.len);
    wzp_wr_bytes(wr, json);
}
