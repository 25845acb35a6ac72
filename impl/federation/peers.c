/* Who may link, when we dial, and which connection leads to a peer (relay sheet 9.1, 9.2). */
#include <stdio.h>
#include <stdlib.h>

#include "federation/internal.h"

/* --- fingerprints ----------------------------------------------------------------------------- */

/* For comparing: without colons, in lower case. */
bool wzp_fed_key(char out[WZP_FED_KEY_MAX + 1], wzp_bytes fingerprint) {
    size_t len = 0;
    for (size_t i = 0; i < fingerprint.len; i++) {
        const char ch = (char)fingerprint.data[i];
        if (ch == ':') {
            continue;
        }
        if (len == WZP_FED_KEY_MAX || ch < ' ' || ch > '~') {
            return false;
        }
        out[len++] = (char)(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
    }
    out[len] = '\0';
    return len > 0;
}

static int digit(char ch) {
    return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* The first 16 digits; 0 if there are fewer. */
uint64_t wzp_fed_key_id(const char *key) {
    uint64_t id = 0;
    for (size_t i = 0; i < 16; i++) {
        const int value = digit(key[i]);
        if (value < 0) {
            return 0;
        }
        id = id << 4 | (unsigned)value;
    }
    return id;
}

/* The key is the certificate's whole hash in digits; operators may have configured less. */
static bool shows(const peer *p, const uint8_t cert[32]) {
    if (strlen(p->key) != 64) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        if (digit(p->key[2 * i]) != cert[i] >> 4 || digit(p->key[2 * i + 1]) != (cert[i] & 15)) {
            return false;
        }
    }
    return true;
}

/* --- the table -------------------------------------------------------------------------------- */

static uint32_t find_key(const wzp_federation *fed, const char *key) {
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        if (strcmp(fed->peers[i].key, key) == 0) {
            return i;
        }
    }
    return WZP_FED_NO_PEER;
}

static void name_peer(peer *p, const char *label) {
    char addr[WZP_ADDR_TEXT_MAX];
    if (label != NULL) {
        (void)snprintf(p->label, sizeof p->label, "%s", label);
    } else if (p->addr.family != WZP_ADDR_NONE) {
        (void)snprintf(p->label, sizeof p->label, "%s", wzp_addr_text(&p->addr, addr));
    } else {
        (void)snprintf(p->label, sizeof p->label, "%.16s", p->key);
    }
}

static wzp_err add_peer(wzp_federation *fed, const wzp_fed_peer_cfg *cfg, wzp_time now) {
    peer p = {.addr = cfg->addr,
              .backoff = WZP_FED_BACKOFF_MIN,
              .dial_at = now,
              .state = cfg->addr.family != WZP_ADDR_NONE ? PEER_WAITING : PEER_PASSIVE};
    if (!wzp_fed_key(p.key, wzp_bytes_str(cfg->fingerprint))) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    p.id = wzp_fed_key_id(p.key);
    name_peer(&p, cfg->label);
    if (find_key(fed, p.key) == WZP_FED_NO_PEER && strcmp(p.key, fed->key) != 0) {
        fed->peers[fed->peer_count++] = p;
    }
    return WZP_OK;
}

wzp_err wzp_fed_peers_init(wzp_federation *fed, const wzp_federation_cfg *cfg, wzp_time now) {
    if (cfg->peer_count > WZP_FED_PEERS) {
        return WZP_ERR_LIMIT;
    }
    fed->peers = calloc(cfg->peer_count + 1, sizeof *fed->peers);
    wzp_err err = fed->peers != NULL ? WZP_OK : WZP_ERR_NOMEM;
    for (size_t i = 0; err == WZP_OK && i < cfg->peer_count; i++) {
        err = add_peer(fed, &cfg->peers[i], now);
    }
    return err;
}

void wzp_fed_peers_clear(wzp_federation *fed) {
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        for (wzp_fed_link *link; (link = fed->peers[i].links) != NULL;) {
            fed->peers[i].links = link->next;
            free(link);
        }
    }
    free(fed->peers);
}

/* --- dialling --------------------------------------------------------------------------------- */

void wzp_fed_peers_tick(wzp_federation *fed, wzp_time now) {
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        peer *p = &fed->peers[i];
        if (p->state == PEER_WAITING && p->dial_at <= now) {
            p->state = PEER_DIALLING;
            fed->counters.dials++;
            wzp_fed_push(fed, &(wzp_fed_output){.kind = WZP_FED_DIAL, .peer = i, .addr = p->addr});
        }
    }
}

wzp_time wzp_fed_peers_deadline(const wzp_federation *fed) {
    wzp_time first = WZP_TIME_NEVER;
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        if (fed->peers[i].state == PEER_WAITING) {
            first = wzp_time_min(first, fed->peers[i].dial_at);
        }
    }
    return first;
}

static void wait_and_dial(peer *p, wzp_time now) {
    p->state = PEER_WAITING;
    p->dial_at = wzp_time_after(now, p->backoff);
    p->backoff = 2 * p->backoff < WZP_FED_BACKOFF_MAX ? 2 * p->backoff : WZP_FED_BACKOFF_MAX;
}

void wzp_federation_failed(wzp_federation *fed, uint32_t index, wzp_time now) {
    fed->counters.dial_failures++;
    wait_and_dial(&fed->peers[index], now);
}

wzp_fed_link *wzp_federation_dialled(wzp_federation *fed, uint32_t index, uint64_t conn) {
    (void)fed;
    wzp_fed_link *link = calloc(1, sizeof *link);
    if (link != NULL) {
        *link = (wzp_fed_link){.peer = index, .conn = conn, .dialled = true};
    }
    return link;
}

/* --- links ------------------------------------------------------------------------------------ */

static void choose_targets(wzp_federation *fed) {
    fed->target_count = 0;
    for (uint32_t i = 0; i < fed->peer_count; i++) {
        if (fed->peers[i].links != NULL) {
            fed->targets[fed->target_count++] = (wzp_fed_target){fed->peers[i].links->conn, i};
        }
    }
}

static void link_up(wzp_federation *fed, wzp_fed_link *link, wzp_time now) {
    peer *p = &fed->peers[link->peer];
    link->up = true;
    link->next = p->links;
    p->links = link;
    p->last_seen = now;
    choose_targets(fed);
    wzp_fed_announce_all(fed, link->peer, now);
}

void wzp_federation_connected(wzp_federation *fed, wzp_fed_link *link, const uint8_t cert[32],
                              wzp_time now) {
    peer *p = &fed->peers[link->peer];
    const wzp_signal hello = {.kind = WZP_SIGNAL_FEDERATION_HELLO,
                              .version = 1,
                              .u.FederationHello.tls_fingerprint = wzp_bytes_str(fed->fingerprint)};
    if (cert == NULL || !shows(p, cert)) {
        fed->counters.pin_mismatches++;
        if (fed->pin_required) {
            wzp_fed_push(fed, &(wzp_fed_output){.kind = WZP_FED_CLOSE,
                                                .conn = link->conn,
                                                .reason = "the certificate is not the peer's"});
            return;
        }
    }
    p->state = PEER_LINKED;
    p->backoff = WZP_FED_BACKOFF_MIN;
    (void)wzp_fed_send(fed, link->conn, &hello);
    link_up(fed, link, now);
}

/* As deployed, whoever comes from the address of a peer is that peer, whatever its hello says.
 * Nobody can prove a fingerprint, and everybody can know it: where certificates are required, the
 * one of a peer whose address is known counts only from there (relay sheet 9.1). */
static uint32_t recognise(const wzp_federation *fed, const wzp_addr *remote, const char *key) {
    const uint32_t by_key = find_key(fed, key);
    if (fed->pin_required) {
        const bool is_elsewhere = by_key != WZP_FED_NO_PEER &&
                                  fed->peers[by_key].addr.family != WZP_ADDR_NONE &&
                                  !wzp_addr_same_ip(&fed->peers[by_key].addr, remote);
        return is_elsewhere ? WZP_FED_NO_PEER : by_key;
    }
    for (uint32_t i = 0; i < fed->peer_count && by_key == WZP_FED_NO_PEER; i++) {
        if (wzp_addr_same_ip(&fed->peers[i].addr, remote)) {
            return i;
        }
    }
    return by_key;
}

wzp_fed_link *wzp_federation_accepted(wzp_federation *fed, uint64_t conn, const wzp_addr *remote,
                                      wzp_bytes hello, wzp_time now, const char **why) {
    char key[WZP_FED_KEY_MAX + 1];
    const char *fault = NULL;
    uint32_t index = WZP_FED_NO_PEER;
    if (!wzp_fed_key(key, hello)) {
        fault = "its fingerprint is no fingerprint";
    } else if (strcmp(key, fed->key) == 0) {
        fault = "it has our own identity";
    } else if ((index = recognise(fed, remote, key)) == WZP_FED_NO_PEER) {
        fault = "nobody trusts it";
    }
    wzp_fed_link *link = fault == NULL ? calloc(1, sizeof *link) : NULL;
    if (link == NULL) {
        fed->counters.hellos_refused++;
        if (why != NULL) {
            *why = fault != NULL ? fault : "no memory";
        }
        return NULL;
    }
    *link = (wzp_fed_link){.peer = index, .conn = conn};
    link_up(fed, link, now);
    return link;
}

static void unlink_up(wzp_federation *fed, wzp_fed_link *link, wzp_time now) {
    peer *p = &fed->peers[link->peer];
    wzp_fed_link **at = &p->links;
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    fed->counters.links_lost++;
    choose_targets(fed);
    if (p->links == NULL) {
        wzp_fed_lists_peer_down(fed, link->peer, now);
    }
}

void wzp_federation_closed(wzp_federation *fed, wzp_fed_link *link, wzp_time now) {
    peer *p = &fed->peers[link->peer];
    if (link->up) {
        unlink_up(fed, link, now);
    } else {
        fed->counters.dial_failures++;
    }
    if (link->dialled) {
        wait_and_dial(p, now);
    }
    free(link);
}

uint32_t wzp_fed_link_peer(const wzp_fed_link *link) {
    return link->peer;
}

bool wzp_federation_is_pinned(const wzp_federation *fed, uint32_t index, const uint8_t cert[32]) {
    return shows(&fed->peers[index], cert);
}

/* --- what is known ---------------------------------------------------------------------------- */

const wzp_fed_target *wzp_federation_targets(const wzp_federation *fed, size_t *count) {
    *count = fed->target_count;
    return fed->targets;
}

void wzp_federation_sent(wzp_federation *fed, uint32_t index) {
    fed->peers[index].packets_out++;
}

void wzp_federation_not_sent(wzp_federation *fed) {
    fed->counters.send_failures++;
}

size_t wzp_federation_peers(const wzp_federation *fed) {
    return fed->peer_count;
}
