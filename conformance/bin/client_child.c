#include "conformance/bin/client_child.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/bin/child.h"

enum { LINE_MAX_LEN = 4096, WORDS_MAX = 16384 };

struct wzp_ct_subject {
    wzp_ct_child child;
    wzp_ct_child mover; /* of its network */
    int out;            /* its standard output, which does not block */
    char line[LINE_MAX_LEN];
    size_t len;
    bool too_long; /* the rest of this line is skipped */
    wzp_ct_sayings said;
    char words[WORDS_MAX + 1];
    size_t words_len;
};

const char *wzp_ct_client_command_check(const char *template, const char *listener,
                                        const char *checker, const char *caller) {
    const bool joins = *template != '\0';
    return (joins && strstr(template, "{addr}") == NULL) ||
                   (listener != NULL && strstr(listener, "{addr}") == NULL) ||
                   (checker != NULL && strstr(checker, "{addr}") == NULL) ||
                   (caller != NULL && strstr(caller, "{addr}") == NULL)
               ? "the command must contain {addr}"
           : joins && strstr(template, "{room}") == NULL ? "the command must contain {room}"
                                                         : NULL;
}

static const char *line_for(const wzp_ct_client_command *command, wzp_ct_client_mode mode) {
    return mode == WZP_CT_JOINS    ? command->template
           : mode == WZP_CT_CALLS  ? command->caller
           : mode == WZP_CT_CHECKS ? command->checker
                                   : command->listener;
}

static const char *lacks(void *ctx, const wzp_ct_invitation *to) {
    const wzp_ct_client_command *command = ctx;
    static const char *const options[] = {"--client", "--listener", "--caller", "--netcheck"};
    const char *line = line_for(command, to->mode);
    if (line == NULL || *line == '\0') {
        return options[to->mode];
    }
    return to->answer != WZP_CT_TRUSTS && strstr(line, "{answer}") == NULL            ? "{answer}"
           : to->paths != WZP_CT_ANY_PATH && strstr(line, "{paths}") == NULL          ? "{paths}"
           : to->stun.family != WZP_ADDR_NONE && strstr(line, "{stun}") == NULL       ? "{stun}"
           : to->gateway.family != WZP_ADDR_NONE && strstr(line, "{gateway}") == NULL ? "{gateway}"
           : to->stun2.family != WZP_ADDR_NONE && strstr(line, "{stun2}") == NULL     ? "{stun2}"
           : to->as_json && strstr(line, "{format}") == NULL                          ? "{format}"
                                                                                      : NULL;
}

/* --- what it says ----------------------------------------------------------------------------- */

static void number(const json_t *line, const char *name, uint64_t *out) {
    const json_t *value = json_object_get(line, name);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
    }
}

static void frames(const json_t *line, const char *name, unsigned which, wzp_ct_sayings *said,
                   uint64_t *out) {
    said->tells |= json_is_integer(json_object_get(line, name)) ? which : 0;
    number(line, name, out);
}

/* Other lines are for people. */
static void read_line(wzp_ct_subject *s) {
    json_t *line = json_loadb(s->line, s->len, 0, NULL);
    if (json_is_object(line)) {
        const char *hangup = json_string_value(json_object_get(line, "hangup"));
        s->said.speaks = s->said.speaks || json_is_integer(json_object_get(line, "opened"));
        number(line, "opened", &s->said.opened);
        number(line, "forged", &s->said.forged);
        number(line, "replayed", &s->said.replayed);
        number(line, "undecryptable", &s->said.undecryptable);
        number(line, "rekeys", &s->said.rekeys);
        frames(line, "played", WZP_CT_TELLS_PLAYED, &s->said, &s->said.played);
        frames(line, "concealed", WZP_CT_TELLS_CONCEALED, &s->said, &s->said.concealed);
        frames(line, "recovered", WZP_CT_TELLS_RECOVERED, &s->said, &s->said.recovered);
        if (hangup != NULL) {
            (void)snprintf(s->said.hangup, sizeof s->said.hangup, "%s", hangup);
        }
    }
    json_decref(line);
}

static void take(wzp_ct_subject *s, const char *text, size_t len) {
    const size_t room = WORDS_MAX - s->words_len;
    memcpy(s->words + s->words_len, text, len < room ? len : room);
    s->words_len += len < room ? len : room;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            if (!s->too_long) {
                read_line(s);
            }
            s->len = 0;
            s->too_long = false;
        } else if (s->len < sizeof s->line) {
            s->line[s->len++] = text[i];
        } else {
            s->too_long = true;
        }
    }
}

static void listen_to(void *ctx, wzp_ct_subject *s, wzp_ct_sayings *out) {
    char buf[LINE_MAX_LEN];
    ssize_t n = 0;
    (void)ctx;
    while ((n = read(s->out, buf, sizeof buf)) > 0) {
        take(s, buf, (size_t)n);
    }
    *out = s->said;
}

/* --- life ------------------------------------------------------------------------------------- */

enum { NOT_EXECUTABLE = 126, NOT_FOUND, BY_SIGNAL }; /* exit codes of a shell */

static wzp_ct_fate fate(void *ctx, wzp_ct_subject *s) {
    wzp_ct_client_command *command = ctx;
    if (wzp_ct_child_alive(&s->child)) {
        return WZP_CT_RUNS;
    }
    const int code = WEXITSTATUS(s->child.status);
    if (WIFSIGNALED(s->child.status) || code >= BY_SIGNAL) {
        return WZP_CT_CRASHED;
    }
    command->missing += code == NOT_EXECUTABLE || code == NOT_FOUND ? 1 : 0;
    return WZP_CT_EXITED;
}

static bool start_move(wzp_ct_client_command *command, wzp_ct_subject *s) {
    const char *why = "";
    command->moves++;
    const bool ok = wzp_ct_child_start_move(&s->mover, command->mover, s->child.pid, command->moves,
                                            command->log, &why);
    if (!ok) {
        (void)fprintf(stderr, "wzp-conformance: --move: %s\n", why);
    }
    return ok;
}

/* It has the network of this machine, unless somebody says how that is changed. */
static wzp_ct_moving move(void *ctx, wzp_ct_subject *s) {
    wzp_ct_client_command *command = ctx;
    char fate_text[64];
    if (command->mover == NULL) {
        return WZP_CT_CANNOT_MOVE;
    }
    if (s->mover.pid == 0) {
        return start_move(command, s) ? WZP_CT_MOVES : WZP_CT_MOVE_FAILED;
    }
    if (wzp_ct_child_alive(&s->mover)) {
        return WZP_CT_MOVES;
    }
    if (WIFEXITED(s->mover.status) && WEXITSTATUS(s->mover.status) == 0) {
        return WZP_CT_HAS_MOVED;
    }
    (void)fprintf(stderr, "wzp-conformance: --move %s\n",
                  wzp_ct_child_fate(&s->mover, fate_text, sizeof fate_text));
    return WZP_CT_MOVE_FAILED;
}

/* All of it, once it has ended. */
static void say(void *ctx, wzp_ct_subject *s, wzp_ct_words *out) {
    wzp_ct_sayings sayings;
    out->has_ended = fate(ctx, s) != WZP_CT_RUNS;
    out->status = WIFEXITED(s->child.status) ? WEXITSTATUS(s->child.status) : -1;
    listen_to(ctx, s, &sayings);
    out->text = s->words;
}

static void end(void *ctx, wzp_ct_subject *s) {
    (void)ctx;
    if (s->child.pid > 0) {
        wzp_ct_child_kill(&s->child); /* at once: other runs must not wait for it */
    }
    wzp_ct_child_kill(&s->mover);
    (void)close(s->out);
    free(s);
}

static wzp_ct_subject *start(void *ctx, const wzp_ct_invitation *to) {
    const wzp_ct_client_command *command = ctx;
    const bool joins = to->mode == WZP_CT_JOINS;
    const wzp_ct_command_line line = {.template = line_for(command, to->mode),
                                      .addr = &to->addr,
                                      .room = joins ? to->room : NULL,
                                      .answer = to->answer == WZP_CT_TRUSTS ? "trusted" : "generic",
                                      .paths = to->paths == WZP_CT_ANY_PATH ? "any" : "direct",
                                      .stun = &to->stun,
                                      .stun2 = &to->stun2,
                                      .callee = to->peer,
                                      .format = to->as_json ? "json" : "text",
                                      .gateway = &to->gateway,
                                      .crypto = to->sealed ? "relay-aead" : "clear",
                                      .quality = to->quality};
    const char *why = "";
    wzp_ct_subject *s = calloc(1, sizeof *s);
    if (s != NULL && !wzp_ct_child_start_heard(&s->child, &line, command->log, &s->out, &why)) {
        (void)fprintf(stderr, "wzp-conformance: --client: %s\n", why);
        free(s);
        s = NULL;
    }
    return s;
}

const wzp_ct_client_ops wzp_ct_client_children = {lacks, start, listen_to, fate, say, move, end};
