#include "wire/signal_frame.h"

#include <stdlib.h>

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

void wzp_signal_stream_init(wzp_signal_stream *stream, size_t max_len) {
    const bool lower = max_len != 0 && max_len < WZP_SIGNAL_MAX_LEN;
    *stream = (wzp_signal_stream){.max_len = lower ? max_len : WZP_SIGNAL_MAX_LEN};
}

void wzp_signal_stream_clear(wzp_signal_stream *stream) {
    free(stream->buf);
    wzp_signal_stream_init(stream, stream->max_len);
}

static uint32_t announced(const wzp_signal_stream *stream) {
    wzp_rd rd;
    wzp_rd_init(&rd, wzp_bytes_of(stream->prefix, stream->prefix_len));
    return wzp_rd_u32(&rd, "length");
}

static bool has_prefix(const wzp_signal_stream *stream) {
    return stream->prefix_len == WZP_SIGNAL_PREFIX_LEN;
}

/* Cuts the first `len` bytes off *piece, or all if there are fewer. */
static wzp_bytes cut(wzp_bytes *piece, size_t len) {
    const wzp_bytes front = {piece->data, piece->len < len ? piece->len : len};
    if (front.len != 0) {
        *piece = wzp_bytes_of(piece->data + front.len, piece->len - front.len);
    }
    return front;
}

static bool append(wzp_signal_stream *stream, wzp_bytes body) {
    const size_t need = stream->len + body.len;
    if (need > stream->cap) {
        const size_t cap = need < 2 * stream->cap ? 2 * stream->cap : need;
        uint8_t *buf = realloc(stream->buf, cap);
        if (buf == NULL) {
            return false;
        }
        stream->buf = buf;
        stream->cap = cap;
    }
    if (body.len != 0) {
        memcpy(stream->buf + stream->len, body.data, body.len);
        stream->len = need;
    }
    return true;
}

wzp_err wzp_signal_stream_push(wzp_signal_stream *stream, wzp_bytes piece, wzp_fail *fail) {
    const wzp_bytes front = cut(&piece, WZP_SIGNAL_PREFIX_LEN - stream->prefix_len);
    if (front.len != 0) {
        memcpy(stream->prefix + stream->prefix_len, front.data, front.len);
        stream->prefix_len += front.len;
    }
    if (!has_prefix(stream)) {
        return WZP_OK;
    }
    const uint32_t want = announced(stream);
    if (want > stream->max_len) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TOO_LARGE, "length", 0, want});
    }
    if (!append(stream, cut(&piece, want - stream->len))) {
        return refuse(fail, (wzp_fail){WZP_ERR_NOMEM, "JSON", WZP_SIGNAL_PREFIX_LEN, want});
    }
    return WZP_OK;
}

bool wzp_signal_stream_message(const wzp_signal_stream *stream, wzp_bytes *json) {
    if (!has_prefix(stream) || stream->len < announced(stream)) {
        return false;
    }
    *json = wzp_bytes_of(stream->buf, stream->len);
    return true;
}

wzp_err wzp_signal_stream_end(const wzp_signal_stream *stream, wzp_fail *fail) {
    wzp_bytes json;
    if (wzp_signal_stream_message(stream, &json)) {
        return WZP_OK;
    }
    if (!has_prefix(stream)) {
        return refuse(fail, (wzp_fail){WZP_ERR_SIGNAL_TRUNCATED, "length", 0, stream->prefix_len});
    }
    return refuse(fail,
                  (wzp_fail){WZP_ERR_SIGNAL_TRUNCATED, "JSON", WZP_SIGNAL_PREFIX_LEN, stream->len});
}
