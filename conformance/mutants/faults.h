/* Relays broken on purpose: one named fault at a time.
 *
 * The product is not touched: the linker's --wrap puts these functions between the relay's own
 * translation units (see CMakeLists.txt), and a fault decides what each of them does. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_H

#include <stddef.h>

#include "conformance/mutants/faults_federation.h"
#include "conformance/mutants/faults_nat.h"

/* name, what is wrong with the relay, the cases that must notice */
#define WZP_FAULT_MAP(X)                                                                           \
    X(NONE, "healthy", "nothing", "")                                                              \
    X(NO_METER, "no-meter", "nothing is ever enforced", "A-03")                                    \
    X(A_OFF, "no-tier-a", "tier A is not enforced", "A-03")                                        \
    X(B_OFF, "no-tier-b", "tier B is not enforced", "B-04")                                        \
    X(C_OFF, "no-tier-c", "tier C is not enforced", "C-03")                                        \
    X(A_DOUBLE, "tier-a-double", "tier A allows twice as much", "A-03")                            \
    X(A_HALF, "tier-a-half", "tier A allows half as much", "A-02")                                 \
    X(B_HALF, "tier-b-half", "tier B allows half as many packets", "B-03")                         \
    X(C_NARROW, "tier-c-narrow", "tier C refuses its own bounds", "C-02")                          \
    X(DEPLOYED, "deployed-meter", "hangs up on the deployed meter's first violation",              \
      "A-14 B-06 C-16 C-18")                                                                       \
    X(WRONG_CODE, "wrong-code", "says Bitrate and PacketRate the other way round", "A-03")         \
    X(UNTYPED, "untyped-close", "closes without a Hangup", "A-03 G-03")                            \
    X(SILENT, "silent-drop", "drops the offender's packets and says nothing", "A-03")              \
    X(NO_CLOSE, "hangup-no-close", "hangs up and leaves the connection open", "A-03")              \
    X(LATE, "late-hangup", "hangs up five seconds too late", "A-03")                               \
    X(STILL_FORWARDS, "no-stop", "hangs up in words only and goes on forwarding", "A-03")          \
    X(ALTER_PAYLOAD, "altered-payload", "flips a payload bit now and then", "A-02")                \
    X(ALTER_HEADER, "altered-header", "sets K on an audio packet now and then", "A-02 RPL-01")     \
    X(CUT_TRAILER, "cut-trailer", "strips quality reports", "A-25")                                \
    X(DROP_ONE_IN_20, "lossy", "loses one packet in twenty of speech", "A-02 RPL-01")              \
    X(TWICE, "twice", "sends every tenth packet twice", "A-02")                                    \
    X(ECHO, "echo-to-sender", "sends packets back to their sender", "A-02")                        \
    X(SEQ_REWRITE, "rewritten-seq", "numbers packets anew", "A-02")                                \
    X(REORDER, "wrong-fan-out", "leaves out every fiftieth packet for the second member", "A-02")  \
    X(ACCEPT_ANY_VERSION, "accepts-v1", "forwards packets of other versions", "W-03")              \
    X(ACCEPT_TYPES, "accepts-types", "forwards unknown media types", "W-05")                       \
    X(ACCEPT_CODECS, "accepts-codecs", "forwards unknown codecs", "W-06")                          \
    X(ACCEPT_CUT, "accepts-cut-reports", "forwards packets whose report is cut off", "W-07")       \
    X(ACCEPT_SHORT, "accepts-short", "forwards datagrams shorter than a header", "W-04")           \
    X(REFUSE_EMPTY, "refuses-empty", "drops packets without payload", "W-11")                      \
    X(REFUSE_AV1, "refuses-av1", "drops codec 12", "W-02")                                         \
    X(CLOSE_MALFORMED, "closes-on-malformed", "closes at a malformed packet", "W-03")              \
    X(ANY_SIGNATURE, "any-signature", "accepts offers with bad signatures", "H-04")                \
    X(BAD_ANSWER, "bad-answer", "signs its answers wrongly", "H-15")                               \
    X(ANY_PROTOCOL, "any-protocol", "answers offers of any protocol version", "H-01")              \
    X(WRONG_SUPPORTED, "wrong-supported", "names version 1 in its mismatch", "H-01")               \
    X(NO_ROOM_UPDATE, "no-room-update", "never sends RoomUpdate", "H-03")                          \
    X(WRONG_PREFIX, "wrong-prefix", "counts four bytes too many in the length prefix", "H-03")     \
    X(OPEN_CALL_ROOMS, "open-call-rooms", "lets strangers into call rooms",                        \
      "H-10 H-11 RLY-069 X-27")                                                                    \
    X(B_THIRD, "tier-b-third", "tier B allows a third of the packets", "B-01 B-08")                \
    X(EXACT_STEPS, "exact-steps", "tier C wants each step to be a frame long", "C-04 C-08")        \
    X(NO_GAPS, "no-gaps", "takes missing and late numbers for drift", "C-14 C-15 C-16")            \
    X(NO_REPEATS, "no-repeats", "takes a repeated packet for drift", "C-17")                       \
    X(WALL_CLOCK, "wall-clock", "wants timestamps to follow arrivals", "C-21 C-29")                \
    X(NO_PAUSES, "no-pauses", "takes a pause for drift", "C-20")                                   \
    X(NO_BACKLOG, "no-backlog", "takes a stalled network's backlog for a machine", "A-24")         \
    X(ONE_CODEC, "one-codec", "hangs up when the codec changes", "C-18 C-19 C-22")                 \
    X(SEQ16, "seq-16-bit", "reads sequence numbers as 16 bits", "C-23")                            \
    X(REPAIR_AS_SOURCE, "repair-as-source", "meters repair packets as source", "C-26")             \
    X(ONE_CLOCK, "one-clock", "meters video and audio on one clock", "C-27")                       \
    X(SHORT_CALLS, "short-calls", "takes 15 s of speech for a machine", "C-01")                    \
    X(SMALL, "small-datagrams", "drops datagrams of more than 1,000 bytes", "W-12")                \
    X(REFUSE_CODEC2, "refuses-codec2", "drops codec 4", "W-01")                                    \
    X(REPLAY, "replays", "greets a newcomer with the room's last packet", "W-17")                  \
    X(ANY_OFFER, "any-offer", "lets in whatever the first message is", "H-05 H-05b H-06 H-06b")    \
    X(ANY_ALPN, "any-alpn", "takes any application protocol", "H-14 H-14b")                        \
    X(THIRD_IN_CALL, "third-in-call", "lets a third connection into a call room", "H-11")          \
    X(NO_CALLS, "closed-call-rooms", "lets nobody into call rooms", "H-11")                        \
    X(NO_LIMIT, "no-session-limit", "lets in more than its limit", "H-12")                         \
    X(TIGHT_LIMIT, "tight-session-limit", "lets in one less than its limit", "H-12")               \
    X(ANY_TOKEN, "any-token", "lets in whatever the token is", "H-13")                             \
    X(NO_TOKEN, "no-good-token", "refuses valid tokens", "H-13")                                   \
    X(UNTRUNKED, "untrunked", "sends the packets of a trunk one by one", "W-15")                   \
    X(CROWDED, "crowded-trunks", "counts one entry too many in a trunk frame", "W-15")             \
    X(LOSSY_TRUNKS, "lossy-trunks", "loses one trunk frame in eleven", "W-15")                     \
    X(LATE_TRUNKS, "late-trunks", "keeps trunk frames for 30 ms", "W-15")                          \
    X(OTHER_PONG, "other-pong", "answers Ping with another timestamp", "S-01 S-02")                \
    X(VERSION_1_ONLY, "version-1-only", "ignores signals of other versions than 1", "S-02")        \
    X(UNKNOWN_ENDS, "unknown-ends", "closes _signal at what it cannot read", "S-03 S-04")          \
    X(HUGE_SIGNALS, "huge-signals", "takes signals of 2 MiB", "S-05")                              \
    X(STALL_ENDS, "stall-ends", "closes when one stream stalls", "S-07")                           \
    X(REFLECTS_ITSELF, "reflects-itself", "answers Reflect with an address of its own",            \
      "S-08 NAT-002")                                                                              \
    X(NO_RINGING, "no-ringing", "sends no CallRinging", "S-09")                                    \
    X(CUTS_OFFERS, "cuts-offers", "leaves a field out of the offers it passes on", "S-09")         \
    X(HIDES_PEERS, "hides-peers", "leaves local addresses out of CallSetup", "S-09")               \
    X(RINGS_NOBODY, "rings-nobody", "says CallRinging when nobody is there", "S-10")               \
    X(HANGS_UP_ALL, "hangs-up-all", "ends all calls of who hangs one up", "S-11")                  \
    X(PLI_FLOOD, "pli-flood", "passes every PLI on", "S-12")                                       \
    X(PLI_ECHO, "pli-echo", "returns a PLI to who sent it", "S-12")                                \
    X(PLI_RARE, "pli-rare", "passes one PLI a second on", "S-13")                                  \
    X(PLI_ANY_STREAM, "pli-any-stream", "passes PLIs for streams of nobody on", "S-14")            \
    X(ROOM_UNKNOWN_ENDS, "room-unknown-ends", "closes a member at what it cannot read", "S-15")    \
    X(HOLD_ENDS, "hold-ends", "closes a member at Hold", "S-16")                                   \
    X(PASSES_NACK, "passes-nack", "passes Nack on to the room", "S-16")                            \
    X(PRESENCE_ONCE, "presence-once", "tells only the latest client who is there", "S-18")         \
    X(PING_STAYS, "ping-stays", "does not close after SNI ping", "RLY-001")                        \
    X(SILENT_VERSION, "silent-version", "closes after SNI version without a word", "RLY-002")      \
    X(NO_DEFAULT_ROOM, "no-default-room", "closes connections without SNI", "RLY-003")             \
    X(OWN_ROOMS, "own-rooms", "gives each connection a room of its own", "RLY-004")                \
    X(ONE_BY_ONE, "one-by-one", "answers no offer while another client is silent", "RLY-005")      \
    X(NEW_FACE, "new-face", "has another identity after every start", "RLY-006")                   \
    X(OTHER_DERIVATION, "other-derivation", "derives its certificate in its own way", "RLY-006b")  \
    X(REFUSES_DAMAGE, "refuses-damage", "does not start with a damaged identity file", "RLY-007")  \
    X(FORGETS_ITSELF, "forgets-itself", "does not write down its new identity", "RLY-007")         \
    X(TOKENS_UNCOUNTED, "tokens-uncounted", "counts no bad tokens", "RLY-015")                     \
    X(COUNTS_HUB_TOKENS, "counts-hub-tokens", "counts tokens of _signal as well", "RLY-015")       \
    X(SMALLEST_RULES, "smallest-rules", "drops for all what one cannot take", "RLY-034")           \
    X(TOO_LARGE_ENDS, "too-large-ends", "closes who cannot take a packet", "RLY-034")              \
    X(NOWHERE, "nowhere", "does not tell its region", "RLY-062")                                   \
    X(SORTS_RELAYS, "sorts-relays", "lists other relays in order of the alphabet", "RLY-062")      \
    X(LISTS_BACKWARDS, "lists-backwards", "lists the newest member first", "RLY-020")              \
    X(LEAVES_UNTOLD, "leaves-untold", "does not say who left", "RLY-021 G-04 X-14 NAT-111")        \
    X(ONE_FOR_ALL, "one-for-all", "forwards to all rooms", "RLY-031")                              \
    X(ALL_FOR_ONE, "all-for-one", "waits for who acknowledges nothing", "RLY-033")                 \
    X(MEDIA_ONLY, "media-only", "drops data and control packets", "RLY-035")                       \
    X(ALL_LAYERS, "all-layers", "forwards all layers of video", "RLY-036")                         \
    X(DEAF_TO_REMB, "deaf-to-remb", "ignores what receivers can take", "RLY-037")                  \
    X(FIRST_REMB, "first-remb", "keeps the layer of the first estimate", "RLY-037")                \
    X(LAYERED_AUDIO, "layered-audio", "takes streams of audio for layers", "RLY-038")              \
    X(HASTY_TIERS, "hasty-tiers", "counts each bad report twice", "RLY-040")                       \
    X(HASTY_RECOVERY, "hasty-recovery", "counts each good report twice", "RLY-041")                \
    X(BLURRED_TIERS, "blurred-tiers", "takes a loss byte of 12 for 13", "RLY-042")                 \
    X(NO_KEYFRAMES, "no-keyframes", "replays no keyframe", "RLY-046")                              \
    X(SPOILT_KEYFRAMES, "spoilt-keyframes", "takes audio for a part of a keyframe", "RLY-047")     \
    X(PATIENT, "patient", "waits for RegisterPresence for ever", "RLY-061")                        \
    X(SMALL_SIGNALS, "small-signals", "refuses signals of 1 MiB with the connection", "RLY-064")   \
    X(SHOWS_PEERS, "shows-peers", "puts an address into every CallSetup", "RLY-067 RLY-068")       \
    X(LEAKS_SIGNALS, "leaks-signals", "tells everybody the candidates of a call", "RLY-073")       \
    X(ORPHAN_CALLS, "orphan-calls", "keeps the calls of who has gone", "RLY-074")                  \
    X(STRANGERS_HANG_UP, "strangers-hang-up", "passes on a stranger's Hangup", "RLY-075")          \
    X(ENDS_BY_NAME, "ends-by-name", "takes the end of an older connection for the client's",       \
      "RLY-075b")                                                                                  \
    X(NEW_FORMS_ONLY, "new-forms-only", "closes _signal at a bare name", "RLY-076")                \
    X(INJECTS, "injects", "delivers what clients forward", "RLY-077")                              \
    X(REFLECTS_TWICE, "reflects-twice", "answers Reflect twice", "NAT-001")                        \
    X(OLD_PATHS, "old-paths", "does not notice that a client moved", "NAT-004")                    \
    X(WANTS_KEYS, "wants-keys", "closes on registrations without a key", "NAT-008")                \
    X(REFLECTS_ALL, "reflects-all", "answers every Reflect of a flood", "NAT-010")                 \
    X(ODD_RELAYS, "odd-relays", "lists other relays without their names", "NAT-011")               \
    WZP_FAULT_NAT_MAP(X)                                                                           \
    X(COUNTS_NO_A, "counts-no-a", "counts no violations of tier A", "M-01")                        \
    X(COUNTS_NO_B, "counts-no-b", "counts no violations of tier B", "M-02")                        \
    X(COUNTS_NO_C, "counts-no-c", "counts no violations of tier C", "M-02c")                       \
    X(COUNTS_NO_D, "counts-no-d", "counts no violations of tier D", "M-02d")                       \
    X(COUNTS_PAYLOAD, "counts-payload", "counts sizes without the header", "M-03")                 \
    X(NAMES_ROOMS, "names-rooms", "names rooms on the metrics page", "M-05")                       \
    X(D_OFF, "no-tier-d", "tier D is not enforced", "D-02 D-03 D-04 D-05 D-07")                    \
    X(D_REPAIRS, "tier-d-no-repairs", "does not meter repair packets", "D-11")                     \
    X(D_TIGHT, "tier-d-tight", "tier D takes three quarters of the usual size for its limit",      \
      "D-01 D-09 D-10 D-12")                                                                       \
    X(D_OUTLIERS, "tier-d-outliers", "tier D hangs up at a single large packet", "D-06")           \
    X(D_SHARED, "tier-d-shared", "tier D has one average for all codecs", "D-08")                  \
    X(E_OFF, "no-tier-e", "tier E is not enforced", "E-03 E-04")                                   \
    X(E_AUDIO, "video-as-audio", "takes video from the budget of audio", "E-01")                   \
    X(E_TIGHT, "tier-e-tight", "counts each byte three times", "E-02 E-06")                        \
    X(E_ANONYMOUS, "all-anonymous", "gives a token no larger quota", "E-05")                       \
    X(F_OFF, "no-tier-f", "tier F is not enforced", "FA-05 FV-02 FV-03")                           \
    X(F_HASTY, "tier-f-hasty", "hangs up on who looks suspect for 20 s", "FA-01 FA-02 FA-03")      \
    X(F_INSTANT, "tier-f-instant",                                                                 \
      "hangs up at the first second that looks bad, from packet 600 on", "FA-04")                  \
    X(F_EARLY, "tier-f-early", "judges a sender by ten packets", "FA-06")                          \
    X(F_UNCOUNTED, "tier-f-uncounted", "counts no suspects", "FA-04m")                             \
    X(F_VIDEO_AS_AUDIO, "tier-f-one-ear", "judges video as audio", "FA-07")                        \
    X(V_DEPLOYED, "deployed-scorer", "drops video that the deployed scorer calls abusive",         \
      "FV-06 FV-07 FV-08")                                                                         \
    X(V_HASTY, "video-hasty", "hangs up after 100 frames without keyframe or 25 keyframes",        \
      "FV-04 FV-05")                                                                               \
    X(V_STRICT, "video-strict", "hangs up on video that is not perfect",                           \
      "FV-01 FV-09 FV-10 FV-11 FV-12")                                                             \
    X(V_REPLAYS, "replays-doubt", "replays keyframes of who is in doubt", "FV-14")                 \
    X(EMPTY_REASON, "empty-reason", "hangs up without a reason in words", "G-01")                  \
    X(MUTE_FIRST, "mute-first", "stops forwarding two seconds before it says why", "G-02")         \
    X(NO_BANS, "no-bans", "lets offenders in again at once", "G-05")                               \
    X(BARS_ALL, "bars-all", "lets nobody into the room of an offender", "G-06")                    \
    X(BARS_FORGED, "bars-forged", "bars whom a forged offer names", "G-08")                        \
    X(NO_BLOCKS, "no-blocks", "knows no second offence", "G-07")                                   \
    X(FEW_RETURNS, "few-returns", "takes the eleventh join of an identity for abuse", "G-09")      \
    X(OBSERVE_CLOSES, "observe-closes", "hangs up although it only observes", "G-10")              \
    WZP_FAULT_FED_MAP(X)                                                                           \
    X(LOSES_IN_CROWDS, "loses-in-crowds", "loses one packet in 50 where more than 50 are", "X-10") \
    X(TAKES_TRUNKS, "takes-trunks", "passes on trunk frames of members", "X-11")                   \
    X(STALLS_WITH_ONE, "stalls-with-one", "hears nobody for 0.1 s when a stream is given up",      \
      "X-12")                                                                                      \
    X(SEARCHES_KEYFRAMES, "searches-keyframes",                                                    \
      "hears nobody for 0.3 s when one joins and a keyframe is not whole", "X-13")                 \
    X(NEW_CERTIFICATES, "new-certificates", "has another certificate for each connection", "X-15") \
    X(ANY_TYPE, "any-type", "takes the codec's word for the media type", "X-20")                   \
    X(UNMETERED_TYPES, "unmetered-types", "meters only audio and video", "X-21 X-22")              \
    X(TUNNELS, "tunnels", "passes on signals of any size", "X-23")                                 \
    X(PLI_TO_ALL, "pli-to-all", "tells all members of picture loss", "X-24")                       \
    X(LAST_SENDER, "last-sender", "tells only the last sender on a stream id of picture loss",     \
      "X-25")                                                                                      \
    X(TAKES_NAMES, "takes-names", "gives a proven name to who only claims it", "X-26")             \
    X(COUNTS_ROOMS, "counts-rooms", "has a series for each room that ever was", "X-28")            \
    X(PATIENT_WITH_OFFERS, "patient-with-offers", "waits for CallOffer for ever", "X-29")          \
    X(DEAF, "deaf", "forwards nothing", "CAL-01")                                                  \
    X(STRICT, "strict", "nothing: tiers A and B at the exact limits", "")                          \
    X(STRICT_GUARD, "strict-guard", "leaves a guard band in tier A", "AS-02")                      \
    X(STRICT_A_TIGHT, "strict-a-tight", "tier A allows an eighth less", "AS-01")                   \
    X(STRICT_B_OFF, "strict-no-tier-b", "tier B is not enforced", "BS-02")                         \
    X(STRICT_B_TIGHT, "strict-b-tight", "tier B allows an eighth less", "BS-01")                   \
    X(STRICT_D_OFF, "strict-no-tier-d", "tier D is not enforced", "DS-02")                         \
    X(STRICT_D_TIGHT, "strict-d-tight", "tier D takes the usual size for its limit", "DS-01")

typedef enum wzp_fault {
#define X(id, name, text, caught_by) WZP_FAULT_##id,
    WZP_FAULT_MAP(X)
#undef X
        WZP_FAULT_COUNT
} wzp_fault;

typedef struct wzp_fault_info {
    const char *name, *text, *caught_by;
} wzp_fault_info;

extern const wzp_fault_info wzp_faults[WZP_FAULT_COUNT];

/* From here on relays are tested with the profile strict-limits. */
#define WZP_FAULT_FIRST_STRICT WZP_FAULT_STRICT

/* The fault of every relay in this process from now on. */
void wzp_fault_set(wzp_fault which);
wzp_fault wzp_fault_now(void);

#endif
