/* A browser's place in tests: a WebSocket client by libwebsockets.
 *
 *   ws_peer PORT PATH SECONDS [COUNT SIZE [TOKEN]]
 *
 * Sends TOKEN first if there is one, after {"type":"auth_ok"} COUNT binary frames of SIZE bytes, 20
 * ms apart, and says what it hears, one line each: "open", "text ...", "binary SIZE same" when it
 * is such a frame, "binary SIZE other", "closed CODE", "failed WHY".  Ends when the connection
 * does, or after SECONDS. */
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_MAX_BYTES = 8192, PACE_US = 20000 };

static struct {
    const char *token;
    unsigned count;
    size_t size;
    bool says_token, may_send, is_over;
    uint8_t in[SIZE_MAX_BYTES];
    size_t in_len;
} peer;

/* Frames differ, or whoever drops what comes twice hears the first one only. */
static uint8_t sample(unsigned frame, size_t i) {
    return (uint8_t)(frame + i * 7);
}

static bool is_same(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (data[i] != sample(data[0], i)) {
            return false;
        }
    }
    return true;
}

static int write_token(struct lws *wsi) {
    uint8_t out[LWS_PRE + SIZE_MAX_BYTES];
    const int len = snprintf((char *)out + LWS_PRE, SIZE_MAX_BYTES,
                             "{\"type\":\"auth\",\"token\":\"%s\"}", peer.token);
    peer.says_token = false;
    return lws_write(wsi, out + LWS_PRE, (size_t)len, LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

static int write_frame(struct lws *wsi) {
    static uint8_t out[LWS_PRE + SIZE_MAX_BYTES];
    if (!peer.may_send || peer.count == 0) {
        return 0;
    }
    for (size_t i = 0; i < peer.size; i++) {
        out[LWS_PRE + i] = sample(peer.count, i);
    }
    peer.count--;
    lws_set_timer_usecs(wsi, PACE_US);
    return lws_write(wsi, out + LWS_PRE, peer.size, LWS_WRITE_BINARY) < 0 ? -1 : 0;
}

static void tell(struct lws *wsi) {
    if (lws_frame_is_binary(wsi) != 0) {
        printf("binary %zu %s\n", peer.in_len, is_same(peer.in, peer.in_len) ? "same" : "other");
    } else {
        printf("text %.*s\n", (int)peer.in_len, (const char *)peer.in);
        peer.may_send = strstr((const char *)peer.in, "auth_ok") != NULL;
        lws_callback_on_writable(wsi);
    }
    peer.in_len = 0;
}

static void hear(struct lws *wsi, const void *data, size_t len) {
    const size_t room = sizeof peer.in - 1 - peer.in_len;
    memcpy(peer.in + peer.in_len, data, len < room ? len : room);
    peer.in_len += len < room ? len : room;
    peer.in[peer.in_len] = '\0';
    if (lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0) {
        tell(wsi);
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len) {
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        puts("open");
        if (peer.says_token) {
            lws_callback_on_writable(wsi);
        }
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return peer.says_token ? write_token(wsi) : write_frame(wsi);
    case LWS_CALLBACK_TIMER:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        hear(wsi, in, len);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        printf("closed %d %.*s\n", len >= 2 ? ((uint8_t *)in)[0] << 8 | ((uint8_t *)in)[1] : 0,
               len >= 2 ? (int)len - 2 : 0, (const char *)in + 2);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        printf("failed %s\n", in != NULL ? (const char *)in : "");
        peer.is_over = true;
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        puts("end");
        peer.is_over = true;
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    }
}

int main(int argc, char **argv) {
    static const struct lws_protocols protocols[] = {
        {.name = "peer", .callback = on_event, .rx_buffer_size = SIZE_MAX_BYTES}, {.name = NULL}};
    if (argc < 4) {
        (void)fputs("usage: ws_peer PORT PATH SECONDS [COUNT SIZE [TOKEN]]\n", stderr);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    lws_set_log_level(0, NULL);
    peer.count = argc > 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
    peer.size = argc > 5 ? strtoul(argv[5], NULL, 10) % (SIZE_MAX_BYTES + 1) : 0;
    peer.token = argc > 6 ? argv[6] : NULL;
    peer.says_token = peer.token != NULL;
    const struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                                   .protocols = protocols};
    struct lws_context *context = lws_create_context(&info);
    const struct lws_client_connect_info to = {.context = context,
                                               .address = "127.0.0.1",
                                               .host = "127.0.0.1",
                                               .origin = "test",
                                               .port = (int)strtol(argv[1], NULL, 10),
                                               .path = argv[2]};
    const time_t end = time(NULL) + strtol(argv[3], NULL, 10);
    if (context == NULL || lws_client_connect_via_info(&to) == NULL) {
        puts("failed at once");
        return 1;
    }
    while (!peer.is_over && time(NULL) < end) {
        lws_service(context, 0);
    }
    lws_context_destroy(context);
    return 0;
}
