/* wzp-pcap convert: the same in another form. */
#include "tools/pcap/bin/extract.h"
#include "tools/pcap/bin/verbs.h"

enum { OPT_WAV = WZP_PCAP_OWN_OPTION, OPT_VIDEO, OPT_IVF, OPT_AS_CLEAR };

static wzp_pcap_extract asked;

static const struct option longs[] = {{"wav", 1, NULL, OPT_WAV},
                                      {"video", 1, NULL, OPT_VIDEO},
                                      {"ivf", 0, NULL, OPT_IVF},
                                      {"as-clear", 0, NULL, OPT_AS_CLEAR},
                                      {NULL, 0, NULL, 0}};

static bool take(int id, const char *value) {
    switch (id) {
    case OPT_WAV:
        asked.sound_dir = value;
        break;
    case OPT_VIDEO:
        asked.film_dir = value;
        break;
    case OPT_IVF:
        asked.form = WZP_PCAP_FILM_IVF;
        break;
    default:
        asked.as_clear = true;
        break;
    }
    return true;
}

static int run(const wzp_pcap_options *options) {
    if (options->arg_count != 1) {
        (void)wzp_pcap_complain("convert takes one file, or - for standard input; see --help");
        return EXIT_USAGE;
    }
    if (asked.sound_dir == NULL && asked.film_dir == NULL) {
        (void)wzp_pcap_complain("convert into what? --wav DIR, --video DIR; see --help");
        return EXIT_USAGE;
    }
    return wzp_pcap_extract_run(&asked, options);
}

const wzp_pcap_verb wzp_pcap_verb_convert = {
    .name = "convert",
    .args = "FILE",
    .about = "writes sound and video of a capture",
    .help = "  --wav DIR            DIR/stream-N.wav for each stream of audio, 48 kHz; losses are\n"
            "                       repaired and concealed as a client would\n"
            "  --video DIR          DIR/stream-N-CODEC.h264, .h265, .obu for each stream of video\n"
            "  --ivf                video as IVF\n"
            "  --as-clear           payloads without a key were never sealed\n"
            "\n"
            "Streams are numbered as stat does. Exit status 1: media were there, and nothing of\n"
            "them could be written.\n"
            "\n"
            "Example: wzp-pcap convert --media-keys keys.txt call.pcapng --wav heard\n",
    .options = longs,
    .take = take,
    .run = run};
