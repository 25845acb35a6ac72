/* How much a client's sender says: it follows quality reports, its own path, directives of the
 * relay and what peers agree on, and decides the codec of the next frame (media sheet 4.7, 5, 9.5).
 *
 *   reports of others --> controller --+
 *   our own ------------> controller --+ the lower
 *   QualityDirective, Upgrade* -------------------+--> agreement --> codec
 *
 * Deployed clients have one controller for both kinds of reports: good ones of a peer then forgive
 * bad ones of our own path, and three in a row never come together.
 *
 * A directive is obeyed at once, up or down, whatever our own path is known for: it is mandatory
 * (media sheet 9.5).  Deployed controllers do not notice one, so that bad reports of what it called
 * for change nothing; here both go on from its tier, and may then differ from it.
 *
 * What our own reports have called too much is not climbed to again for WZP_PACE_HOLD, twice as
 * long each time in a row, as long as nobody directs it.  That is not deployed either.
 *
 * Plain struct, no memory; time is an argument. */
#ifndef WZP_CLIENT_PACE_H
#define WZP_CLIENT_PACE_H

#include "adapt/agreement.h"
#include "adapt/bwe.h"
#include "adapt/controller.h"
#include "adapt/dred_tuner.h"
#include "adapt/path_monitor.h"
#include "adapt/reporter.h"
#include "quic/quic.h"

#define WZP_PACE_HOLD (30 * WZP_S)
#define WZP_PACE_OTHERS (10 * WZP_S) /* without reports of others they do not count */
#define WZP_PACE_REMB (2 * WZP_S)
#define WZP_PACE_HOLD_MAX (480 * WZP_S)

typedef struct wzp_pace_cfg {
    wzp_adapt_policy policy;
    bool is_fixed;    /* the user chose the codec */
    uint8_t codec;    /* to begin with */
    uint8_t smallest; /* of the codecs that this client can send: what is less becomes it */
    wzp_network network;
} wzp_pace_cfg;

typedef struct wzp_pace {
    wzp_pace_cfg cfg;
    wzp_controller own, others; /* only `own` is used with the deployed policy */
    wzp_time others_until;      /* so long their controller counts */
    wzp_agreement agreement;
    wzp_reporter reporter;
    wzp_dred_tuner tuner;
    wzp_bwe bwe;
    wzp_time remb_at; /* of the smallest in WZP_PACE_REMB: several receivers may speak */
    wzp_path_monitor path;
    uint64_t latest_rtt; /* the last one that the monitor was given */
    uint64_t received;   /* packets of QUIC, by the last report */
    uint64_t in_time;    /* datagrams sent until acknowledgements were due that did not come */
    uint32_t down_loss_ppm;
    bool handed_off;  /* a round trip was far from the ones before */
    wzp_tier ceiling; /* of our own path: what its controller may climb to */
    wzp_time ceiling_until;
    uint64_t hold; /* the next one's length */
    bool has_setting;
    wzp_dred_setting setting;
} wzp_pace;

/* INVALID_ARGUMENT: `codec` is none of audio. */
WZP_MUST_USE wzp_err wzp_pace_init(wzp_pace *pace, const wzp_pace_cfg *cfg);

/* We are on another kind of network now. */
void wzp_pace_network(wzp_pace *pace, wzp_network network, wzp_time now);

/* What is sent goes by another connection now, whose totals are `stats`: the codec stays what it
 * is, and what the path did before is forgotten. */
void wzp_pace_moved(wzp_pace *pace, const wzp_quic_stats *stats);

/* A packet of somebody else came with this. */
void wzp_pace_report(wzp_pace *pace, const wzp_quality_report *report, wzp_time now);

/* A signal came; those about other things are ignored. */
void wzp_pace_signal(wzp_pace *pace, const wzp_signal *signal, wzp_time now);

/* True if the next frame makes a report: tell how much of what others send was lost since the last
 * one. */
bool wzp_pace_wants_reception(const wzp_pace *pace);
void wzp_pace_reception(wzp_pace *pace, uint32_t loss_ppm);

/* A frame was captured; `stats` are of the connection. */
void wzp_pace_frame(wzp_pace *pace, const wzp_quic_stats *stats, wzp_time now);

/* The codec of the next frame; tell wzp_pace_switched when it is used. */
uint8_t wzp_pace_codec(const wzp_pace *pace);
void wzp_pace_switched(wzp_pace *pace, uint8_t codec);

/* For the packet that is about to be sent: a report, if one waits. */
bool wzp_pace_take_report(wzp_pace *pace, wzp_quality_report *out);

/* For the encoder, if there is news. */
bool wzp_pace_take_setting(wzp_pace *pace, wzp_dred_setting *out);

/* For the peers, if there is something to say; texts are borrowed until the next call. */
bool wzp_pace_next_signal(wzp_pace *pace, wzp_signal *out);

#endif
