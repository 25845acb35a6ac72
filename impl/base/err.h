/* Errors: every failure of the library has a name, a consequence and a place.
 *
 * One table makes the enum, the names and the texts.  The consequence says what is still usable
 * afterwards; drivers act on it instead of on lists of codes. */
#ifndef WZP_BASE_ERR_H
#define WZP_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

#define WZP_MUST_USE __attribute__((warn_unused_result))

/* name, consequence, text */
#define WZP_ERR_MAP(X)                                                                             \
    /* datagrams (wire sheet 5.3, 5.9, 5.11) */                                                    \
    X(TRUNCATED, DROP, "input ends inside a field")                                                \
    X(VERSION, DROP, "version byte is not 2")                                                      \
    X(MEDIA_TYPE, DROP, "media type is not in the registry")                                       \
    X(CODEC, DROP, "codec id is not in the registry")                                              \
    X(QUALITY_TRUNCATED, DROP, "Q flag is set but no quality report follows")                      \
    X(FRAME_TYPE, DROP, "unknown frame type byte")                                                 \
    X(MINI_LENGTH, DROP, "mini frame payload length exceeds the datagram")                         \
    X(NO_BASELINE, DROP, "mini frame before any full frame")                                       \
    X(FEDERATION_SHORT, DROP, "federation datagram is shorter than its room hash")                 \
    X(OVERFLOW, DROP, "output does not fit the buffer")                                            \
    X(TOO_LARGE, DROP, "datagram is larger than the path or the peer allows")                      \
    X(QUEUE_FULL, DROP, "queue is full")                                                           \
    /* signals (wire sheet 3.2, 6) */                                                              \
    X(SIGNAL_JSON, DROP, "signal is not a known message in valid JSON")                            \
    X(SIGNAL_TRUNCATED, CLOSE, "signal stream ended before the announced length")                  \
    X(SIGNAL_TOO_LARGE, CLOSE, "signal is longer than 1 048 576 bytes")                            \
    /* forward error correction (media sheet 7, 8; RFC 6330) */                                    \
    X(FEC_BLOCK_SIZE, DROP,                                                                        \
      "source block has no symbols or more than the code or the decoder allows")                   \
    X(FEC_SYMBOL_ID, DROP, "encoding symbol id is out of range")                                   \
    X(FEC_SYMBOL_SIZE, DROP, "encoding symbol has another length than its block")                  \
    X(FEC_DUPLICATE, DROP, "encoding symbol was received already")                                 \
    X(FEC_RANK, DROP, "too few independent encoding symbols for the block so far")                 \
    X(FEC_CODEC, DROP, "codec is not protected by repair symbols")                                 \
    /* crypto (crypto sheet 1, 4, 6-8, 14) */                                                      \
    X(HEX, DROP, "not valid hexadecimal text of the expected length")                              \
    X(MNEMONIC, DROP, "not a valid 24-word mnemonic")                                              \
    X(SIGNATURE, CLOSE, "signature verification failed")                                           \
    X(KEY_AGREEMENT, CLOSE, "peer key gives an all-zero shared secret")                            \
    X(DECRYPT, DROP, "authentication tag does not match")                                          \
    X(REPLAY, DROP, "sequence number already accepted or too old")                                 \
    X(NO_PENDING_REKEY, DROP, "no rekey is pending")                                               \
    /* sessions and transport */                                                                   \
    X(PEER_STATE, CLOSE, "message not allowed in this state")                                      \
    X(CLOSED, CLOSE, "connection is closed")                                                       \
    X(HANDSHAKE, CLOSE, "QUIC or TLS handshake failed")                                            \
    X(LIMIT, CLOSE, "a configured limit is reached")                                               \
    X(TIMEOUT, CLOSE, "deadline passed")                                                           \
    /* users, files, the machine */                                                                \
    X(INVALID_ARGUMENT, DROP, "argument out of range")                                             \
    X(PARSE, DROP, "input is not in the expected format")                                          \
    X(IO, FATAL, "the operating system reported an error")                                         \
    X(CRYPTO_LIB, FATAL, "the cryptographic library failed")                                       \
    X(NOMEM, FATAL, "out of memory")

typedef enum wzp_err {
    WZP_OK = 0,
#define X(name, consequence, text) WZP_ERR_##name,
    WZP_ERR_MAP(X)
#undef X
        WZP_ERR_COUNT
} wzp_err;

/* What is lost: nothing, one datagram or message, one connection, the endpoint. */
typedef enum wzp_consequence {
    WZP_CONSEQUENCE_NONE,
    WZP_CONSEQUENCE_DROP,
    WZP_CONSEQUENCE_CLOSE,
    WZP_CONSEQUENCE_FATAL
} wzp_consequence;

/* Where and why the first failure happened; plain values, nothing to free. */
typedef struct wzp_fail {
    wzp_err code;
    const char *field; /* as the specification spells it; static text, never NULL on failure */
    size_t offset;     /* bytes from the start of the input */
    uint64_t got;      /* the offending value, 0 where there is none */
} wzp_fail;

/* "TRUNCATED"; "OK" for WZP_OK and "UNKNOWN" for values outside the enum.  Static text. */
const char *wzp_err_name(wzp_err err);

/* One sentence without a full stop.  Static text. */
const char *wzp_err_text(wzp_err err);

wzp_consequence wzp_err_consequence(wzp_err err);

#endif
