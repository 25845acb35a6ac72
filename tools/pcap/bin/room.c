#include "tools/pcap/bin/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "io/lookup.h"
#include "io/sockaddr.h"
#include "io/sys.h"

enum { GOODBYE_MS = 200 };

static int refuse(const char *target, const char *why) {
    (void)wzp_pcap_complain("%s: %s", target, why);
    return EXIT_USAGE;
}

static int look_up(const char *target, wzp_addr *out) {
    const char *why = "";
    const wzp_lookup_result found = wzp_lookup(target, AF_UNSPEC, out, &why);
    if (found == WZP_LOOKUP_FOUND) {
        return -1;
    }
    const int usage = refuse(target, why);
    return found == WZP_LOOKUP_MALFORMED ? usage : EXIT_UNREACHABLE;
}

static bool is_one_host(const wzp_addr *addr) {
    static const uint8_t all[4] = {255, 255, 255, 255};
    if (addr->port == 0 || wzp_addr_is_any(addr)) {
        return false;
    }
    return addr->family == WZP_ADDR_V4
               ? (addr->ip[0] & 0xf0) != 0xe0 && memcmp(addr->ip, all, 4) != 0
               : addr->ip[0] != 0xff;
}

int wzp_pcap_room_open(wzp_pcap_room *room, const char *target) {
    const int status = look_up(target, &room->relay);
    if (status != -1) {
        return status;
    }
    if (!is_one_host(&room->relay)) {
        return refuse(target, "not the address of one host");
    }
    room->local = (wzp_addr){.family = room->relay.family};
    if (wzp_addr_is_loopback(&room->relay) && room->relay.family == WZP_ADDR_V4) {
        room->local = wzp_addr_v4(127, 0, 0, 1, 0);
    }
    if (wzp_udp_open(&room->udp, &room->local, false) != WZP_OK) {
        (void)wzp_pcap_complain("socket: %s", wzp_io_reason(errno));
        return EXIT_UNREACHABLE;
    }
    room->local = wzp_udp_local(room->udp);
    return -1;
}

static void on_turn(void *ctx, wzp_time now) {
    const wzp_pcap_room *room = ctx;
    if (room->turn != NULL) {
        room->turn(room->ctx, now);
    }
}

/* A second one does not wait. */
static void on_signal(uv_signal_t *signal, int number) {
    wzp_pcap_room *room = signal->data;
    (void)number;
    if (room->ends) {
        uv_stop(&room->loop);
    } else if (room->interrupted != NULL) {
        room->interrupted(room->ctx);
        wzp_drive_kick(&room->drive);
    }
}

static void on_goodbye(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

void wzp_pcap_room_end(wzp_pcap_room *room) {
    if (!room->ends) {
        room->ends = true;
        uv_timer_start(&room->goodbye, on_goodbye, GOODBYE_MS, 0);
    }
}

int wzp_pcap_room_run(wzp_pcap_room *room, wzp_core core) {
    static const int numbers[] = {SIGINT, SIGTERM};
    if (uv_loop_init(&room->loop) != 0) {
        (void)wzp_pcap_complain("no event loop");
        return EXIT_UNREACHABLE;
    }
    room->has_loop = true;
    uv_timer_init(&room->loop, &room->goodbye);
    for (size_t i = 0; i < WZP_COUNT_OF(numbers); i++) {
        uv_signal_init(&room->loop, &room->signals[i]);
        room->signals[i].data = room;
        uv_signal_start(&room->signals[i], on_signal, numbers[i]);
    }
    room->drive = (wzp_drive){.core = core, .udp = room->udp, .after = on_turn, .ctx = room};
    if (wzp_drive_start(&room->drive, &room->loop) != WZP_OK) {
        (void)wzp_pcap_complain("no timer: %s", wzp_io_reason(errno));
        return EXIT_UNREACHABLE;
    }
    if (room->started != NULL) {
        room->started(room->ctx);
    }
    uv_run(&room->loop, UV_RUN_DEFAULT);
    wzp_drive_stop(&room->drive);
    return -1;
}

static void close_handle(uv_handle_t *handle, void *ctx) {
    (void)ctx;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void wzp_pcap_room_close(wzp_pcap_room *room) {
    if (room->has_loop) {
        uv_walk(&room->loop, close_handle, NULL);
        uv_run(&room->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&room->loop);
        room->has_loop = false;
    }
    wzp_udp_close(&room->udp);
}
