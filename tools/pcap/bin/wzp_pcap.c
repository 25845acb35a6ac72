/* wzp-pcap: captures of calls. */
#include "tools/pcap/bin/verbs.h"

#include "crypto/crypto.h"

int main(int argc, char **argv) {
    wzp_pcap_options options;
    const wzp_pcap_verb *verb;
    const int status = wzp_pcap_options_parse(&options, &verb, argc, argv);
    if (status != -1) {
        return status;
    }
    if (wzp_crypto_init() != WZP_OK) {
        (void)wzp_pcap_complain("the cryptographic library does not work here");
        return EXIT_UNREADABLE;
    }
    return verb->run(&options);
}
