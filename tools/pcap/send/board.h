/* What an observer of a room shows: the participants, and one row for each stream that he hears.
 *
 * Media headers do not say who sends.  A stream is one's of those who were in the room when it
 * began and have no other stream of its kind; with one such its name is sure, otherwise all of
 * them are named.  Figures are those of flow.h.  Sans-IO. */
#ifndef WZP_PCAP_SEND_BOARD_H
#define WZP_PCAP_SEND_BOARD_H

#include "tools/pcap/flow/flow.h"
#include "wire/signal.h"

enum { WZP_PCAP_PEOPLE_MAX = 64, WZP_PCAP_PERSON_NAME = 64, WZP_PCAP_SHOWN_MAX = 64 };

/* Who came shortly after his media is told later than they. */
#define WZP_PCAP_BOARD_ANNOUNCE (2 * WZP_S)

typedef struct wzp_pcap_person {
    char fingerprint[WZP_PCAP_PERSON_NAME];
    char name[WZP_PCAP_PERSON_NAME]; /* printable; the fingerprint's beginning if there is no alias
                                      */
    uint64_t came_ns, left_ns;       /* left_ns 0: still there */
} wzp_pcap_person;

typedef struct wzp_pcap_board {
    char own[WZP_PCAP_PERSON_NAME]; /* our fingerprint: not one of the people */
    wzp_pcap_person people[WZP_PCAP_PEOPLE_MAX];
    size_t people_count, present; /* present: who is there now, we included */
    uint64_t unnamed;             /* people for whom there was no room */
} wzp_pcap_board;

void wzp_pcap_board_init(wzp_pcap_board *board, const char *own_fingerprint);

/* The room's list, as it is now. */
void wzp_pcap_board_room(wzp_pcap_board *board, const wzp_signal_RoomUpdate *update, uint64_t ns);

typedef enum wzp_pcap_health { WZP_PCAP_FINE, WZP_PCAP_POOR, WZP_PCAP_BAD } wzp_pcap_health;

typedef struct wzp_pcap_row_shown {
    uint32_t number;
    char name[3 * WZP_PCAP_PERSON_NAME]; /* "anna", "anna or bert", "?" */
    bool sure;
    const char *codec; /* static */
    uint64_t packets, switches;
    double loss_percent, jitter_ms, duration_s;
    wzp_pcap_health health; /* POOR above 1 % of loss, BAD above 5 % */
} wzp_pcap_row_shown;

/* Fills rows[WZP_PCAP_SHOWN_MAX] in the order of the streams; returns how many. */
size_t wzp_pcap_board_rows(const wzp_pcap_board *board, const wzp_pcap_flow *flow,
                           wzp_pcap_row_shown *rows);

/* What of a text can be shown on a terminal: controls and what is no UTF-8 become '?'. */
void wzp_pcap_printable(char *out, size_t cap, wzp_bytes text);

#endif
