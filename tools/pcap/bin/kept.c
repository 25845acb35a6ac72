#include "tools/pcap/bin/kept.h"

#include <errno.h>
#include <string.h>

#include "io/sys.h"
#include "tools/pcap/bin/options.h"

static void to_file(void *ctx, wzp_bytes bytes) {
    wzp_pcap_kept *kept = ctx;
    if (!kept->failed && fwrite(bytes.data, 1, bytes.len, kept->file) != bytes.len) {
        kept->failed = true;
        (void)wzp_pcap_complain("%s: %s", kept->path, wzp_io_reason(errno));
    }
}

bool wzp_pcap_kept_open(wzp_pcap_kept *kept, const char *path, bool all) {
    const wzp_pcap_writer_cfg cfg = {
        .form = WZP_PCAP_FORM_PCAPNG, .sink = to_file, .sink_ctx = kept};
    *kept = (wzp_pcap_kept){.path = path, .all = all};
    kept->file = strcmp(path, "-") == 0 ? stdout : wzp_pcap_create(path);
    if (kept->file == NULL) {
        return wzp_pcap_complain("%s: %s", path,
                                 errno == EEXIST ? "is there already; remove it or name another"
                                                 : wzp_io_reason(errno));
    }
    return wzp_pcap_writer_new(&kept->writer, &cfg) == WZP_OK ||
           wzp_pcap_complain("%s: no memory", path);
}

void wzp_pcap_kept_item(wzp_pcap_kept *kept, const wzp_pcap_item *item) {
    wzp_err err = WZP_OK;
    if (item->kind == WZP_PCAP_ITEM_SECRETS) {
        err = item->media_keys ? wzp_pcap_writer_media_keys(kept->writer, item->text)
                               : wzp_pcap_writer_secrets(kept->writer, item->text);
    } else if (item->kind == WZP_PCAP_ITEM_PACKET) {
        if (kept->wanted || kept->all) {
            err = wzp_pcap_writer_packet(kept->writer, item->packet.interface_name, &item->packet);
        }
        kept->wanted = false;
    }
    if (err != WZP_OK && !kept->failed) {
        kept->failed = true;
        (void)wzp_pcap_complain("%s: %s", kept->path, wzp_err_text(err));
    }
}

bool wzp_pcap_kept_close(wzp_pcap_kept *kept) {
    wzp_pcap_writer_free(&kept->writer);
    if (kept->file != NULL && (kept->file == stdout ? fflush(stdout) : fclose(kept->file)) != 0 &&
        !kept->failed) {
        kept->failed = true;
        (void)wzp_pcap_complain("%s: %s", kept->path, wzp_io_reason(errno));
    }
    return !kept->failed;
}
