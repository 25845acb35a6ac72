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
    require(wzp_bytes_equal(a->software, b->software));
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

/* Where the strict reader takes an answer, the client's takes it too, and sees the same address. */
static void client(wzp_bytes datagram, const wzp_stun_message *message) {
    wzp_stun_answer answer;
    const bool is_error = message->type == WZP_STUN_ERROR;
    const wzp_addr *want =
        message->xor_mapped.family != WZP_ADDR_NONE ? &message->xor_mapped : &message->mapped;
    if (message->type == WZP_STUN_SUCCESS || is_error) {
        const wzp_stun_verdict verdict =
            wzp_stun_read_answer(&answer, datagram, message->txid, WZP_STUN_REFERENCE);
        require((verdict == WZP_STUN_REFUSED) == is_error);
        require(is_error || (verdict == WZP_STUN_ACCEPTED) == (want->family != WZP_ADDR_NONE));
        require(verdict != WZP_STUN_ACCEPTED || wzp_addr_equal(&answer.mapped, want));
        require(verdict != WZP_STUN_REFUSED || answer.error == message->error);
    }
}

/* Whatever it is, both rules read it to its end; no transaction but its own is accepted. */
static void any_client(wzp_bytes datagram) {
    wzp_stun_answer answer;
    uint8_t txid[WZP_STUN_TXID_LEN] = {0};
    if (datagram.len >= WZP_STUN_HEADER_LEN) {
        memcpy(txid, datagram.data + 8, sizeof txid);
    }
    const wzp_stun_verdict reference =
        wzp_stun_read_answer(&answer, datagram, txid, WZP_STUN_REFERENCE);
    const wzp_stun_verdict deployed =
        wzp_stun_read_answer(&answer, datagram, txid, WZP_STUN_DEPLOYED);
    require((reference == WZP_STUN_NOT_STUN) == (deployed == WZP_STUN_NOT_STUN));
    txid[0] ^= 1;
    require(wzp_stun_read_answer(&answer, datagram, txid, WZP_STUN_REFERENCE) >= WZP_STUN_NOT_STUN);
    require(wzp_stun_read_answer(&answer, datagram, txid, WZP_STUN_REFERENCE) <=
            WZP_STUN_WRONG_TXID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_stun_message message;
    wzp_fail fail;
    any_client(wzp_bytes_of(data, size));
    if (wzp_stun_parse(&message, wzp_bytes_of(data, size), &fail) == WZP_OK) {
        /* Methods above the assigned ones would look like other protocols. */
        require(wzp_stun_is(wzp_bytes_of(data, size)) == (message.type < 0x0400));
        client(wzp_bytes_of(data, size), &message);
        serve(wzp_bytes_of(data, size), &message);
        message.unknown_count = 0; /* their values are not kept */
        write_and_read(&message);
    } else {
        require(fail.field != NULL && fail.offset <= size);
    }
    return 0;
}
