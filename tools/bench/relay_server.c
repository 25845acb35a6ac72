/* wzp-relay itself, in a process of its own. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "relay_quic.h"

/* The relay of the same build; its first line says where it listens. */
static bool start_relay(contender *c, const load *l, wzp_addr *addr) {
    char own[PATH_MAX] = "";
    char path[PATH_MAX + 32];
    char threads[16];
    char line[128] = "";
    int out[2];
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0 || pipe(out) != 0) {
        return false;
    }
    char *slash = strrchr(own, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    (void)snprintf(path, sizeof path, "%s/../bin/wzp-relay", own);
    (void)snprintf(threads, sizeof threads, "%u", l->threads);
    c->server = load_fork();
    if (c->server == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(path, path, "--listen", "127.0.0.1:0", "--max-sessions", "2000", "--threads", threads,
              "--log-level", "error", "--seed",
              "0101010101010101010101010101010101010101010101010101010101010101", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *text = fdopen(out[0], "r");
    const bool told = text != NULL && fgets(line, sizeof line, text) != NULL &&
                      strncmp(line, "listening on ", 13) == 0;
    line[strcspn(line, "\n")] = '\0';
    if (text != NULL) {
        (void)fclose(text);
    }
    return told && wzp_addr_parse(addr, line + 13) == WZP_OK;
}

contender *relay_open(const load *l) {
    wzp_addr relay;
    contender *c = quic_clients_new(l, true);
    if (c == NULL || start_relay(c, l, &relay)) {
        return c != NULL ? quic_clients_join(c, &relay) : NULL;
    }
    (void)fprintf(stderr, "bench_relay: wzp-relay did not start\n");
    contender_close(&c);
    return NULL;
}
