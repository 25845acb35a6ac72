/* The observer's table on a terminal. */
#ifndef WZP_PCAP_BIN_TUI_H
#define WZP_PCAP_BIN_TUI_H

#include "tools/pcap/send/board.h"

typedef struct wzp_pcap_tui_head {
    const char *room, *relay; /* printable */
    size_t present;
    uint64_t packets, seconds;
    const char *state; /* "joining", "in the room" */
} wzp_pcap_tui_head;

/* False: there is no terminal that could do it, or this program was built without ncurses. */
bool wzp_pcap_tui_open(void);
void wzp_pcap_tui_draw(const wzp_pcap_tui_head *head, const wzp_pcap_row_shown *rows, size_t count);
/* The user wants to end it: q or Ctrl-C.  Takes what was typed. */
bool wzp_pcap_tui_is_quit(void);
/* The terminal is as it was.  Twice is harmless. */
void wzp_pcap_tui_close(void);

#endif
