/* Filters against the fields of a message. */
#include "tools/pcap/tree/filter_internal.h"

static int order(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int order_bytes(wzp_bytes a, wzp_bytes b) {
    const size_t common = a.len < b.len ? a.len : b.len;
    const int first = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return first != 0 ? first : order(a.len, b.len);
}

/* 0: inside the network of the value. */
static int order_addr(const wzp_addr *addr, const wzp_pcap_filter_value *value) {
    const unsigned whole = value->prefix / 8;
    const unsigned bits = value->prefix % 8;
    const uint8_t mask = (uint8_t)(0xff00u >> bits);
    if (addr->family != value->addr.family || memcmp(addr->ip, value->addr.ip, whole) != 0) {
        return 1;
    }
    return bits > 0 && ((addr->ip[whole] ^ value->addr.ip[whole]) & mask) != 0;
}

static int compare(const wzp_pcap_field *field, const wzp_pcap_filter_value *value) {
    switch (wzp_pcap_field_info_of(field->id)->type) {
    case WZP_PCAP_TYPE_HEAD:
        return 1;
    case WZP_PCAP_TYPE_UINT:
    case WZP_PCAP_TYPE_BOOL:
    case WZP_PCAP_TYPE_TIME:
        return order(field->u.number, value->number);
    case WZP_PCAP_TYPE_BYTES:
    case WZP_PCAP_TYPE_TEXT:
        return order_bytes(field->u.bytes, value->bytes);
    case WZP_PCAP_TYPE_IP:
        return order_addr(field->u.addr, value);
    }
    return 1;
}

/* The needle is at most a filter long. */
static bool contains(wzp_bytes hay, wzp_bytes needle) {
    if (needle.len == 0) {
        return true;
    }
    while (hay.len >= needle.len) {
        const uint8_t *first = memchr(hay.data, needle.data[0], hay.len - needle.len + 1);
        if (first == NULL) {
            return false;
        }
        if (memcmp(first, needle.data, needle.len) == 0) {
            return true;
        }
        hay.len -= (size_t)(first - hay.data) + 1;
        hay.data = first + 1;
    }
    return false;
}

static bool holds(const wzp_pcap_filter *filter, const wzp_pcap_filter_node *node,
                  const wzp_pcap_field *field) {
    const wzp_pcap_filter_value *value = &filter->values[node->value];
    switch (node->op) {
    case WZP_PCAP_OP_EQ:
        return compare(field, value) == 0;
    case WZP_PCAP_OP_NE:
        return compare(field, value) != 0;
    case WZP_PCAP_OP_LT:
        return compare(field, value) < 0;
    case WZP_PCAP_OP_LE:
        return compare(field, value) <= 0;
    case WZP_PCAP_OP_GT:
        return compare(field, value) > 0;
    case WZP_PCAP_OP_GE:
        return compare(field, value) >= 0;
    case WZP_PCAP_OP_CONTAINS:
        return contains(field->u.bytes, value->bytes);
    case WZP_PCAP_OP_IN:
        for (uint16_t i = 0; i < node->value_count; i++) {
            if (compare(field, &value[i]) == 0) {
                return true;
            }
        }
        return false;
    case WZP_PCAP_OP_PRESENT:
        return true;
    case WZP_PCAP_OP_NOT:
    case WZP_PCAP_OP_AND:
    case WZP_PCAP_OP_OR:
        break;
    }
    return false;
}

/* Any value will do, but for != all must differ; without the field no test holds. */
static bool test(const wzp_pcap_filter *filter, const wzp_pcap_filter_node *node,
                 const wzp_pcap_tree *tree) {
    bool found = false;
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->list[i].id != node->field) {
            continue;
        }
        const bool one = holds(filter, node, &tree->list[i]);
        if (node->op != WZP_PCAP_OP_NE && one) {
            return true;
        }
        if (node->op == WZP_PCAP_OP_NE && !one) {
            return false;
        }
        found = true;
    }
    return found && node->op == WZP_PCAP_OP_NE;
}

/* NOLINTBEGIN(misc-no-recursion): bounded by WZP_PCAP_FILTER_NODES_MAX. */
/* Nodes point to earlier ones only, parts of a chain of && or || too: no deeper than the filter
 * has nodes. */
static bool matches(const wzp_pcap_filter *filter, uint16_t at, const wzp_pcap_tree *tree) {
    const wzp_pcap_filter_node *node = &filter->nodes[at];
    switch (node->op) {
    case WZP_PCAP_OP_NOT:
        return !matches(filter, node->left, tree);
    case WZP_PCAP_OP_AND:
        return matches(filter, node->left, tree) && matches(filter, node->right, tree);
    case WZP_PCAP_OP_OR:
        return matches(filter, node->left, tree) || matches(filter, node->right, tree);
    default:
        return test(filter, node, tree);
    }
}

/* NOLINTEND(misc-no-recursion) */

bool wzp_pcap_filter_matches(const wzp_pcap_filter *filter, const wzp_pcap_tree *tree) {
    return filter->empty || matches(filter, filter->root, tree);
}
