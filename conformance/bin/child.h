/* A program that is started for the suite and ended by its process id. */
#ifndef WZP_CONFORMANCE_BIN_CHILD_H
#define WZP_CONFORMANCE_BIN_CHILD_H

#include <sys/types.h>

#include "base/addr.h"

typedef struct wzp_ct_child {
    pid_t pid; /* 0: none, -1: it has ended */
    int status;
} wzp_ct_child;

/* A loopback address that is free at the moment. */
bool wzp_ct_free_address(wzp_addr *out);

/* What is to be run, and what its words in braces stand for. */
typedef struct wzp_ct_command_line {
    const char *template;
    const wzp_addr *addr;
    const char *identity; /* a file; NULL: the command needs none */
    const char *room;     /* of a client, how its media travel and are coded; NULL: it is a relay */
    const char *crypto;
    const char *quality;
    const char *answer; /* of a client that takes calls: how, over which paths, and who tells it
                           where it is; may be left out */
    const char *paths;
    const wzp_addr *stun, *stun2, *gateway;
    const char *callee;   /* whom a client calls; NULL: nobody */
    const char *format;   /* of what it writes: text or json */
    const wzp_addr *peer; /* whom a relay dials; NULL: nobody */
} wzp_ct_command_line;

/* Runs a command in a shell; its output goes to the file `log`, or nowhere if that is NULL.  False:
 * *why says what is wrong. */
bool wzp_ct_child_start(wzp_ct_child *child, const wzp_ct_command_line *command, const char *log,
                        const char **why);

/* The same, but its standard output can be read from *out, which does not block and is the
 * caller's to close; standard error is added to `log`. */
bool wzp_ct_child_start_heard(wzp_ct_child *child, const wzp_ct_command_line *command,
                              const char *log, int *out, const char **why);

/* A command that changes the network of process `of`, the `n`th time; its output is added to `log`,
 * or goes nowhere. */
bool wzp_ct_child_start_move(wzp_ct_child *child, const char *template, pid_t of, unsigned n,
                             const char *log, const char **why);

/* False once it has ended. */
bool wzp_ct_child_alive(wzp_ct_child *child);

/* "ended with exit code 3", "was ended by signal 9". */
const char *wzp_ct_child_fate(const wzp_ct_child *child, char *buf, size_t cap);

/* By process group, politely first. */
void wzp_ct_child_end(wzp_ct_child *child);
/* At once. */
void wzp_ct_child_kill(wzp_ct_child *child);

#endif
