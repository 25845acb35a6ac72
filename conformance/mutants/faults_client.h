/* Clients broken on purpose, as faults.h has relays.  One client at a time. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_CLIENT_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_CLIENT_H

/* name, what is wrong with the client, the cases that must notice */
#define WZP_CLIENT_FAULT_MAP(X)                                                                    \
    X(NONE, "healthy", "nothing", "")                                                              \
    X(COUNTS, "counts-packets", "makes nonces of a count, not of the packets' numbers",            \
      "X-01 X-02")                                                                                 \
    X(IN_ORDER, "in-order", "refuses what comes after a later packet", "X-01")                     \
    X(LOSES_PLACE, "loses-place", "opens nothing more once a packet is missing", "X-02")           \
    X(NO_WINDOW, "no-window", "takes packets twice", "X-03")                                       \
    X(SHORT_WINDOW, "short-window", "has a window of 32 for audio", "X-03")                        \
    X(WIDE_WINDOW, "wide-window", "has the window of video for audio", "X-03")                     \
    X(ONE_WINDOW, "one-window", "has the window of audio for video", "X-04")                       \
    X(ANY_TAG, "any-tag", "takes packets whose tag is wrong", "X-05")                              \
    X(BARE_HEADER, "bare-header", "does not mind altered timestamps", "X-05")                      \
    X(GIVES_UP, "gives-up", "opens nothing more after a forgery", "X-05")                          \
    X(HASTY_WINDOW, "hasty-window", "moves its window before it checks the tag", "X-05")           \
    X(CLEAR, "clear-now-and-then", "leaves each 40th packet in clear", "X-07")                     \
    X(TWICE, "number-twice", "uses each 40th number twice", "X-07")                                \
    X(DEAF, "deaf-to-rekey", "does not answer a Rekey", "X-08")                                    \
    X(NEVER, "never-rekeys", "begins no rekey", "X-08")                                            \
    X(OLD_KEY, "old-key", "seals with the old key after a rekey", "X-08")                          \
    X(NUMBERS_ANEW, "numbers-anew", "begins with number 0 after a rekey", "X-08")                  \
    X(CLOCK_ANEW, "clock-anew", "begins with timestamp 0 after a rekey", "X-08")                   \
    X(CRASHES, "crashes", "falls silent at a hangup for an unknown reason", "X-16")                \
    X(TALKS_ON, "talks-on", "ignores hangups", "G-11")                                             \
    X(MUMBLES, "mumbles", "does not report the code of a hangup", "G-11")                          \
    X(COMES_BACK, "comes-back", "connects again after a hangup", "G-11b")

typedef enum wzp_client_fault {
#define X(id, name, text, caught_by) WZP_CLIENT_FAULT_##id,
    WZP_CLIENT_FAULT_MAP(X)
#undef X
        WZP_CLIENT_FAULT_COUNT
} wzp_client_fault;

/* The client under test says nothing any more, as if it had crashed. */
void wzp_client_fall_silent(void);

/* The fault of every client in this process from now on. */
void wzp_client_fault_set(wzp_client_fault which);

#endif
