/* What chapter AUD says of a while of audio, for wzp_ct_audio_watch. */
#ifndef WZP_CONFORMANCE_CASES_CLIENT_AUDIO_JUDGES_H
#define WZP_CONFORMANCE_CASES_CLIENT_AUDIO_JUDGES_H

#include "conformance/cases/client/audio.h"

typedef wzp_ct_so_far wzp_ct_audio_judge(wzp_ct_exec *exec, const wzp_ct_audio *audio);

/* audio_headers.c: codecs and timestamps; numbers; the clock; Opus without marks of repair; quality
 * reports. */
wzp_ct_audio_judge wzp_ct_judge_frames, wzp_ct_judge_numbers, wzp_ct_judge_clock, wzp_ct_judge_opus,
    wzp_ct_judge_report_rate, wzp_ct_judge_report_size;

/* audio_payloads.c: what the codec says of a payload. */
wzp_ct_audio_judge wzp_ct_judge_payloads;

/* audio_opus.c: the rate of Opus, its deep redundancy, comfort noise. */
wzp_ct_audio_judge wzp_ct_judge_rate, wzp_ct_judge_dred, wzp_ct_judge_noise;

/* audio_repair.c: order of blocks; what is in repair packets; which packets are marked. */
wzp_ct_audio_judge wzp_ct_judge_blocks, wzp_ct_judge_symbols, wzp_ct_judge_marks;

/* SKIP: the case needs Codec2, and this client sends something else.  HAPPENED: it does not. */
wzp_ct_so_far wzp_ct_needs_codec2(wzp_ct_exec *exec, const wzp_ct_audio *audio);

#endif
