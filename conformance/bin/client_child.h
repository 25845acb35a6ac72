/* The client under test as a program that is started for each run: `--client CMD`. */
#ifndef WZP_CONFORMANCE_BIN_CLIENT_CHILD_H
#define WZP_CONFORMANCE_BIN_CLIENT_CHILD_H

#include "conformance/engine/subject.h"

/* The context of wzp_ct_client_children. */
typedef struct wzp_ct_client_command {
    const char *template; /* with {addr} and {room}, perhaps {crypto}, {quality}; "": none */
    const char
        *listener;       /* with {addr}, perhaps {answer}, {paths}, {stun}, {gateway}; NULL: none */
    const char *caller;  /* as listener, and with {peer}; NULL: none */
    const char *checker; /* with {addr}, perhaps {stun}, {stun2}, {gateway}, {format}; NULL: none */
    const char *mover;   /* changes a listener's network, perhaps with {pid} and {n}; NULL: none */
    unsigned moves;      /* so often */
    const char *log;     /* where its standard error goes; NULL: nowhere */
    unsigned missing;    /* starts that ended as a shell ends that finds no such program */
} wzp_ct_client_command;

extern const wzp_ct_client_ops wzp_ct_client_children;

/* NULL, or what is wrong with it. */
const char *wzp_ct_client_command_check(const char *template, const char *listener,
                                        const char *checker, const char *caller);

#endif
