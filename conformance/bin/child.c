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

static bool fill_in(const char *template, const wzp_addr *addr, char *out, size_t cap) {
    char text[WZP_ADDR_TEXT_MAX];
    const char *at = strstr(template, "{addr}");
    const int n = at == NULL ? -1
                             : snprintf(out, cap, "exec %.*s%s%s", (int)(at - template), template,
                                        wzp_addr_text(addr, text), at + 6);
    return n > 0 && (size_t)n < cap;
}

static void become(const char *command, const char *log) {
    const int out = open(log != NULL ? log : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    (void)setpgid(0, 0);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

bool wzp_ct_child_start(wzp_ct_child *child, const char *template, const wzp_addr *addr,
                        const char *log, const char **why) {
    char command[2048];
    if (!fill_in(template, addr, command, sizeof command)) {
        *why = "the command must contain {addr}";
        return false;
    }
    child->pid = fork();
    if (child->pid == 0) {
        become(command, log);
    }
    if (child->pid < 0) {
        child->pid = 0;
        *why = wzp_io_reason(errno);
        return false;
    }
    return true;
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
    if (child->pid > 0) {
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        (void)waitpid(child->pid, &child->status, 0);
    }
    child->pid = 0;
}
