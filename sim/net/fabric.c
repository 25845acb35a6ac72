#include "sim/net/fabric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *wzp_sim_interface_name(const wzp_sim_end *end) {
    const size_t cap = strlen(end->node->name) + sizeof ":4294967295";
    char *name = malloc(cap);
    if (name != NULL) {
        (void)snprintf(name, cap, "%s:%u", end->node->name, end->port);
    }
    return name;
}

char *wzp_sim_way_name(const char *link, const wzp_sim_end *from, const wzp_sim_end *to) {
    const size_t cap = strlen(link) + strlen(from->node->name) + strlen(to->node->name) + 4;
    char *name = malloc(cap);
    if (name != NULL) {
        (void)snprintf(name, cap, "%s %s->%s", link, from->node->name, to->node->name);
    }
    return name;
}
