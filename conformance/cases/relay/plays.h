/* The acts of scripted cases, each in the file of its chapter. */
#ifndef WZP_CONFORMANCE_CASES_RELAY_PLAYS_H
#define WZP_CONFORMANCE_CASES_RELAY_PLAYS_H

#include "conformance/engine/play.h"

enum {
    WZP_CT_H11_ACTS = 7,
    WZP_CT_H12_ACTS = 5,
    WZP_CT_H13_ACTS = 3,
    WZP_CT_W15_ACTS = 3,
    WZP_CT_RLY015_ACTS = 6
};
extern const wzp_ct_act wzp_ct_acts_h11[WZP_CT_H11_ACTS];
extern const wzp_ct_act wzp_ct_acts_h12[WZP_CT_H12_ACTS];
extern const wzp_ct_act wzp_ct_acts_h13[WZP_CT_H13_ACTS];
extern const wzp_ct_act wzp_ct_acts_w15[WZP_CT_W15_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly015[WZP_CT_RLY015_ACTS];

/* Rooms in which one sends video. */
enum {
    WZP_CT_S12_ACTS = 3,
    WZP_CT_S13_ACTS = 3,
    WZP_CT_S14_ACTS = 4,
    WZP_CT_S15_ACTS = 4,
    WZP_CT_S16_ACTS = 4
};
extern const wzp_ct_act wzp_ct_acts_s12[WZP_CT_S12_ACTS];
extern const wzp_ct_act wzp_ct_acts_s13[WZP_CT_S13_ACTS];
extern const wzp_ct_act wzp_ct_acts_s14[WZP_CT_S14_ACTS];
extern const wzp_ct_act wzp_ct_acts_s15[WZP_CT_S15_ACTS];
extern const wzp_ct_act wzp_ct_acts_s16[WZP_CT_S16_ACTS];

/* What follows from abuse. */
enum {
    WZP_CT_E05_ACTS = 2,
    WZP_CT_FV14_ACTS = 3,
    WZP_CT_G01_ACTS = 4,
    WZP_CT_G02_ACTS = 4,
    WZP_CT_G03_ACTS = 4,
    WZP_CT_G04_ACTS = 5,
    WZP_CT_G05_ACTS = 6,
    WZP_CT_G06_ACTS = 5,
    WZP_CT_G07_ACTS = 10,
    WZP_CT_G08_ACTS = 5,
    WZP_CT_G09_ACTS = 1,
    WZP_CT_G10_ACTS = 3,
    WZP_CT_G12_ACTS = 8
};
extern const wzp_ct_act wzp_ct_acts_e05[WZP_CT_E05_ACTS];
extern const wzp_ct_act wzp_ct_acts_fv14[WZP_CT_FV14_ACTS];
extern const wzp_ct_act wzp_ct_acts_g01[WZP_CT_G01_ACTS];
extern const wzp_ct_act wzp_ct_acts_g02[WZP_CT_G02_ACTS];
extern const wzp_ct_act wzp_ct_acts_g03[WZP_CT_G03_ACTS];
extern const wzp_ct_act wzp_ct_acts_g04[WZP_CT_G04_ACTS];
extern const wzp_ct_act wzp_ct_acts_g05[WZP_CT_G05_ACTS];
extern const wzp_ct_act wzp_ct_acts_g06[WZP_CT_G06_ACTS];
extern const wzp_ct_act wzp_ct_acts_g07[WZP_CT_G07_ACTS];
extern const wzp_ct_act wzp_ct_acts_g08[WZP_CT_G08_ACTS];
extern const wzp_ct_act wzp_ct_acts_g09[WZP_CT_G09_ACTS];
extern const wzp_ct_act wzp_ct_acts_g10[WZP_CT_G10_ACTS];
extern const wzp_ct_act wzp_ct_acts_g12[WZP_CT_G12_ACTS];

/* Registration and direct calls. */
enum {
    WZP_CT_RLY061_ACTS = 1,
    WZP_CT_RLY064_ACTS = 3,
    WZP_CT_RLY067_ACTS = 3,
    WZP_CT_RLY068_ACTS = 3,
    WZP_CT_RLY069_ACTS = 4,
    WZP_CT_RLY073_ACTS = 4,
    WZP_CT_RLY074_ACTS = 4,
    WZP_CT_RLY075_ACTS = 5,
    WZP_CT_RLY075B_ACTS = 7,
    WZP_CT_RLY077_ACTS = 3
};
extern const wzp_ct_act wzp_ct_acts_rly061[WZP_CT_RLY061_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly064[WZP_CT_RLY064_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly067[WZP_CT_RLY067_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly068[WZP_CT_RLY068_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly069[WZP_CT_RLY069_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly073[WZP_CT_RLY073_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly074[WZP_CT_RLY074_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly075[WZP_CT_RLY075_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly075b[WZP_CT_RLY075B_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly077[WZP_CT_RLY077_ACTS];

/* Who must not be in each other's way. */
enum {
    WZP_CT_RLY005_ACTS = 2,
    WZP_CT_RLY031_ACTS = 3,
    WZP_CT_RLY033_ACTS = 2,
    WZP_CT_RLY076_ACTS = 3
};
extern const wzp_ct_act wzp_ct_acts_rly005[WZP_CT_RLY005_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly031[WZP_CT_RLY031_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly033[WZP_CT_RLY033_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly076[WZP_CT_RLY076_ACTS];

/* What a relay keeps and tells, and packets too large for one receiver. */
enum {
    WZP_CT_RLY006_ACTS = 2,
    WZP_CT_RLY006B_ACTS = 1,
    WZP_CT_RLY007_ACTS = 3,
    WZP_CT_RLY034_ACTS = 4,
    WZP_CT_RLY062_ACTS = 2
};
extern const wzp_ct_act wzp_ct_acts_rly006[WZP_CT_RLY006_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly006b[WZP_CT_RLY006B_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly007[WZP_CT_RLY007_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly034[WZP_CT_RLY034_ACTS];
extern const wzp_ct_act wzp_ct_acts_rly062[WZP_CT_RLY062_ACTS];

/* Attacks, and those who must not notice them. */
enum {
    WZP_CT_X09_ACTS = 2,
    WZP_CT_X10_ACTS = 2,
    WZP_CT_X11_ACTS = 3,
    WZP_CT_X12_ACTS = 3,
    WZP_CT_X13_ACTS = 4,
    WZP_CT_X14_ACTS = 3,
    WZP_CT_X15_ACTS = 2,
    WZP_CT_X23_ACTS = 4,
    WZP_CT_X24_ACTS = 3,
    WZP_CT_X25_ACTS = 3,
    WZP_CT_X26_ACTS = 3,
    WZP_CT_X27_ACTS = 6,
    WZP_CT_X28_ACTS = 4,
    WZP_CT_X29_ACTS = 4
};
extern const wzp_ct_act wzp_ct_acts_x09[WZP_CT_X09_ACTS];
extern const wzp_ct_act wzp_ct_acts_x10[WZP_CT_X10_ACTS];
extern const wzp_ct_act wzp_ct_acts_x11[WZP_CT_X11_ACTS];
extern const wzp_ct_act wzp_ct_acts_x12[WZP_CT_X12_ACTS];
extern const wzp_ct_act wzp_ct_acts_x13[WZP_CT_X13_ACTS];
extern const wzp_ct_act wzp_ct_acts_x14[WZP_CT_X14_ACTS];
extern const wzp_ct_act wzp_ct_acts_x15[WZP_CT_X15_ACTS];
extern const wzp_ct_act wzp_ct_acts_x23[WZP_CT_X23_ACTS];
extern const wzp_ct_act wzp_ct_acts_x24[WZP_CT_X24_ACTS];
extern const wzp_ct_act wzp_ct_acts_x25[WZP_CT_X25_ACTS];
extern const wzp_ct_act wzp_ct_acts_x26[WZP_CT_X26_ACTS];
extern const wzp_ct_act wzp_ct_acts_x27[WZP_CT_X27_ACTS];
extern const wzp_ct_act wzp_ct_acts_x28[WZP_CT_X28_ACTS];
extern const wzp_ct_act wzp_ct_acts_x29[WZP_CT_X29_ACTS];

/* Bytes of state; the files assert that theirs fit. */
enum {
    WZP_CT_PAIR_STATE = 512,
    WZP_CT_W15_STATE = 40000,
    WZP_CT_G_STATE = 64,
    WZP_CT_ROOM_STATE = 256,
    WZP_CT_ROOMS_STATE = 512,
    WZP_CT_SIZES_STATE = 256,
    WZP_CT_HARD_STATE = 256
};

void wzp_ct_pair_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_g_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_w15_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_rooms_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_sizes_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_hard_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);
void wzp_ct_room_datagram(wzp_ct_exec *exec, wzp_ct_who who, wzp_bytes bytes, wzp_time now);

#endif
