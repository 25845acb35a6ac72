/* Between the files that read a scenario.  Each reads one kind of section. */
#ifndef WZP_SIM_LAB_READ_H
#define WZP_SIM_LAB_READ_H

#include "sim/lab/scenario.h"

/* Lives as long as the scenario; zeroed.  NULL after a complaint. */
void *wzp_lab_keep(wzp_lab_reader *r, size_t count, size_t size);

#define WZP_LAB_FILE_MAX 512

extern const char *const wzp_lab_policy_words[]; /* wzp_lab_policy */

/* The text of the file beside the scenario that `value` names, and its name; to be freed with
 * free().  NULL after a complaint. */
char *wzp_lab_read_beside(wzp_lab_reader *r, const char *path, const json_t *value,
                          char file[WZP_LAB_FILE_MAX], size_t *len);

/* --- descriptions, for the schema ------------------------------------------------------------- */

extern const wzp_lab_table wzp_lab_root_table, wzp_lab_host_table, wzp_lab_way_table,
    wzp_lab_lan_table, wzp_lab_relay_table, wzp_lab_nat_table, wzp_lab_firewall_table,
    wzp_lab_access_table, wzp_lab_core_path_table, wzp_lab_jitter_table, wzp_lab_loss_table,
    wzp_lab_duplicate_table, wzp_lab_corrupt_table, wzp_lab_queue_table, wzp_lab_outage_table,
    wzp_lab_slots_table, wzp_lab_cross_table, wzp_lab_call_table, wzp_lab_expect_table,
    wzp_lab_deployed_table, wzp_lab_listener_table, wzp_lab_event_table, wzp_lab_client_table,
    wzp_lab_birthday_table, wzp_lab_signal_table, wzp_lab_gateway_table, wzp_lab_stun_table;

/* --- links (read_link.c) --------------------------------------------------------------------- */

extern const wzp_lab_table wzp_lab_link_table;

/* The baseline of nat sheet 2.14 for an access. */
void wzp_lab_link_baseline(wzp_sim_link_cfg links[2]);

/* ... and for the line from a host, or from another LAN's box, into a LAN. */
void wzp_lab_link_lan(wzp_sim_link_cfg links[2]);

/* A preset's name, or a table: "preset", keys for both directions, and a table for each direction
 * under `names`.  `links` holds what is changed. */
void wzp_lab_read_links(wzp_lab_reader *r, const char *path, json_t *value,
                        const char *const names[2], wzp_sim_link_cfg links[2]);

/* --- places (read_place.c, read_box.c) ------------------------------------------------------- */

/* "federate" and "twin" of relays (read_mesh.c). */
void wzp_lab_read_mesh(wzp_lab_reader *r, json_t *relays);

void wzp_lab_read_places(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s);

/* "nat": a preset's name, a table, or a list of them from the inside out. */
void wzp_lab_read_boxes(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way);
/* "firewall": policy of the outermost box, which is made if there is none. */
void wzp_lab_read_firewall(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way);

/* "gateway" of the innermost box, which must translate. */
void wzp_lab_read_gateway(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_way *way);

/* "client" and "signals" of a host (read_client.c). */
void wzp_lab_read_client(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_host *host);
/* The name of a signal; complains of what is none. */
void wzp_lab_take_signal(wzp_lab_reader *r, const char *path, json_t *value,
                         char out[WZP_LAB_SIGNAL_MAX]);
void wzp_lab_read_signals(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_host *host);
/* What a client of this build cannot do says so in "needs"; once all hosts are known. */
void wzp_lab_check_clients(wzp_lab_reader *r, const wzp_lab_scenario *s);

/* Gives every box and host its addresses, once all places are known. */
void wzp_lab_number(wzp_lab_scenario *s);

uint32_t wzp_lab_find_host(const wzp_lab_scenario *s, const char *name); /* or WZP_LAB_NONE */
uint32_t wzp_lab_find_relay(const wzp_lab_scenario *s, const char *name);
const char *wzp_lab_host_at(const void *scenario, size_t index);
const char *wzp_lab_relay_at(const void *scenario, size_t index);

/* --- calls, expectations, events ------------------------------------------------------------- */

void wzp_lab_read_calls(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s);

/* "expect": for all, and under "host.NAME" for one listener. */
void wzp_lab_read_expect(wzp_lab_reader *r, const char *path, json_t *value, wzp_lab_scenario *s,
                         wzp_lab_call *call);

void wzp_lab_read_events(wzp_lab_reader *r, json_t *root, wzp_lab_scenario *s);

/* "x.nat1", "home.access.up", "core.x-y", "relay".  False: it complained. */
bool wzp_lab_read_target(wzp_lab_reader *r, const char *path, const char *name,
                         const wzp_lab_scenario *s, wzp_lab_target *out);

#endif
