/* Relays of a scenario that needs federation: they are linked as it says, and share the rooms of
 * all calls. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/identity.h"
#include "sim/lab/world.h"

struct wzp_lab_mesh {
    uint8_t seeds[WZP_LAB_RELAYS_MAX][WZP_KEY_LEN];
    char fingerprints[WZP_LAB_RELAYS_MAX][WZP_TLS_FINGERPRINT_TEXT + 1];
    wzp_fed_peer_cfg peers[WZP_LAB_RELAYS_MAX][WZP_LAB_RELAYS_MAX];
    const char *rooms[WZP_LAB_CALLS_MAX];
    wzp_federation_cfg federations[WZP_LAB_RELAYS_MAX];
};

/* The same identity that the relay's host would make: it must be known before the first starts. */
static void identify(struct wzp_lab_mesh *mesh, struct wzp_lab_world *w, size_t index) {
    char stream[WZP_LAB_NAME_MAX + 16];
    wzp_prng prng;
    wzp_tls_identity tls;
    const wzp_sim_host *host = wzp_lab_topology_relay(w->result.topology, index);
    (void)snprintf(stream, sizeof stream, "%s identity",
                   w->s->relays[w->s->relays[index].identity].name);
    wzp_sim_stream(wzp_sim_host_clock(host), &prng, stream);
    wzp_rng_fill(wzp_prng_rng(&prng), mesh->seeds[index], WZP_KEY_LEN);
    wzp_tls_identity_from_seed(&tls, mesh->seeds[index]);
    memcpy(mesh->fingerprints[index], tls.fingerprint, sizeof tls.fingerprint);
    wzp_tls_identity_clear(&tls);
}

static bool dials(const wzp_lab_scenario *s, size_t from, size_t to) {
    return (s->relays[from].dials & 1U << to) != 0;
}

/* It trusts who dials it.  Of two that name each other both dial. */
static void introduce(struct wzp_lab_mesh *mesh, const wzp_lab_scenario *s, size_t index) {
    size_t count = 0;
    for (size_t i = 0; i < s->relay_count; i++) {
        wzp_addr addr = s->relays[i].address;
        addr.port = s->relays[i].port;
        if (dials(s, index, i) || dials(s, i, index)) {
            mesh->peers[index][count++] =
                (wzp_fed_peer_cfg){dials(s, index, i) ? addr : (wzp_addr){0}, mesh->fingerprints[i],
                                   s->relays[i].name};
        }
    }
    for (size_t c = 0; c < s->call_count; c++) {
        mesh->rooms[c] = s->calls[c].room;
    }
    mesh->federations[index] = (wzp_federation_cfg){.peers = mesh->peers[index],
                                                    .peer_count = count,
                                                    .rooms = mesh->rooms,
                                                    .room_count = s->call_count,
                                                    .pin_required = true};
}

wzp_err wzp_lab_mesh_new(struct wzp_lab_world *w) {
    const wzp_lab_scenario *s = w->s;
    if ((s->needs & 1U << WZP_LAB_NEED_FEDERATION) == 0) {
        return WZP_OK;
    }
    w->mesh = calloc(1, sizeof *w->mesh);
    if (w->mesh == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        identify(w->mesh, w, i);
    }
    for (size_t i = 0; i < s->relay_count; i++) {
        introduce(w->mesh, s, i);
    }
    return WZP_OK;
}

void wzp_lab_mesh_join(const struct wzp_lab_world *w, size_t index, wzp_relay_cfg *relay) {
    if (w->mesh != NULL) {
        relay->federation = &w->mesh->federations[index];
        memcpy(relay->seed, w->mesh->seeds[index], sizeof relay->seed);
    }
}

void wzp_lab_mesh_free(struct wzp_lab_world *w) {
    free(w->mesh);
    w->mesh = NULL;
}
