/* What goes before a client's first signal: whether this is the relay that was meant, and the token
 * that some relays ask for (relay sheet 2.2, 4).
 *
 * A relay's certificate derives from its identity and stays the same, so that its hash can be kept
 * and required; nothing else tells a client whom it talks to.  A relay takes nothing before the
 * token, and streams overtake each other: what follows it waits until it has arrived. */
#ifndef WZP_CLIENT_ADMISSION_H
#define WZP_CLIENT_ADMISSION_H

#include "crypto/crypto.h"
#include "quic/quic.h"

#define WZP_ADMISSION_TOKEN_MAX 4096

/* What the user is told when the certificate is another one. */
#define WZP_ADMISSION_STRANGER "the relay shows another certificate than the pinned one"

typedef struct wzp_admission {
    bool is_pinned;
    uint8_t pin[WZP_SHA256_LEN];
    int64_t stream; /* of the token, once it was sent */
    bool is_asked;  /* the token is under way */
    char token[WZP_ADMISSION_TOKEN_MAX + 1];
} wzp_admission;

/* Copies; both may be NULL: no token, any certificate.  WZP_ERR_INVALID_ARGUMENT: an empty token,
 * or a longer one than relays take. */
WZP_MUST_USE wzp_err wzp_admission_init(wzp_admission *admission, const char *token,
                                        const uint8_t pin[WZP_SHA256_LEN]);

typedef enum wzp_admission_step {
    WZP_ADMISSION_NOTHING, /* the event is about something else, or the token is under way */
    WZP_ADMISSION_GO,      /* once: now the first signal may be sent */
    WZP_ADMISSION_REFUSE   /* close; *why says it to the user */
} wzp_admission_step;

/* Each event of the connection passes here. */
wzp_admission_step wzp_admission_take(wzp_admission *admission, wzp_quic *quic,
                                      const wzp_quic_event *event, const char **why);

#endif
