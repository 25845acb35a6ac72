/* What a compiled filter is. */
#ifndef WZP_PCAP_TREE_FILTER_INTERNAL_H
#define WZP_PCAP_TREE_FILTER_INTERNAL_H

#include "tools/pcap/tree/filter.h"

typedef enum wzp_pcap_filter_op {
    WZP_PCAP_OP_PRESENT,
    WZP_PCAP_OP_EQ,
    WZP_PCAP_OP_NE,
    WZP_PCAP_OP_LT,
    WZP_PCAP_OP_LE,
    WZP_PCAP_OP_GT,
    WZP_PCAP_OP_GE,
    WZP_PCAP_OP_CONTAINS,
    WZP_PCAP_OP_IN,
    WZP_PCAP_OP_NOT,
    WZP_PCAP_OP_AND,
    WZP_PCAP_OP_OR
} wzp_pcap_filter_op;

typedef struct wzp_pcap_filter_value {
    uint64_t number;
    wzp_bytes bytes; /* in the filter's pool */
    wzp_addr addr;
    uint8_t prefix; /* bits of addr that count */
} wzp_pcap_filter_value;

typedef struct wzp_pcap_filter_node {
    wzp_pcap_filter_op op;
    uint16_t left, right; /* nodes: NOT has left, AND and OR have both */
    uint16_t field;
    uint16_t value, value_count; /* values of the test, one after the other */
} wzp_pcap_filter_node;

struct wzp_pcap_filter {
    size_t node_count, value_count, pool_len;
    uint16_t root;
    bool empty;
    wzp_pcap_filter_node nodes[WZP_PCAP_FILTER_NODES_MAX];
    wzp_pcap_filter_value values[WZP_PCAP_FILTER_VALUES_MAX];
    uint8_t pool[WZP_PCAP_FILTER_TEXT_MAX]; /* strings and bytes, never longer than the text */
};

/* From the text of a value to the value, by the field's type; `quoted`: it stood in quotes, whose
 * escapes are resolved.  NULL: taken; otherwise what is wrong. */
const char *wzp_pcap_filter_value_parse(wzp_pcap_filter *filter, unsigned field, wzp_bytes word,
                                        bool quoted, wzp_pcap_filter_value *out);

#endif
