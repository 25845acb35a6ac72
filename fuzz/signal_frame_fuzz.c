/* Framing of signals: a stream gives the same result whole and in pieces.  The first byte is the
 * length of the pieces. */
#include "require.h"
#include "wire/signal_frame.h"

static wzp_err feed(wzp_signal_stream *stream, wzp_bytes input, size_t piece, wzp_fail *fail) {
    while (input.len > 0) {
        const size_t len = input.len < piece ? input.len : piece;
        const wzp_err err = wzp_signal_stream_push(stream, wzp_bytes_of(input.data, len), fail);
        if (err != WZP_OK) {
            return err;
        }
        require(stream->cap <= 2 * input.len + 2 * stream->len);
        input = wzp_bytes_of(input.data + len, input.len - len);
    }
    return wzp_signal_stream_end(stream, fail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const wzp_bytes input = {data + 1, size - 1};
    wzp_fail whole_fail = {WZP_OK, NULL, 0, 0};
    wzp_fail fail = {WZP_OK, NULL, 0, 0};
    wzp_bytes whole = {NULL, 0};
    wzp_bytes joined = {NULL, 0};
    wzp_signal_stream stream;
    wzp_signal_stream_init(&stream, 0);
    const wzp_err err = wzp_signal_frame_parse(&whole, input, &whole_fail);
    require(feed(&stream, input, (size_t)data[0] + 1, &fail) == err);
    require(wzp_signal_stream_message(&stream, &joined) == (err == WZP_OK));
    require(wzp_bytes_equal(whole, joined));
    require(fail.code == whole_fail.code && fail.field == whole_fail.field);
    require(fail.offset == whole_fail.offset && fail.got == whole_fail.got);
    wzp_signal_stream_clear(&stream);
    return 0;
}
