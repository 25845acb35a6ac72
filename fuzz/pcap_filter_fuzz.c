/* A display filter up to the first zero byte, and a datagram that it is matched with. */
#include "require.h"
#include "tools/pcap/decode/core.h"
#include "tools/pcap/tree/filter.h"

typedef struct matched {
    wzp_pcap_filter *filter, *negated;
    wzp_pcap_tree tree;
} matched;

static void match(void *ctx, const wzp_pcap_message *m) {
    matched *x = ctx;
    wzp_pcap_tree_build(&x->tree, m, 0);
    const bool first = wzp_pcap_filter_matches(x->filter, &x->tree);
    require(x->negated == NULL || wzp_pcap_filter_matches(x->negated, &x->tree) != first);
}

/* "!(filter)"; NULL: that is too long or too deep, or the filter is empty. */
static wzp_pcap_filter *negate(wzp_bytes text) {
    static uint8_t buf[WZP_PCAP_FILTER_TEXT_MAX + 3];
    wzp_pcap_filter *filter = NULL;
    wzp_pcap_filter_error error;
    buf[0] = '!';
    buf[1] = '(';
    memcpy(buf + 2, text.data, text.len);
    buf[2 + text.len] = ')';
    const wzp_err err = wzp_pcap_filter_new(&filter, wzp_bytes_of(buf, text.len + 3), &error);
    return err == WZP_OK ? filter : NULL;
}

static void match_datagram(matched *x, wzp_bytes datagram) {
    wzp_pcap_core *core = calloc(1, sizeof *core);
    const wzp_pcap_decoder_cfg cfg = {.sink = match, .sink_ctx = x};
    const wzp_addr src = wzp_addr_v4(10, 0, 0, 2, 5000);
    const wzp_addr dst = wzp_addr_v4(10, 0, 0, 1, 4433);
    const wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_DATAGRAM,
                                       .conn = 1,
                                       .packet_number = 1,
                                       .src = &src,
                                       .dst = &dst,
                                       .data = datagram};
    require(core != NULL && wzp_pcap_core_init(core, &cfg) == WZP_OK);
    wzp_pcap_core_event(core, &event);
    wzp_pcap_core_end(core);
    wzp_pcap_core_clear(core);
    free(core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t len = zero != NULL ? (size_t)(zero - data) : size;
    matched *x = calloc(1, sizeof *x);
    require(x != NULL);
    wzp_pcap_filter_error error;
    const wzp_bytes text = wzp_bytes_of(data, len);
    if (wzp_pcap_filter_new(&x->filter, text, &error) == WZP_OK) {
        x->negated = negate(text);
        match_datagram(x, zero != NULL ? wzp_bytes_of(zero + 1, size - len - 1)
                                       : wzp_bytes_of(data, 0));
    } else {
        require(error.column >= 1 && error.text != NULL);
        require(len > WZP_PCAP_FILTER_TEXT_MAX || error.column + error.len <= len + 1);
    }
    wzp_pcap_filter_free(&x->filter);
    wzp_pcap_filter_free(&x->negated);
    free(x);
    return 0;
}
