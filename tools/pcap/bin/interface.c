/* Packets of a network interface, as they come.  Needs libpcap, and the right to capture. */
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "tools/pcap/bin/source.h"

#define SNAPLEN 262144
#define BUFFER (16 << 20) /* bytes that the kernel keeps for us */
#define WAIT_MS 50        /* so often what was written is shown */
#define DLT_RAW_HERE 12   /* libpcap's number of raw IP; in files it is 101 */
#define LINKTYPE_RAW 101u

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

/* Ctrl-C ends the capture, and what it held is summed up. */
static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* UDP only: QUIC runs on nothing else.  NULL after a complaint. */
static pcap_t *open_interface(const char *name) {
    char why[PCAP_ERRBUF_SIZE] = "";
    struct bpf_program udp;
    pcap_t *handle = pcap_create(name, why);
    if (handle == NULL) {
        (void)wzp_pcap_complain("%s: %s", name, why);
        return NULL;
    }
    (void)pcap_set_snaplen(handle, SNAPLEN);
    (void)pcap_set_timeout(handle, WAIT_MS);
    (void)pcap_set_buffer_size(handle, BUFFER);
    (void)pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
    /* Above 0 are warnings. */
    if (pcap_activate(handle) < 0 ||
        pcap_compile(handle, &udp, "udp or (vlan and udp) or ip6 proto 44", 1,
                     PCAP_NETMASK_UNKNOWN) != 0) {
        (void)wzp_pcap_complain("%s: %s", name, pcap_geterr(handle));
        pcap_close(handle);
        return NULL;
    }
    const bool filtered =
        pcap_setfilter(handle, &udp) == 0 && pcap_setnonblock(handle, 1, why) == 0;
    pcap_freecode(&udp);
    if (!filtered) {
        (void)wzp_pcap_complain("%s: %s", name, pcap_geterr(handle));
        pcap_close(handle);
        return NULL;
    }
    return handle;
}

static wzp_pcap_item item_of(const wzp_pcap_source *source, pcap_t *handle,
                             const struct pcap_pkthdr *hdr, const uint8_t *data) {
    const bool in_ns = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO;
    const int link = pcap_datalink(handle);
    wzp_pcap_item item = {.kind = WZP_PCAP_ITEM_PACKET};
    item.packet.number = source->read.packets;
    item.packet.time_ns =
        (uint64_t)hdr->ts.tv_sec * 1000000000 + (uint64_t)hdr->ts.tv_usec * (in_ns ? 1 : 1000);
    item.packet.link_type = link == DLT_RAW_HERE ? LINKTYPE_RAW : (uint32_t)link;
    item.packet.interface_name = "";
    item.packet.original_len = hdr->len;
    item.packet.data = wzp_bytes_of(data, hdr->caplen);
    return item;
}

/* -1, or the exit status after a complaint. */
static int capture(wzp_pcap_source *source, pcap_t *handle, const char *name) {
    struct pcap_pkthdr *hdr;
    const uint8_t *data;
    bool enough = false;
    while (!interrupted && !enough) {
        const int got = pcap_next_ex(handle, &hdr, &data);
        if (got == 0) { /* libpcap's own wait may last until a packet comes */
            struct pollfd ready = {.fd = pcap_get_selectable_fd(handle), .events = POLLIN};
            (void)poll(&ready, 1, WAIT_MS);
        }
        if (got == PCAP_ERROR) {
            (void)wzp_pcap_complain("%s: %s", name, pcap_geterr(handle));
            return EXIT_UNREADABLE;
        }
        wzp_pcap_source_pause(source, got == 0);
        if (got == 1) {
            source->read.packets++;
            source->read.bytes += hdr->caplen;
            const wzp_pcap_item item = item_of(source, handle, hdr, data);
            const int status = wzp_pcap_source_take(source, &item, &enough);
            if (status != -1) {
                return status;
            }
        }
    }
    return -1;
}

int wzp_pcap_source_listen(wzp_pcap_source *source, const char *name) {
    struct pcap_stat lost = {0};
    pcap_t *handle = open_interface(name);
    if (handle == NULL) {
        return EXIT_UNREADABLE;
    }
    catch_interrupts();
    source->form = WZP_PCAP_FORM_PCAP;
    const int status = capture(source, handle, name);
    if (pcap_stats(handle, &lost) == 0) {
        source->read.skipped += lost.ps_drop;
    }
    pcap_close(handle);
    if (source->decoder != NULL) {
        wzp_pcap_decoder_end(source->decoder);
    }
    return status;
}
