/* What one relay worker lets its peers use.  Every limit has a counter in the metrics. */
#ifndef WZP_RELAY_LIMITS_H
#define WZP_RELAY_LIMITS_H

#include "base/time.h"

#define WZP_LIMIT_SESSIONS 100         /* media sessions, default of --max-sessions */
#define WZP_LIMIT_ALIAS 64             /* bytes of UTF-8 shown to others; longer ones are cut */
#define WZP_LIMIT_CALL_ROOM 2          /* members of a call- room */
#define WZP_LIMIT_SIGNAL_CLIENTS 16384 /* registered at once */
#define WZP_LIMIT_PRESENCE_BYTES (10U << 20) /* of a list to all; longer ones are cut */
#define WZP_LIMIT_PRESENCE_RATE (10U << 20)  /* bytes per second that lists may cost ... */
#define WZP_LIMIT_PRESENCE_BURST (16U << 20) /* ... and while one is on its way to all */
#define WZP_LIMIT_UPDATE_RATE (10U << 20)    /* bytes per second of RoomUpdates in one room, ... */
#define WZP_LIMIT_UPDATE_FREE (256U << 10)   /* ... of those that are longer than this for all */
#define WZP_LIMIT_RELAYS 64                  /* available_relays */
#define WZP_LIMIT_CALLS 16384                /* direct calls at once */
#define WZP_LIMIT_CLIENT_CALLS 16            /* of one client */
#define WZP_LIMIT_CALL_SIGNAL 16384          /* bytes of a signal that is passed on */
#define WZP_LIMIT_CALL_RATE 100              /* signals per second that one client has passed on */
#define WZP_LIMIT_REFLECT_RATE 10            /* per second and connection */
#define WZP_LIMIT_DIRECTIVE_RATE 10          /* QualityDirectives per second in one room */
#define WZP_LIMIT_KEYFRAME 200000            /* payload bytes of one cached keyframe */
#define WZP_LIMIT_KEYFRAME_STREAMS 4         /* cached streams of one sender */
#define WZP_LIMIT_STREAM_OWNERS 256          /* per room: one per stream id */
#define WZP_LIMIT_AUTH_PENDING 256           /* tokens that the service is asked about at once */
#define WZP_LIMIT_TOKEN 4096                 /* bytes of one token */
#define WZP_LIMIT_HELD 8                     /* signals that wait for the service's answer ... */
#define WZP_LIMIT_HELD_BYTES 65536           /* ... and their bytes, of one connection */
#define WZP_LIMIT_EVENTS 1024                /* queued for the event log */
#define WZP_LIMIT_BRIDGE_GUESTS 1024         /* WebSockets at once */
#define WZP_LIMIT_BRIDGE_QUEUE 64            /* frames that wait for one of them */
#define WZP_LIMIT_BRIDGE_RATE 200            /* frames per second of one; 50 are a voice */
#define WZP_LIMIT_ACCOUNTS 8192    /* of fingerprints, and as many of addresses (meter/quota.h) */
#define WZP_LIMIT_OFFENCES 256     /* that wait to be told to the other workers */
#define WZP_LIMIT_TAP_PACKETS 1000 /* lines per second of the debug tap about packets ... */
#define WZP_LIMIT_TAP_OTHERS 200   /* ... and about everything else */

#define WZP_TIMER_OFFER (10 * WZP_S)    /* CallOffer after the QUIC handshake */
#define WZP_TIMER_TOKEN (10 * WZP_S)    /* AuthToken after the QUIC handshake */
#define WZP_TIMER_AUTH (5 * WZP_S)      /* for the service's answer */
#define WZP_TIMER_REGISTER (10 * WZP_S) /* RegisterPresence */
#define WZP_TIMER_RING (60 * WZP_S)     /* until a direct call is answered, default */
#define WZP_TIMER_HELLO (5 * WZP_S)     /* FederationHello */
#define WZP_TIMER_VERSION (100 * WZP_MS)
#define WZP_TIMER_MISMATCH (500 * WZP_MS) /* for the acknowledgement of a last signal */
#define WZP_TIMER_POLICY (250 * WZP_MS)
#define WZP_TIMER_PRESENCE WZP_S              /* the longest that a change waits for its list */
#define WZP_TIMER_PRESENCE_STEP WZP_MS        /* so much of a burst at once */
#define WZP_TIMER_PRESENCE_STUCK (10 * WZP_S) /* ... or until most have the one before */
#define WZP_TIMER_PLI (200 * WZP_MS)
#define WZP_TIMER_LAYER (3 * WZP_S)

#endif
