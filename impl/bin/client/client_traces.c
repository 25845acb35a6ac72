#include "bin/client/client_traces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bin/client/client_output.h"
#include "io/sys.h"
#include "wzp_version.h"

static struct {
    wzp_traces *traces;
    wzp_capture *capture;
} open_ones;

/* The options name what could not be opened. */
static int explain(const char *path) {
    return wzp_client_complain(WZP_CLIENT_UNREADABLE, path, wzp_io_reason(errno));
}

static void warn(const char *path) {
    if (path != NULL) {
        (void)wzp_client_complain(0, path, "secrets are written: who has them can listen in");
    }
}

static bool is_wzp(const char *path) {
    const size_t len = path != NULL ? strlen(path) : 0;
    return len > 4 && strcmp(path + len - 4, ".wzp") == 0;
}

/* The room of a call is not known yet. */
static int open_capture(wzp_client_options *o) {
    const bool media_alone = is_wzp(o->capture);
    const wzp_capture_cfg cfg = {.path = o->capture,
                                 .form = media_alone ? WZP_CAPTURE_WZP : WZP_CAPTURE_PCAPNG,
                                 .room = o->command == WZP_CLIENT_JOIN ? o->room : NULL,
                                 .relay = o->relay,
                                 .program = "wzp-client " WZP_VERSION " (" WZP_BUILD_HASH ")",
                                 .lanes = 1};
    if (wzp_capture_open(&open_ones.capture, &cfg) != WZP_OK) {
        return explain(o->capture);
    }
    wzp_capture_lane *lane = wzp_capture_lane_of(open_ones.capture, 0);
    if (media_alone) {
        o->media_lane = lane;
    } else {
        o->lane = lane;
        wzp_traces_capture(open_ones.traces, lane);
    }
    return 0;
}

int wzp_client_traces_open(wzp_client_options *o) {
    const wzp_traces_cfg cfg = {.name = "client",
                                .keylog = o->keylog,
                                .media_keys = o->media_keys,
                                .qlog_dir = o->qlog_dir};
    const char *bad = "traces";
    if (is_wzp(o->capture) && o->command != WZP_CLIENT_JOIN && o->command != WZP_CLIENT_CALL &&
        o->command != WZP_CLIENT_LISTEN) {
        return wzp_client_complain(WZP_CLIENT_USAGE, o->capture,
                                   "media packets alone are for join, call and listen");
    }
    if (wzp_traces_open(&open_ones.traces, &cfg, &bad) != WZP_OK) {
        return explain(bad);
    }
    o->traces = open_ones.traces;
    const int code = o->capture != NULL ? open_capture(o) : 0;
    if (code == 0) {
        warn(o->keylog);
        warn(o->media_keys);
        warn(o->lane != NULL ? o->capture : NULL);
    }
    return code;
}

static void close_capture(const wzp_client_options *o) {
    wzp_capture_counters n;
    wzp_capture_finish(open_ones.capture);
    wzp_capture_count(open_ones.capture, &n);
    if (n.error != 0) {
        (void)wzp_client_complain(0, o->capture, wzp_io_reason(n.error));
    }
    if (!o->quiet || n.dropped + n.secrets_lost > 0) {
        wzp_client_say("wzp-client: %s: %llu packets, %llu dropped, %llu secrets lost\n",
                       o->capture, (unsigned long long)n.packets, (unsigned long long)n.dropped,
                       (unsigned long long)n.secrets_lost);
    }
    wzp_capture_close(&open_ones.capture);
}

void wzp_client_traces_close(const wzp_client_options *o) {
    if (open_ones.traces != NULL && wzp_traces_lost(open_ones.traces) > 0) {
        (void)wzp_client_complain(0, "traces", "not all of them could be written");
    }
    wzp_traces_close(&open_ones.traces);
    if (open_ones.capture != NULL) {
        close_capture(o);
    }
}
