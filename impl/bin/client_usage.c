#include "bin/client_usage.h"

#include <stdio.h>

static const char *const parts[] = {
    "usage: wzp-client join [options] HOST:PORT\n"
    "       wzp-client call [options] FINGERPRINT HOST:PORT\n"
    "       wzp-client listen [options] HOST:PORT\n"
    "       wzp-client echo [options] HOST:PORT\n"
    "       wzp-client drift [options] HOST:PORT\n"
    "       wzp-client sweep [options]\n"
    "\n"
    "join    joins a room, sends sound and records what it hears\n"
    "call    calls a client that listens at the same relay\n"
    "listen  prints its fingerprint, takes one call, ends with it\n"
    "echo    calls itself over the relay and compares what arrives with what was said\n"
    "drift   calls itself and compares the length of what is heard with what was said\n"
    "sweep   settings of the jitter buffer in a simulated network; no relay is needed\n"
    "\n",
    "Sound:\n"
    "  --send-file F      sound to send, once; F.raw and F.pcm are 48 kHz mono s16le\n"
    "  --send-tone S      S seconds of a tone of 440 Hz, or of --tone-hz HZ\n"
    "  --silence          (default)\n"
    "  --record DIR       sender-N.wav for each sender; F.raw or F.pcm: everybody in one file\n"
    "  --duration S       hang up after S seconds (10, or as long as file or tone; echo, drift: "
    "5;\n"
    "                     sweep: 60; listen: when the caller does)\n"
    "  --quality Q        auto (the default: follows the network, the relay and the peers),\n"
    "                     or fixed: good, degraded, catastrophic, codec2-3200, studio-32k,\n"
    "                     studio-48k, studio-64k\n"
    "  --network N        unknown (the default), wifi or cellular: what auto takes as bad\n"
    "  --suppress-silence  send comfort noise five times a second instead of silence\n"
    "  --transport-feedback  tell the one other sender what arrives, 20 times a second\n"
    "\n",
    "Who and where:\n"
    "  --room NAME        the room (default)\n"
    "  --alias NAME, --seed HEX, --mnemonic WORDS (24 of them; a fresh identity otherwise)\n"
    "  --token T          for a relay that asks for one\n"
    "  --pin SHA256       of the relay's certificate, as it logs it: with another one nothing is\n"
    "                     said and the exit status is 1\n"
    "  --reject, --generic  listen: says no, or takes the call without telling addresses\n"
    "  --media-crypto clear|relay-aead  join: payloads in clear inside QUIC (the default), or\n"
    "                     sealed for the relay alone, whom only a tester plays: nobody else in\n"
    "                     the room can read them\n"
    "\n",
    "The way of a call (call and listen; it is direct where both sides and their NATs allow it):\n"
    "  --direct-only      the call fails where it would take the relay\n"
    "  --relay-only       tells nobody where we are, and uses nothing that we are told\n"
    "  --stun HOST:PORT   asks this STUN server, and others if repeated; none: nobody. Without it\n"
    "                     those of deployed clients if the relay is on the internet\n"
    "  --no-portmap       does not ask the router for a port (NAT-PMP, PCP, UPnP)\n"
    "  --policy P         reference (the default), or deployed: as deployed clients do it\n"
    "  --lab-addresses    for labs: loopback and private addresses are as good as others\n"
    "\n",
    "Measuring:\n"
    "  --repeat N         echo, drift, sweep: N times; medians, and their spread\n"
    "  --loss PCT, --jitter MS, --seed N  sweep: the network (2, 20) and its first draw (1)\n"
    "  --metrics-file F   a line of JSON a second\n"
    "  --stats json       join, call, listen: a line of statistics ten times a second and at each\n"
    "                     event\n"
    "  --json             results as JSON\n"
    "  --quiet, --log-level error|warn|info|debug, --help, --version\n"
    "\n"
    "Deployed clients are called without a word: --echo-test S, --drift-test S, --sweep, "
    "--signal,\n"
    "--signal --call FINGERPRINT and, with none of them, join are understood here, too, and\n"
    "HOST:PORT is then 127.0.0.1:4433 unless it is told.\n"
    "\n",
    "Exit status: 0 good, 1 the call was refused, not taken or ended early, or what was measured\n"
    "is poor, 2 usage, 3 a file cannot be read or written, 4 the relay cannot be reached,\n"
    "5 nothing could be measured.\n"
    "\n"
    "Example: wzp-client join --room demo --send-file hello.wav --record heard 127.0.0.1:4433\n"
    "         wzp-client echo --duration 30 --repeat 3 127.0.0.1:4433\n"};

void wzp_client_usage(void) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        (void)fputs(parts[i], stdout);
    }
}
