/* STUN: what is read is written so that it is read the same; a server answers every request that
 * it can read, and never with another transaction id. */
#include "require.h"
#include "sim/host/stun.h"

static void same(const wzp_stun_message *a, const wzp_stun_message *b) {
    require(a->type == b->type && memcmp(a->txid, b->txid, sizeof a->txid) == 0);
    require(wzp_addr_equal(&a->mapped, &b->mapped));
    require(wzp_addr_equal(&a->xor_mapped, &b->xor_mapped));
    require(wzp_addr_equal(&a->origin, &b->origin) && wzp_addr_equal(&a->other, &b->other));
    require(a->has_change == b->has_change && a->change_ip == b->change_ip);
    require(a->change_port == b->change_port && a->response_port == b->response_port);
    require(a->has_padding == b->has_padding && a->padding_len == b->padding_len);
    require(a->error == b->error && a->has_fingerprint == b->has_fingerprint);
}

static void write_and_read(const wzp_stun_message *message) {
    uint8_t buf[70000];
    wzp_stun_message again;
    wzp_wr wr;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_stun_write(&wr, message);
    /* Padding of nearly 64 KiB and what else there is may exceed the length field. */
    if (wzp_wr_end(&wr) == WZP_OK && wzp_wr_len(&wr) <= WZP_STUN_HEADER_LEN + 0xffff) {
        require(wzp_stun_parse(&again, wzp_bytes_of(buf, wzp_wr_len(&wr)), NULL) == WZP_OK);
        same(message, &again);
    }
}

static void serve(wzp_bytes datagram, const wzp_stun_message *request) {
    static const wzp_sim_stun_cfg cfg = {.primary = {WZP_ADDR_V4, 3478, {192, 0, 2, 1}},
                                         .alternate = {WZP_ADDR_V4, 3479, {192, 0, 2, 2}}};
    static const wzp_addr remote = {WZP_ADDR_V4, 40000, {198, 51, 100, 9}};
    wzp_sim_stun_answer answer;
    wzp_stun_message got;
    const bool answered = wzp_sim_stun_serve(&cfg, &cfg.primary, &remote, datagram, &answer);
    require(answered == (request->type == WZP_STUN_REQUEST));
    if (answered) {
        require(wzp_stun_parse(&got, wzp_bytes_of(answer.data, answer.len), NULL) == WZP_OK);
        require(memcmp(got.txid, request->txid, sizeof got.txid) == 0);
        require((got.error == 420) == (request->unknown_count != 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_stun_message message;
    wzp_fail fail;
    if (wzp_stun_parse(&message, wzp_bytes_of(data, size), &fail) == WZP_OK) {
        /* Methods above the assigned ones would look like other protocols. */
        require(wzp_stun_is(wzp_bytes_of(data, size)) == (message.type < 0x0400));
        serve(wzp_bytes_of(data, size), &message);
        message.unknown_count = 0; /* their values are not kept */
        write_and_read(&message);
    } else {
        require(fail.field != NULL && fail.offset <= size);
    }
    return 0;
}
