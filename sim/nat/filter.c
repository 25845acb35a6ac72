/* Permissions: which remotes may answer (nat sheet 2.3; RFC 4787, 5). */
#include "sim/nat/state.h"

static wzp_sim_nat_perm *perm_at(const wzp_sim_nat *nat, uint32_t p) {
    return wzp_sim_nat_table_at(&nat->perms, p);
}

static uint32_t hash_perm(uint32_t of, const wzp_addr *remote) {
    return wzp_sim_nat_fold(wzp_sim_nat_mix_addr(of, remote));
}

uint32_t wzp_sim_nat_perm_find(const wzp_sim_nat *nat, uint32_t of, const wzp_addr *remote) {
    uint32_t p = wzp_sim_nat_index_first(&nat->perms, 0, hash_perm(of, remote));
    while (p != 0 &&
           !(perm_at(nat, p)->of == of && wzp_addr_equal(&perm_at(nat, p)->remote, remote))) {
        p = wzp_sim_nat_index_next(&nat->perms, 0, p);
    }
    return p;
}

static void age(wzp_sim_nat *nat, uint32_t p) {
    perm_at(nat, p)->last = nat->now;
    if (nat->cfg.t_filter > 0) {
        wzp_sim_nat_list_append(&nat->perms, BY_AGE, &nat->perm_queue, p);
        wzp_sim_nat_due_at(nat, wzp_time_after(wzp_time_after(nat->now, nat->cfg.t_filter), 1));
    }
}

bool wzp_sim_nat_perm_add(wzp_sim_nat *nat, uint32_t of, wzp_sim_nat_list *list,
                          const wzp_addr *remote) {
    uint32_t p = wzp_sim_nat_perm_find(nat, of, remote);
    if (p != 0) {
        if (nat->cfg.t_filter > 0) {
            wzp_sim_nat_list_cut(&nat->perms, BY_AGE, &nat->perm_queue, p);
            age(nat, p);
        }
        return true;
    }
    p = wzp_sim_nat_table_take(&nat->perms);
    if (p == 0) {
        return false;
    }
    perm_at(nat, p)->of = of;
    perm_at(nat, p)->remote = *remote;
    wzp_sim_nat_index_put(&nat->perms, 0, p, hash_perm(of, remote));
    wzp_sim_nat_list_append(&nat->perms, OF_MAPPING, list, p);
    age(nat, p);
    return true;
}

static void drop(wzp_sim_nat *nat, wzp_sim_nat_list *list, uint32_t p) {
    if (nat->cfg.t_filter > 0) {
        wzp_sim_nat_list_cut(&nat->perms, BY_AGE, &nat->perm_queue, p);
    }
    wzp_sim_nat_list_cut(&nat->perms, OF_MAPPING, list, p);
    wzp_sim_nat_index_cut(&nat->perms, 0, p);
    wzp_sim_nat_table_give(&nat->perms, p);
}

void wzp_sim_nat_perms_drop(wzp_sim_nat *nat, wzp_sim_nat_list *list) {
    while (list->head != 0) {
        drop(nat, list, list->head);
    }
}

static void drop_oldest(wzp_sim_nat *nat) {
    const uint32_t p = nat->perm_queue.head;
    drop(nat, wzp_sim_nat_perms_of(nat, perm_at(nat, p)->of), p);
}

void wzp_sim_nat_perms_sweep(wzp_sim_nat *nat) {
    const uint64_t timeout = nat->cfg.t_filter;
    while (nat->perm_queue.head != 0) {
        const wzp_time last = perm_at(nat, nat->perm_queue.head)->last;
        if (wzp_time_since(nat->now, last) <= timeout) {
            wzp_sim_nat_due_at(nat, wzp_time_after(wzp_time_after(last, timeout), 1));
            return;
        }
        drop_oldest(nat);
    }
}

void wzp_sim_nat_perms_expire(wzp_sim_nat *nat) {
    while (nat->perm_queue.head != 0) {
        drop_oldest(nat);
    }
}

/* A flow needs none, and who admits everybody keeps none. */
static bool keeps_perms(const wzp_sim_nat *nat) {
    return !nat->cfg.overload && nat->cfg.filtering != WZP_SIM_NAT_ANY;
}

/* Most mappings serve only the remote that they were made for: without a timer of its own, that
 * one's permission is the mapping itself. */
static bool is_implied(const wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote) {
    return nat->cfg.t_filter == 0 &&
           wzp_sim_nat_alike(&wzp_sim_nat_mapping_at(nat, m)->remote, remote, nat->cfg.filtering);
}

bool wzp_sim_nat_permit(wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote) {
    if (!keeps_perms(nat) || is_implied(nat, m, remote)) {
        return true;
    }
    const wzp_addr key = wzp_sim_nat_masked(remote, nat->cfg.filtering);
    return wzp_sim_nat_perm_add(nat, m, &wzp_sim_nat_mapping_at(nat, m)->perms, &key);
}

bool wzp_sim_nat_permitted(const wzp_sim_nat *nat, uint32_t m, const wzp_addr *remote) {
    if (!keeps_perms(nat) || is_implied(nat, m, remote)) {
        return true;
    }
    const wzp_addr key = wzp_sim_nat_masked(remote, nat->cfg.filtering);
    return wzp_sim_nat_perm_find(nat, m, &key) != 0;
}
