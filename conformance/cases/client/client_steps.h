/* Acts that cases about a client are made of: it joins, it seals, packets that it must open or
 * refuse, judged by what it says of itself.  Particulars come from the act's `arg`. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_CLIENT_STEPS_H
#define WZP_CONFORMANCE_CASES_CLIENT_CLIENT_STEPS_H

#include "conformance/engine/play.h"

/* The state of a play of these acts, or what it begins with. */
typedef struct wzp_ct_client_state {
    uint64_t opened;     /* what it had opened when the act began */
    wzp_time reached_at; /* when it had opened as many as it must; 0: not yet */
    wzp_time began, next_at;
    uint64_t sent, lost, clear;
    uint32_t done; /* of a train */
    int64_t told;
} wzp_ct_client_state;

/* A client that says something twice a second has said all of it by then. */
#define WZP_CT_CLIENT_SETTLE WZP_S

/* It runs, and is in the room. */
bool wzp_ct_client_is_there(const wzp_ct_exec *exec);

/* In the room that it was told, with a valid offer. */
wzp_ct_so_far wzp_ct_step_client_joined(wzp_ct_exec *exec, wzp_time now);
/* Its media are sealed with the session key; from then on ours are.  SKIP where nobody told it to
 * seal and it does not. */
wzp_ct_so_far wzp_ct_step_client_seals(wzp_ct_exec *exec, wzp_time now);
/* It tells how much it has opened, or SKIP. */
wzp_ct_so_far wzp_ct_step_client_speaks(wzp_ct_exec *exec, wzp_time now);
/* So many packets of media came from it: `arg` is an unsigned. */
wzp_ct_so_far wzp_ct_step_client_sends(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_CLIENT_JOINED                                                                       \
    {                                                                                              \
        .required = "the client joins the room that it was told", .within_s = 10,                  \
        .go = wzp_ct_step_client_joined, .late = WZP_CT_REASON_NO_RESPONSE                         \
    }
#define WZP_CT_CLIENT_SEALS                                                                        \
    {                                                                                              \
        .required = "its media are sealed with the session key", .within_s = 8,                    \
        .go = wzp_ct_step_client_seals, .late = WZP_CT_REASON_NO_RESPONSE                          \
    }
#define WZP_CT_CLIENT_SPEAKS                                                                       \
    {                                                                                              \
        .required = "it tells its statistics", .within_s = 4, .go = wzp_ct_step_client_speaks,     \
        .late = WZP_CT_REASON_NO_RESPONSE                                                          \
    }

enum { WZP_CT_BURST = 10 };

/* Packets sent at once.  Their numbers are relative to the case's first one, timestamps follow. */
typedef struct wzp_ct_burst {
    uint8_t type, codec, flags;
    size_t count; /* of `numbers`; 0: all of from..until */
    uint32_t numbers[WZP_CT_BURST];
    uint32_t from, until, last;   /* `last` comes after all others; 0: in order */
    unsigned flips[WZP_CT_BURST]; /* see wzp_ct_outgoing; of the packet with the same index */
    bool flip_tail;
    uint32_t opens; /* so many of them, and not one more */
} wzp_ct_burst;

bool wzp_ct_step_burst(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_opened(wzp_ct_exec *exec, wzp_time now);
/* The same, but SKIP unsupported:video when nothing was opened. */
wzp_ct_so_far wzp_ct_step_video_opened(wzp_ct_exec *exec, wzp_time now);

#define WZP_CT_OPENS(required_, burst)                                                             \
    {                                                                                              \
        .required = (required_), .within_s = 5, .begin = wzp_ct_step_burst,                        \
        .go = wzp_ct_step_opened, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (burst)                \
    }
#define WZP_CT_TAKES_VIDEO(burst)                                                                  \
    {                                                                                              \
        .required = "it opens a packet of video", .within_s = 5, .begin = wzp_ct_step_burst,       \
        .go = wzp_ct_step_video_opened, .late = WZP_CT_REASON_NO_RESPONSE, .arg = (burst)          \
    }

/* Packets at a steady rate; all that are sent must be opened.  A rekey interrupts it for a moment,
 * so that no packet overtakes it. */
typedef struct wzp_ct_train {
    uint8_t type, codec;
    uint32_t rate, count, first;
    uint32_t skip_every; /* this one of so many is not sent; 0: none */
} wzp_ct_train;

bool wzp_ct_step_train(wzp_ct_exec *exec, wzp_time now);
wzp_ct_so_far wzp_ct_step_train_opened(wzp_ct_exec *exec, wzp_time now);

#endif
