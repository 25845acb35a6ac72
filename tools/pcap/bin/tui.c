#include "tools/pcap/bin/tui.h"

#ifdef WZP_HAVE_NCURSES
#include <curses.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/sys.h"

enum { HEAD_LINES = 3, NAME_COLUMNS = 18 };
enum { FINE = 1, POOR, BAD }; /* pairs of colours */

static SCREEN *screen;

/* Where columns begin: all fit into 80. */
enum {
    AT_NAME = 4,
    AT_CODEC = 23,
    AT_PACKETS = 33,
    AT_LOSS = 42,
    AT_JITTER = 49,
    AT_SWITCHES = 59,
    AT_DURATION = 69
};

bool wzp_pcap_tui_open(void) {
    const char *kind = wzp_io_env("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || kind == NULL || *kind == '\0') {
        return false;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads the locale */
    (void)setlocale(LC_CTYPE, "");
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) {
        return false;
    }
    (void)raw(); /* Ctrl-C is a key like q: nothing is left undone */
    (void)noecho();
    (void)nodelay(stdscr, TRUE);
    (void)keypad(stdscr, TRUE);
    (void)curs_set(0);
    if (has_colors() && wzp_io_env("NO_COLOR") == NULL) {
        (void)start_color();
        (void)use_default_colors();
        (void)init_pair(FINE, COLOR_GREEN, -1);
        (void)init_pair(POOR, COLOR_YELLOW, -1);
        (void)init_pair(BAD, COLOR_RED, -1);
    }
    return true;
}

static void draw_row(int line, const wzp_pcap_row_shown *row) {
    const int seconds = (int)row->duration_s;
    char name[NAME_COLUMNS + 1];
    wzp_pcap_printable(name, sizeof name, wzp_bytes_str(row->name));
    const int pair = row->health == WZP_PCAP_BAD ? BAD : row->health == WZP_PCAP_POOR ? POOR : FINE;
    (void)attron(COLOR_PAIR(pair));
    (void)mvprintw(line, 0, "%3u", row->number);
    (void)mvprintw(line, AT_NAME, "%s", name);
    (void)mvprintw(line, AT_CODEC, "%-9.9s", row->codec);
    (void)mvprintw(line, AT_PACKETS, "%8" PRIu64, row->packets);
    (void)mvprintw(line, AT_LOSS, "%6.2f", row->loss_percent);
    (void)mvprintw(line, AT_JITTER, "%6.1f ms", row->jitter_ms);
    (void)mvprintw(line, AT_SWITCHES, "%8" PRIu64, row->switches);
    (void)mvprintw(line, AT_DURATION, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                   seconds % 60);
    (void)attroff(COLOR_PAIR(pair));
}

static void draw_head(const wzp_pcap_tui_head *head) {
    (void)attron(A_BOLD);
    (void)mvprintw(0, 0, "room %.40s at %.60s: %s", head->room, head->relay, head->state);
    (void)attroff(A_BOLD);
    (void)mvprintw(1, 0,
                   "%zu participants, %" PRIu64 " packets, %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                   head->present, head->packets, head->seconds / 3600, head->seconds / 60 % 60,
                   head->seconds % 60);
    (void)attron(A_UNDERLINE);
    (void)mvprintw(HEAD_LINES - 1, 0, "%s",
                   "  # Name               Codec      Packets  Loss%    Jitter Switches  Duration");
    (void)attroff(A_UNDERLINE);
}

void wzp_pcap_tui_draw(const wzp_pcap_tui_head *head, const wzp_pcap_row_shown *rows,
                       size_t count) {
    const int lines = getmaxy(stdscr);
    int line = HEAD_LINES;
    (void)erase();
    draw_head(head);
    for (size_t i = 0; i < count && line < lines - 1; i++) {
        draw_row(line++, &rows[i]);
    }
    (void)mvprintw(lines - 1, 0, "q quits");
    (void)refresh();
}

bool wzp_pcap_tui_is_quit(void) {
    bool quit = false;
    for (int key; screen != NULL && (key = getch()) != ERR;) {
        quit = quit || key == 'q' || key == 'Q' || key == 3;
    }
    return quit;
}

void wzp_pcap_tui_close(void) {
    if (screen != NULL) {
        (void)endwin();
        delscreen(screen);
        screen = NULL;
    }
}
#else
bool wzp_pcap_tui_open(void) {
    return false;
}

void wzp_pcap_tui_draw(const wzp_pcap_tui_head *head, const wzp_pcap_row_shown *rows,
                       size_t count) {
    (void)head;
    (void)rows;
    (void)count;
}

bool wzp_pcap_tui_is_quit(void) {
    return false;
}

void wzp_pcap_tui_close(void) {
}
#endif
