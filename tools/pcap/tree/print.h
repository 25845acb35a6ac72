/* Messages as people and scripts read them. */
#ifndef WZP_PCAP_TREE_PRINT_H
#define WZP_PCAP_TREE_PRINT_H

#include "tools/pcap/tree/fields.h"
#include "tools/pcap/tree/text.h"

/* One line.  Does not need a tree. */
void wzp_pcap_print_line(wzp_pcap_text *out, const wzp_pcap_message *message, uint64_t first_ns);

/* All fields, indented, with the bytes that they are of; an empty line at the end. */
void wzp_pcap_print_tree(wzp_pcap_text *out, const wzp_pcap_tree *tree);

/* One line: an object with a member for each field; one that occurs more often has a list. */
void wzp_pcap_print_json(wzp_pcap_text *out, const wzp_pcap_tree *tree);

/* One line; several values of a field are joined by commas, and quoted. */
void wzp_pcap_print_csv(wzp_pcap_text *out, const wzp_pcap_tree *tree, const unsigned *columns,
                        size_t count);
void wzp_pcap_print_csv_head(wzp_pcap_text *out, const unsigned *columns, size_t count);

#endif
