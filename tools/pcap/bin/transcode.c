#include "tools/pcap/bin/transcode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/files.h"
#include "io/sys.h"
#include "tools/pcap/bin/source.h"
#include "tools/pcap/convert/convert.h"

#define KEYLOG_MAX (64u << 20)

typedef struct job {
    const wzp_pcap_transcode *asked;
    wzp_pcap_convert *convert;
    wzp_pcap_decoder *decoder; /* forms of media only */
    FILE *file;
    bool failed; /* it was complained about */
} job;

static bool find_form(const wzp_pcap_transcode *t, wzp_pcap_convert_form *form) {
    if (wzp_pcap_ends_in(t->path, ".wzp")) {
        *form = WZP_PCAP_CONVERT_WZP;
    } else if (wzp_pcap_ends_in(t->path, ".rtpdump")) {
        *form = WZP_PCAP_CONVERT_RTPDUMP;
    } else if (wzp_pcap_ends_in(t->path, ".pcapng")) {
        *form = t->media ? WZP_PCAP_CONVERT_MEDIA : WZP_PCAP_CONVERT_PACKETS;
    } else {
        return wzp_pcap_complain("--to %s: ends in .pcapng, .wzp or .rtpdump", t->path);
    }
    if ((t->strip_secrets || t->anonymous || t->inject != NULL) &&
        *form != WZP_PCAP_CONVERT_PACKETS) {
        return wzp_pcap_complain("secrets and addresses are in pcapng files of packets only");
    }
    if (t->inject != NULL && (t->strip_secrets || t->anonymous)) {
        return wzp_pcap_complain("--inject puts secrets in, and they are to be left out");
    }
    return true;
}

/* --- what comes and goes ---------------------------------------------------------------------- */

static void fail(job *j, const char *why) {
    if (!j->failed) {
        j->failed = true;
        (void)wzp_pcap_complain("%s: %s", j->asked->path, why);
    }
}

static void to_file(void *ctx, wzp_bytes bytes) {
    job *j = ctx;
    if (!j->failed && fwrite(bytes.data, 1, bytes.len, j->file) != bytes.len) {
        fail(j, wzp_io_reason(errno));
    }
}

static void take(job *j, wzp_err err) {
    if (err != WZP_OK) {
        fail(j, wzp_err_text(err));
    }
}

static void on_item(void *ctx, const wzp_pcap_item *item) {
    job *j = ctx;
    take(j, wzp_pcap_convert_item(j->convert, item));
}

static void on_message(void *ctx, const wzp_pcap_message *message) {
    job *j = ctx;
    take(j, wzp_pcap_convert_message(j->convert, message));
}

static bool has_failed(void *ctx) {
    const job *j = ctx;
    return j->failed;
}

/* --- the file --------------------------------------------------------------------------------- */

static int inject(job *j) {
    wzp_bytes text = {0};
    uint8_t *bytes = NULL;
    if (j->asked->inject == NULL) {
        return -1;
    }
    FILE *file = fopen(j->asked->inject, "rb");
    bytes = file != NULL ? malloc(KEYLOG_MAX) : NULL;
    if (bytes != NULL) {
        text = wzp_bytes_of(bytes, fread(bytes, 1, KEYLOG_MAX, file));
    }
    const bool ok = bytes != NULL && ferror(file) == 0 && feof(file) != 0;
    if (!ok) {
        (void)wzp_pcap_complain("%s: %s", j->asked->inject,
                                file == NULL ? wzp_io_reason(errno) : "cannot be read whole");
    } else {
        take(j, wzp_pcap_convert_inject(j->convert, text));
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(bytes);
    return ok ? -1 : EXIT_UNREADABLE;
}

static int open_all(job *j, const wzp_pcap_options *options, wzp_pcap_convert_form form) {
    const wzp_pcap_convert_cfg cfg = {.form = form,
                                      .sink = to_file,
                                      .sink_ctx = j,
                                      .strip_secrets = j->asked->strip_secrets,
                                      .anonymous = j->asked->anonymous,
                                      .seed = j->asked->seed};
    j->file = wzp_pcap_create(j->asked->path);
    if (j->file == NULL) {
        fail(j, errno == EEXIST ? "is there already; remove it or name another"
                                : wzp_io_reason(errno));
        return EXIT_UNREADABLE;
    }
    if (wzp_pcap_convert_new(&j->convert, &cfg) != WZP_OK) {
        fail(j, "no memory");
        return EXIT_UNREADABLE;
    }
    if (form == WZP_PCAP_CONVERT_PACKETS) {
        return inject(j);
    }
    const wzp_pcap_decoder_cfg decoder = {
        .sink = on_message, .sink_ctx = j, .legacy_nonce = options->legacy_nonce};
    if (wzp_pcap_decoder_new(&j->decoder, &decoder) != WZP_OK) {
        fail(j, "no memory");
        return EXIT_UNREADABLE;
    }
    return wzp_pcap_source_keys(options, j->decoder);
}

/* A file that nothing could be written into is taken away again. */
static int close_all(job *j, int status) {
    const bool is_ours = j->file != NULL;
    if (is_ours && fclose(j->file) != 0) {
        fail(j, wzp_io_reason(errno));
    }
    wzp_pcap_decoder_free(&j->decoder);
    wzp_pcap_convert_free(&j->convert);
    status = j->failed ? EXIT_UNREADABLE : status;
    if (is_ours && status == EXIT_UNREADABLE) {
        (void)unlink(j->asked->path);
    }
    return status;
}

static int tell(const job *j, const wzp_pcap_options *options) {
    const wzp_pcap_convert_counters *n = wzp_pcap_convert_count(j->convert);
    if (!options->quiet) {
        (void)printf("%s: %llu packets, %llu left out, %llu blocks of secrets stripped\n",
                     j->asked->path, (unsigned long long)n->written,
                     (unsigned long long)n->left_out, (unsigned long long)n->secrets_stripped);
    }
    return n->written > 0 ? EXIT_GOOD : EXIT_FINDINGS;
}

int wzp_pcap_transcode_run(const wzp_pcap_transcode *transcode, const wzp_pcap_options *options) {
    job j = {.asked = transcode};
    wzp_pcap_convert_form form = WZP_PCAP_CONVERT_PACKETS;
    if (!find_form(transcode, &form)) {
        return EXIT_USAGE;
    }
    int status = open_all(&j, options, form);
    if (status < 0) {
        wzp_pcap_source source = {.options = options,
                                  .decoder = j.decoder,
                                  .item = on_item,
                                  .stop = has_failed,
                                  .ctx = &j};
        status = wzp_pcap_source_run(&source, options->args[0]);
    }
    if (status < 0 && !j.failed) {
        status = tell(&j, options);
    }
    return close_all(&j, status);
}
