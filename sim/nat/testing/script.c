#include "sim/nat/testing/script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 7 };

typedef struct run {
    const char *name, *line;
    wzp_sim_nat *nat;
    wzp_time now;
    uint32_t letters[26]; /* port + 1; 0: not yet bound */
} run;

#define MUST(r, what, ...)                                                                         \
    ck_assert_msg(what, "%s: at \"%.*s\": %s", (r)->name, (int)strcspn((r)->line, "\n"),           \
                  (r)->line, __VA_ARGS__)

static const char *text(const wzp_addr *addr) {
    static char buf[4][WZP_ADDR_TEXT_MAX];
    static unsigned next;
    return wzp_addr_text(addr, buf[next++ % 4]);
}

static wzp_addr host(const run *r, char letter) {
    if (letter >= 'A' && letter <= 'H') {
        return wzp_addr_v4(10, 0, 0, (uint8_t)(letter - 'A' + 1), 0);
    }
    if (letter >= 'P' && letter <= 'V') {
        return wzp_addr_v4(192, 0, 2, (uint8_t)(letter - 'P' + 1), 0);
    }
    MUST(r, letter >= 'X' && letter <= 'Z', "no such host");
    return wzp_addr_v4(203, 0, 113, (uint8_t)(letter - 'X' + 1), 0);
}

/* An endpoint that goes in. */
static wzp_addr given(const run *r, const char *word) {
    wzp_addr addr = host(r, word[0]);
    if (word[1] == ':' && word[2] >= 'a' && word[2] <= 'z') {
        MUST(r, r->letters[word[2] - 'a'] > 0, "this port is not known yet");
        addr.port = (uint16_t)(r->letters[word[2] - 'a'] - 1);
    } else if (word[1] == ':') {
        addr.port = (uint16_t)strtoul(word + 2, NULL, 10);
    }
    return addr;
}

static bool binds(run *r, char letter, uint16_t port) {
    uint32_t *bound = &r->letters[letter - 'a'];
    for (size_t i = 0; i < WZP_COUNT_OF(r->letters); i++) {
        if (r->letters[i] == port + UINT32_C(1)) {
            return bound == &r->letters[i];
        }
    }
    if (*bound == 0) {
        *bound = port + UINT32_C(1);
        return true;
    }
    return false;
}

/* An endpoint that comes out. */
static void wanted(run *r, const char *word, const wzp_addr *got) {
    const wzp_addr ip = host(r, word[0]);
    bool ok = wzp_addr_same_ip(&ip, got);
    if (word[2] >= 'a' && word[2] <= 'z') {
        ok = ok && binds(r, word[2], got->port);
    } else if (word[2] != '?') {
        ok = ok && got->port == strtoul(word + 2, NULL, 10);
    }
    MUST(r, ok, text(got));
}

static void packet(run *r, const char *op, char words[WORDS][16], int count) {
    static const char *const drops[] = {
        [WZP_SIM_NAT_FORWARD] = "forwarded",          [WZP_SIM_NAT_TURN] = "turned",
        [WZP_SIM_NAT_DROP_NO_MAPPING] = "no-mapping", [WZP_SIM_NAT_DROP_FILTER] = "filter",
        [WZP_SIM_NAT_DROP_QUOTA] = "quota",           [WZP_SIM_NAT_DROP_HAIRPIN] = "hairpin"};
    wzp_addr src = given(r, words[0]);
    wzp_addr dst = given(r, words[2]);
    const bool in = strcmp(op, "in") == 0;
    const wzp_sim_nat_verdict verdict = in ? wzp_sim_nat_in(r->nat, 17, &src, &dst, r->now)
                                           : wzp_sim_nat_out(r->nat, 17, &src, &dst, r->now);
    if (strcmp(words[3], "=") != 0) {
        MUST(r, strcmp(drops[verdict], words[3]) == 0, drops[verdict]);
    } else if (strcmp(op, "turn") == 0) {
        MUST(r, verdict == WZP_SIM_NAT_TURN && count == 7, drops[verdict]);
        wanted(r, words[4], &src);
        wanted(r, words[6], &dst);
    } else {
        MUST(r, verdict == WZP_SIM_NAT_FORWARD, drops[verdict]);
        wanted(r, words[4], in ? &dst : &src);
    }
}

static void icmp(run *r, bool in, char words[WORDS][16]) {
    wzp_addr src = given(r, words[0]);
    wzp_addr dst = given(r, words[2]);
    wzp_addr outer = in ? src : dst;
    outer.port = 0;
    const bool ok = in ? wzp_sim_nat_icmp_in(r->nat, 17, &outer, &src, &dst, r->now)
                       : wzp_sim_nat_icmp_out(r->nat, 17, &outer, &src, &dst, r->now);
    if (strcmp(words[3], "refused") == 0) {
        MUST(r, !ok, "passed");
        return;
    }
    MUST(r, ok, "refused");
    wanted(r, words[4], in ? &src : &dst);
    MUST(r, wzp_addr_same_ip(&outer, in ? &src : &dst) && outer.port == 0, text(&outer));
}

static void map(run *r, char words[WORDS][16], int count) {
    const wzp_time lease = strtoul(words[3], NULL, 10) * WZP_S;
    const bool remote = count > 4 && strchr(words[4], ':') != NULL;
    const wzp_sim_nat_explicit mapping = {.proto = 17,
                                          .internal = given(r, words[0]),
                                          .external = given(r, words[2]),
                                          .remote = remote ? given(r, words[4]) : (wzp_addr){0},
                                          .expires = lease == 0 ? WZP_TIME_NEVER : r->now + lease};
    const wzp_err err = wzp_sim_nat_map(r->nat, &mapping, r->now);
    const bool refused = count > 4 && strcmp(words[count - 1], "refused") == 0;
    MUST(r, err == (refused ? WZP_ERR_LIMIT : WZP_OK), wzp_err_name(err));
}

static void unmap(const run *r, char words[WORDS][16]) {
    const wzp_addr external = given(r, words[0]);
    const bool refused = strcmp(words[1], "refused") == 0;
    MUST(r, wzp_sim_nat_unmap(r->nat, 17, &external) == !refused, "otherwise");
}

static void renumber(const run *r, char words[WORDS][16], int count) {
    wzp_addr pool[6];
    for (int i = 0; i < count; i++) {
        pool[i] = host(r, words[i][0]);
    }
    wzp_sim_nat_renumber(r->nat, pool, (size_t)count, r->now);
}

static void event(run *r, const char *op, char words[WORDS][16], int count) {
    if (strcmp(op, "flush") == 0) {
        wzp_sim_nat_flush(r->nat, r->now);
    } else if (strcmp(op, "reboot") == 0) {
        wzp_sim_nat_reboot(r->nat, r->now);
    } else if (strcmp(op, "rebind") == 0) {
        wzp_sim_nat_rebind(r->nat, r->now);
    } else if (strcmp(op, "expire") == 0) {
        wzp_sim_nat_expire(r->nat, r->now);
    } else if (strcmp(op, "tick") == 0) {
        wzp_sim_nat_tick(r->nat, r->now);
    } else if (strcmp(op, "renumber") == 0) {
        renumber(r, words, count);
    } else {
        wzp_sim_nat_counts counts;
        char got[32];
        MUST(r, strcmp(op, "mappings") == 0, "no such operation");
        wzp_sim_nat_count(r->nat, &counts);
        (void)snprintf(got, sizeof got, "%llu", (unsigned long long)counts.mappings);
        MUST(r, strcmp(got, words[0]) == 0, got);
    }
}

static void step(run *r) {
    char line[96];
    char at[24] = "";
    char op[16] = "";
    char words[WORDS][16] = {"", "", "", "", "", "", ""};
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(r->line, "\n"), r->line);
    const int count = sscanf(line, "%23s %15s %15s %15s %15s %15s %15s %15s %15s", at, op, words[0],
                             words[1], words[2], words[3], words[4], words[5], words[6]) -
                      2;
    if (at[0] != '-') {
        char *plus = NULL;
        r->now = WZP_S + strtoull(at, &plus, 10) * WZP_MS;
        r->now += *plus == '+' ? strtoull(plus + 1, NULL, 10) : 0;
    }
    if (strcmp(op, "out") == 0 || strcmp(op, "in") == 0 || strcmp(op, "turn") == 0) {
        packet(r, op, words, count);
    } else if (strcmp(op, "icmp-in") == 0 || strcmp(op, "icmp-out") == 0) {
        icmp(r, strcmp(op, "icmp-in") == 0, words);
    } else if (strcmp(op, "map") == 0) {
        map(r, words, count);
    } else if (strcmp(op, "unmap") == 0) {
        unmap(r, words);
    } else {
        event(r, op, words, count);
    }
}

void wzp_sim_nat_script(const char *name, const wzp_sim_nat_cfg *cfg, const char *externals,
                        const char *script) {
    run r = {.name = name, .line = script, .now = WZP_S};
    wzp_addr pool[3];
    wzp_fail fail = {.field = "-"};
    const size_t count = strlen(externals);
    for (size_t i = 0; i < count; i++) {
        pool[i] = host(&r, externals[i]);
    }
    const wzp_err err = wzp_sim_nat_new(&r.nat, cfg, pool, count, 7, name, r.now, &fail);
    ck_assert_msg(err == WZP_OK, "%s: %s", name, fail.field);
    while (*r.line != '\0') {
        if (*r.line != '#') {
            step(&r);
        }
        r.line += strcspn(r.line, "\n");
        r.line += *r.line == '\n';
    }
    wzp_sim_nat_free(&r.nat);
}
