#include "sim/lab/timeline.h"

#include <stdlib.h>

struct wzp_lab_timeline {
    wzp_lab_timeline_cfg cfg;
    wzp_sim_clock clock;
};

static const wzp_sim_link_cfg *described(const wzp_lab_scenario *s, const wzp_lab_target *t) {
    if (t->kind == WZP_LAB_TARGET_CORE) {
        return s->pairs[t->index].links;
    }
    return t->of_lan ? s->lans[t->index].way.links : s->hosts[t->index].ways[t->way].links;
}

/* --- links ----------------------------------------------------------------------------------- */

static void cut(wzp_lab_timeline *t, const wzp_lab_event *e, bool down) {
    const size_t link = wzp_lab_topology_link(t->cfg.topology, &e->target);
    for (unsigned d = 0; d < 2; d++) {
        if ((e->target.directions & 1U << d) != 0) {
            t->cfg.fabric->ops->cut(t->cfg.fabric, link, d, down, e->hold);
        }
    }
}

static void set(wzp_lab_timeline *t, const wzp_lab_event *e, const wzp_sim_link_cfg links[2]) {
    const size_t link = wzp_lab_topology_link(t->cfg.topology, &e->target);
    for (unsigned d = 0; d < 2; d++) {
        if ((e->target.directions & 1U << d) != 0) {
            t->cfg.fabric->ops->set(t->cfg.fabric, link, d, &links[d]);
        }
    }
}

static void restore(wzp_lab_timeline *t, const wzp_lab_event *e) {
    cut(t, e, false);
    set(t, e, described(t->cfg.scenario, &e->target));
}

/* --- hosts ----------------------------------------------------------------------------------- */

static void all_down(wzp_lab_timeline *t, const wzp_lab_event *e) {
    wzp_sim_host *host = wzp_lab_topology_host(t->cfg.topology, e->target.index);
    for (unsigned w = 0; w < t->cfg.scenario->hosts[e->target.index].way_count; w++) {
        wzp_sim_host_up(host, w, false);
    }
}

static void moved(wzp_lab_timeline *t, const wzp_lab_event *e) {
    if (t->cfg.moved != NULL) {
        t->cfg.moved(t->cfg.ctx, e->target.index);
    }
}

static void up(wzp_lab_timeline *t, const wzp_lab_event *e, unsigned way, bool is_up) {
    wzp_sim_host_up(wzp_lab_topology_host(t->cfg.topology, e->target.index), way, is_up);
    moved(t, e);
}

/* --- what comes after ------------------------------------------------------------------------- */

static void finish(void *self, void *arg, wzp_time now) {
    wzp_lab_timeline *t = self;
    const wzp_lab_event *e = arg;
    if (e->kind == WZP_LAB_EVENT_CUT) {
        cut(t, e, false);
        t->cfg.told(t->cfg.ctx, e, "restored", now);
    } else if (e->kind == WZP_LAB_EVENT_IF_SWITCH) {
        up(t, e, e->to_way, true);
        t->cfg.told(t->cfg.ctx, e, "up", now);
    } else {
        t->cfg.told(t->cfg.ctx, e, "over", now);
    }
}

static void finish_later(wzp_lab_timeline *t, const wzp_lab_event *e, uint64_t delay,
                         wzp_time now) {
    if (delay > 0) {
        wzp_sim_at(t->clock, now + delay, finish, t, wzp_drop_const(e));
    } else if (e->kind == WZP_LAB_EVENT_IF_SWITCH) {
        finish(t, wzp_drop_const(e), now);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void act_on_box(wzp_lab_timeline *t, const wzp_lab_event *e, wzp_time now) {
    wzp_sim_box *box = wzp_lab_topology_box(t->cfg.topology, &e->target);
    wzp_sim_nat *nat = wzp_sim_box_nat(box);
    if (e->kind == WZP_LAB_EVENT_REBOOT) {
        wzp_sim_box_reboot(box, e->lasts, now);
    } else if (e->kind == WZP_LAB_EVENT_FLUSH) {
        wzp_sim_nat_flush(nat, now);
    } else if (e->kind == WZP_LAB_EVENT_REBIND_PORT) {
        wzp_sim_nat_rebind(nat, now);
    } else if (e->kind == WZP_LAB_EVENT_EXPIRE) {
        wzp_sim_nat_expire(nat, now);
    } else if (wzp_lab_topology_renumber(t->cfg.topology, &e->target, &e->to, now) != WZP_OK) {
        t->cfg.told(t->cfg.ctx, e, "no memory", now);
    }
}

static void act_on_link(wzp_lab_timeline *t, const wzp_lab_event *e) {
    if (e->kind == WZP_LAB_EVENT_CUT) {
        cut(t, e, true);
    } else if (e->kind == WZP_LAB_EVENT_SET) {
        set(t, e, e->links);
    } else {
        restore(t, e);
    }
}

static void act_on_host(wzp_lab_timeline *t, const wzp_lab_event *e, wzp_time now) {
    if (e->kind == WZP_LAB_EVENT_IF_SWITCH) {
        all_down(t, e);
    } else if (e->kind == WZP_LAB_EVENT_RENUMBER) {
        if (wzp_lab_topology_readdress(t->cfg.topology, &e->target, &e->to) != WZP_OK) {
            t->cfg.told(t->cfg.ctx, e, "no memory", now);
        }
        moved(t, e);
    } else if (e->kind == WZP_LAB_EVENT_LEAVE) {
        t->cfg.leave(t->cfg.ctx, e->target.index);
    } else if (e->kind == WZP_LAB_EVENT_LOSE_SIGNALS) {
        if (t->cfg.lose != NULL) {
            t->cfg.lose(t->cfg.ctx, e->target.index);
        }
    } else if (e->kind == WZP_LAB_EVENT_ABUSE) {
        if (t->cfg.abuse != NULL) {
            t->cfg.abuse(t->cfg.ctx, e->target.index);
        }
    } else {
        up(t, e, e->target.way, e->kind == WZP_LAB_EVENT_IF_UP);
    }
}

static void act_on_relay(wzp_lab_timeline *t, const wzp_lab_event *e, wzp_time now) {
    if (t->cfg.relays == NULL) {
        return; /* whoever is told has them elsewhere */
    }
    wzp_sim_relay_host *relay = t->cfg.relays[e->target.index];
    if (e->kind == WZP_LAB_EVENT_RESTART_RELAY) {
        wzp_sim_relay_host_restart(relay, now, e->lasts);
    } else {
        wzp_sim_relay_host_kill(relay);
    }
}

static void act(wzp_lab_timeline *t, const wzp_lab_event *e, wzp_time now) {
    switch (e->target.kind) {
    case WZP_LAB_TARGET_BOX:
        act_on_box(t, e, now);
        break;
    case WZP_LAB_TARGET_ACCESS:
    case WZP_LAB_TARGET_CORE:
        act_on_link(t, e);
        break;
    case WZP_LAB_TARGET_HOST:
        act_on_host(t, e, now);
        break;
    case WZP_LAB_TARGET_RELAY:
        act_on_relay(t, e, now);
        break;
    case WZP_LAB_TARGET_NONE:
        break;
    }
}

static void happen(void *self, void *arg, wzp_time now) {
    wzp_lab_timeline *t = self;
    const wzp_lab_event *e = arg;
    if (e->kind != WZP_LAB_EVENT_MARK) {
        act(t, e, now);
    }
    t->cfg.told(t->cfg.ctx, e, wzp_lab_event_word((wzp_lab_event_kind)e->kind), now);
    finish_later(t, e, e->kind == WZP_LAB_EVENT_IF_SWITCH ? e->gap : e->lasts, now);
    if (e->every != 0 && now + e->every <= t->cfg.start + e->until) {
        wzp_sim_at(t->clock, now + e->every, happen, t, arg);
    }
}

wzp_lab_timeline *wzp_lab_timeline_new(const wzp_lab_timeline_cfg *cfg) {
    wzp_lab_timeline *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->cfg = *cfg;
    t->clock = cfg->fabric->ops->clock(cfg->fabric);
    for (size_t i = 0; i < cfg->scenario->event_count; i++) {
        wzp_lab_event *e = &cfg->scenario->events[i];
        wzp_sim_at(t->clock, cfg->start + e->at, happen, t, e);
    }
    return t;
}

void wzp_lab_timeline_free(wzp_lab_timeline **timeline) {
    free(*timeline);
    *timeline = NULL;
}
