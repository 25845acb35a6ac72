/* How good a call can be, from transport figures alone: the E-model of ITU-T G.107 in the reduced
 * form for packet networks (Cole and Rosenbluth 2001; G.113, Appendix I): 93.2 less the impairments
 * by delay and by equipment with loss, as a rating and as a mean opinion score.  Pure. */
#ifndef WZP_MEDIA_EMODEL_H
#define WZP_MEDIA_EMODEL_H

#include <stdint.h>

/* A codec without loss, and how well it stands it. */
typedef struct wzp_emodel_codec {
    double impairment; /* Ie: 0 none */
    double robustness; /* Bpl, per cent: at this loss half of what is left is gone */
} wzp_emodel_codec;

/* G.113 knows none of our codecs.  These are estimates of this project, in the order in which the
 * intrusive measure puts them, for telling changes apart and not for comparing with other systems.
 * Robustness counts concealment and, where libopus sends any at the deployed settings, DRED; that
 * of Codec2 has no forward error correction in it.  Unknown ids: {95, 1}. */
wzp_emodel_codec wzp_emodel_codec_of(uint8_t codec);

typedef struct wzp_emodel_path {
    double delay_ms;     /* mouth to ear, one way */
    double loss_percent; /* of frames, those too late to be played included */
    double burst_ratio;  /* mean length of bursts against that of random loss; 0 counts as 1 */
} wzp_emodel_path;

/* The rating R, 0 to 93.2. */
double wzp_emodel_rating(wzp_emodel_codec codec, const wzp_emodel_path *path);

/* MOS of a rating, 1 to 4.5 (G.107, Annex B). */
double wzp_emodel_mos(double rating);

/* The same from whole figures and in whole numbers, for what is decided by it.  Thousandths of MOS,
 * 1000 to 4500. */
typedef struct wzp_emodel_figures {
    uint64_t delay_us;       /* mouth to ear, one way */
    uint32_t loss_ppm;       /* of frames, at most a million */
    uint32_t burst_permille; /* as burst_ratio; less than 1000 counts as 1000 */
} wzp_emodel_figures;

uint32_t wzp_emodel_mos_milli(uint8_t codec, const wzp_emodel_figures *figures);

#endif
