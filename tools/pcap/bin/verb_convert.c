/* wzp-pcap convert: the same in another form. */
#include "tools/pcap/bin/extract.h"
#include "tools/pcap/bin/transcode.h"
#include "tools/pcap/bin/verbs.h"

enum { OPT_WAV = WZP_PCAP_OWN_OPTION, OPT_VIDEO, OPT_IVF, OPT_AS_CLEAR };
enum { OPT_TO = OPT_AS_CLEAR + 1, OPT_MEDIA, OPT_STRIP, OPT_INJECT, OPT_ANONYMIZE, OPT_SEED };

static wzp_pcap_extract asked;
static wzp_pcap_transcode file;

static const struct option longs[] = {{"wav", 1, NULL, OPT_WAV},
                                      {"video", 1, NULL, OPT_VIDEO},
                                      {"ivf", 0, NULL, OPT_IVF},
                                      {"as-clear", 0, NULL, OPT_AS_CLEAR},
                                      {"to", 1, NULL, OPT_TO},
                                      {"media", 0, NULL, OPT_MEDIA},
                                      {"strip-secrets", 0, NULL, OPT_STRIP},
                                      {"inject", 1, NULL, OPT_INJECT},
                                      {"anonymize", 0, NULL, OPT_ANONYMIZE},
                                      {"seed", 1, NULL, OPT_SEED},
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
    case OPT_TO:
        file.path = value;
        break;
    case OPT_MEDIA:
        file.media = true;
        break;
    case OPT_STRIP:
        file.strip_secrets = true;
        break;
    case OPT_INJECT:
        file.inject = value;
        break;
    case OPT_ANONYMIZE:
        file.anonymous = true;
        break;
    case OPT_SEED:
        return wzp_pcap_number(value, &file.seed) ||
               wzp_pcap_complain("--seed takes a number, not %s", value);
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
    const bool extracts = asked.sound_dir != NULL || asked.film_dir != NULL;
    if (extracts == (file.path != NULL)) {
        (void)wzp_pcap_complain(
            "convert into what? --to FILE, or --wav DIR, --video DIR; see --help");
        return EXIT_USAGE;
    }
    if (file.path == NULL && (file.media || file.strip_secrets || file.anonymous || file.inject)) {
        (void)wzp_pcap_complain(
            "--media, --strip-secrets, --inject, --anonymize go with --to FILE");
        return EXIT_USAGE;
    }
    return file.path != NULL ? wzp_pcap_transcode_run(&file, options)
                             : wzp_pcap_extract_run(&asked, options);
}

const wzp_pcap_verb wzp_pcap_verb_convert = {
    .name = "convert",
    .args = "FILE",
    .about = "writes a capture in another form, or its sound and video",
    .help =
        "  --wav DIR            DIR/stream-N.wav for each stream of audio, 48 kHz; losses are\n"
        "                       repaired and concealed as a client would\n"
        "  --video DIR          DIR/stream-N-CODEC.h264, .h265, .obu for each stream of video\n"
        "  --ivf                video as IVF\n"
        "  --as-clear           payloads without a key were never sealed\n"
        "  --to FILE            FILE.pcapng, FILE.wzp, FILE.rtpdump: the same packets there\n"
        "  --media              pcapng of media packets alone (link type 147)\n"
        "  --strip-secrets      pcapng without key logs and media keys\n"
        "  --inject KEYLOG      pcapng with this key log in it, besides what it has\n"
        "  --anonymize          pcapng fit to be shared: other addresses with the same prefixes,\n"
        "                       QUIC alone, no secrets, no Initial packets, as they name the room\n"
        "  --seed N             of those addresses\n"
        "\n"
        "Streams are numbered as stat does. Exit status 1: media were there, and nothing of\n"
        "them could be written.\n"
        "\n"
        "Example: wzp-pcap convert --media-keys keys.txt call.pcapng --wav heard\n",
    .options = longs,
    .take = take,
    .run = run};
