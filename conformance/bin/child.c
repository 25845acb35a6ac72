#include "conformance/bin/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sys.h"
#include "io/udp.h"

bool wzp_ct_free_address(wzp_addr *out) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    wzp_udp *udp = NULL;
    if (wzp_udp_open(&udp, &any, true) != WZP_OK) {
        return false;
    }
    *out = wzp_udp_local(udp);
    wzp_udp_close(&udp);
    return true;
}

enum { COMMAND_MAX = 2048 };

/* Replaces the first `word` of `text`; false: there is none, or no room. */
static bool put_in(char text[COMMAND_MAX], const char *word, const char *value) {
    char rest[COMMAND_MAX];
    char *at = strstr(text, word);
    if (at == NULL) {
        return false;
    }
    (void)snprintf(rest, sizeof rest, "%s", at + strlen(word));
    const size_t room = COMMAND_MAX - (size_t)(at - text);
    const int n = snprintf(at, room, "%s%s", value, rest);
    return n > 0 && (size_t)n < room;
}

/* Without its port, which is always the same. */
static const char *ip_text(const wzp_addr *addr, char buf[WZP_ADDR_TEXT_MAX]) {
    wzp_addr_text(addr, buf);
    *strrchr(buf, ':') = '\0';
    return buf;
}

/* NULL, or what is wrong. */
static const char *fill_in(const wzp_ct_command_line *line, char out[COMMAND_MAX]) {
    char text[WZP_ADDR_TEXT_MAX];
    char peer[WZP_ADDR_TEXT_MAX];
    char stun[WZP_ADDR_TEXT_MAX];
    char gateway[WZP_ADDR_TEXT_MAX];
    const int n = snprintf(out, COMMAND_MAX, "exec %s", line->template);
    if (line->crypto != NULL) {
        (void)put_in(out, "{crypto}", line->crypto); /* not every client has a choice */
        (void)put_in(out, "{quality}", line->quality);
    }
    if (line->answer != NULL) {
        (void)put_in(out, "{answer}", line->answer);
        (void)put_in(out, "{paths}", line->paths);
        (void)put_in(out, "{stun}",
                     line->stun->family != WZP_ADDR_NONE ? wzp_addr_text(line->stun, stun)
                                                         : "none");
        (void)put_in(out, "{format}", line->format);
        (void)put_in(out, "{stun2}",
                     line->stun2->family != WZP_ADDR_NONE ? wzp_addr_text(line->stun2, stun)
                                                          : "none");
        (void)put_in(out, "{gateway}",
                     line->gateway->family != WZP_ADDR_NONE ? ip_text(line->gateway, gateway)
                                                            : "none");
    }
    return n < 0 || n >= COMMAND_MAX ? "the command is too long"
           : !put_in(out, "{addr}", wzp_addr_text(line->addr, text))
               ? "the command must contain {addr}"
           : line->identity != NULL && !put_in(out, "{identity}", line->identity)
               ? "the command must contain {identity}, the path of its identity file"
           : line->room != NULL && !put_in(out, "{room}", line->room)
               ? "the command must contain {room}"
           : line->peer != NULL && !put_in(out, "{peer}", wzp_addr_text(line->peer, peer))
               ? "the command must contain {peer}, whom it is to dial"
           : line->callee != NULL && !put_in(out, "{peer}", line->callee)
               ? "the command must contain {peer}, whom it is to call"
               : NULL;
}

/* `heard`: where its standard output goes, -1: to the log as well. */
static void become(const char *command, const char *log, int heard) {
    const int how = O_WRONLY | O_CREAT | (heard < 0 ? O_TRUNC : O_APPEND);
    const int out = open(log != NULL ? log : "/dev/null", how, 0666);
    (void)setpgid(0, 0);
    if (out >= 0) {
        dup2(out, STDERR_FILENO);
    }
    if (heard >= 0 || out >= 0) {
        dup2(heard >= 0 ? heard : out, STDOUT_FILENO);
    }
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool launch(wzp_ct_child *child, const char *command, const char *log, int heard,
                   const char **why) {
    child->pid = fork();
    if (child->pid == 0) {
        become(command, log, heard);
    }
    if (child->pid < 0) {
        child->pid = 0;
        *why = wzp_io_reason(errno);
        return false;
    }
    return true;
}

static bool run(wzp_ct_child *child, const wzp_ct_command_line *line, const char *log, int heard,
                const char **why) {
    char command[COMMAND_MAX];
    const char *wrong = fill_in(line, command);
    if (wrong != NULL) {
        *why = wrong;
        return false;
    }
    return launch(child, command, log, heard, why);
}

bool wzp_ct_child_start(wzp_ct_child *child, const wzp_ct_command_line *line, const char *log,
                        const char **why) {
    return run(child, line, log, -1, why);
}

bool wzp_ct_child_start_heard(wzp_ct_child *child, const wzp_ct_command_line *line, const char *log,
                              int *out, const char **why) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        *why = wzp_io_reason(errno);
        return false;
    }
    const bool ok = run(child, line, log, ends[1], why);
    (void)close(ends[1]);
    if (!ok || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        *why = ok ? wzp_io_reason(errno) : *why;
        (void)close(ends[0]);
        return false;
    }
    *out = ends[0];
    return true;
}

static bool put_number(char text[COMMAND_MAX], const char *word, unsigned long number) {
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lu", number);
    while (strstr(text, word) != NULL) {
        if (!put_in(text, word, digits)) {
            return false;
        }
    }
    return true;
}

bool wzp_ct_child_start_move(wzp_ct_child *child, const char *template, pid_t of, unsigned n,
                             const char *log, const char **why) {
    char command[COMMAND_MAX];
    const int len = snprintf(command, COMMAND_MAX, "%s", template);
    if (len < 0 || len >= COMMAND_MAX || !put_number(command, "{pid}", (unsigned long)of) ||
        !put_number(command, "{n}", n)) {
        *why = "the command is too long";
        return false;
    }
    const int out =
        open(log != NULL ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const bool ok = launch(child, command, log, out, why);
    if (out >= 0) {
        (void)close(out);
    }
    return ok;
}

bool wzp_ct_child_alive(wzp_ct_child *child) {
    if (child->pid > 0 && waitpid(child->pid, &child->status, WNOHANG) == child->pid) {
        child->pid = -1;
    }
    return child->pid >= 0;
}

const char *wzp_ct_child_fate(const wzp_ct_child *child, char *buf, size_t cap) {
    if (WIFSIGNALED(child->status)) {
        (void)snprintf(buf, cap, "was ended by signal %d", WTERMSIG(child->status));
    } else {
        (void)snprintf(buf, cap, "ended with exit code %d", WEXITSTATUS(child->status));
    }
    return buf;
}

void wzp_ct_child_end(wzp_ct_child *child) {
    if (child->pid <= 0) {
        return;
    }
    (void)kill(-child->pid, SIGTERM);
    (void)kill(child->pid, SIGTERM);
    for (int i = 0; i < 40 && wzp_ct_child_alive(child); i++) {
        (void)usleep(50000);
    }
    wzp_ct_child_kill(child);
}

void wzp_ct_child_kill(wzp_ct_child *child) {
    if (child->pid > 0) {
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, &child->status, 0);
    }
    child->pid = 0;
}
