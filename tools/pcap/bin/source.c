#include "tools/pcap/bin/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "io/sys.h"

#define KEYS_EVERY_MS 100           /* key logs are looked at while nothing comes */
#define KEYS_MAX ((size_t)64 << 20) /* bytes of a key log: a day of a busy relay */

/* --- keys ------------------------------------------------------------------------------------- */

/* The whole file, malloc'd; false after a complaint. */
static bool read_keys(const char *path, char **text, size_t *len) {
    struct stat about;
    *text = NULL;
    if (stat(path, &about) != 0) {
        return wzp_pcap_complain("%s: %s", path, wzp_io_reason(errno));
    }
    /* A pipe has no size. */
    const size_t cap = S_ISREG(about.st_mode) ? (size_t)about.st_size + 1 : (size_t)1 << 20;
    if (cap > KEYS_MAX) {
        return wzp_pcap_complain("%s: a key log of more than %zu bytes; cut out what is needed",
                                 path, KEYS_MAX);
    }
    *text = malloc(cap);
    if (*text == NULL) {
        return wzp_pcap_complain("%s: no memory", path);
    }
    return wzp_io_read_file(path, *text, cap, len) ||
           wzp_pcap_complain("%s: %s", path, wzp_io_reason(errno));
}

static int take_keylog(wzp_pcap_decoder *decoder, const char *path) {
    char *text;
    size_t len = 0;
    int status = EXIT_UNREADABLE;
    if (read_keys(path, &text, &len)) {
        if (wzp_pcap_decoder_secrets(decoder, wzp_bytes_of(text, len)) == WZP_OK) {
            status = -1;
        } else {
            (void)wzp_pcap_complain("%s: no memory", path);
        }
        wzp_crypto_wipe(text, len);
    }
    free(text);
    return status;
}

static int take_media_keys(wzp_pcap_decoder *decoder, const char *path) {
    char *text;
    size_t len = 0;
    size_t line = 0;
    int status = EXIT_UNREADABLE;
    if (read_keys(path, &text, &len)) {
        const wzp_err err = wzp_pcap_decoder_media_keys(decoder, wzp_bytes_of(text, len), &line);
        if (err == WZP_OK) {
            status = -1;
        } else if (err == WZP_ERR_PARSE) {
            (void)wzp_pcap_complain("%s:%zu: not 'WZP_MEDIA_KEY CLIENT_RANDOM|* EPOCH KEY'", path,
                                    line);
        } else {
            (void)wzp_pcap_complain("%s: %s", path, wzp_err_text(err));
        }
        wzp_crypto_wipe(text, len);
    }
    free(text);
    return status;
}

int wzp_pcap_source_keys(const wzp_pcap_options *options, wzp_pcap_decoder *decoder) {
    int status = -1;
    for (size_t i = 0; status == -1 && i < options->keylog_count; i++) {
        status = take_keylog(decoder, options->keylogs[i]);
    }
    for (size_t i = 0; status == -1 && i < options->media_key_count; i++) {
        status = take_media_keys(decoder, options->media_keys[i]);
    }
    return status;
}

/* --- the capture ------------------------------------------------------------------------------ */

int wzp_pcap_source_take(wzp_pcap_source *source, const wzp_pcap_item *item, bool *enough) {
    if (source->decoder != NULL && wzp_pcap_decoder_take(source->decoder, item) != WZP_OK) {
        (void)wzp_pcap_complain("no memory");
        return EXIT_UNREADABLE;
    }
    if (source->item != NULL) {
        source->item(source->ctx, item);
    }
    *enough = item->kind == WZP_PCAP_ITEM_PACKET &&
              (item->packet.number >= source->options->max_packets ||
               (source->stop != NULL && source->stop(source->ctx)));
    return -1;
}

/* Everything that the reader has now. */
static int take_items(wzp_pcap_source *source, wzp_pcap_reader *reader, bool *enough) {
    wzp_pcap_item item;
    int status = -1;
    while (status == -1 && !*enough && wzp_pcap_reader_next(reader, &item)) {
        status = wzp_pcap_source_take(source, &item, enough);
    }
    return status;
}

/* Secrets of a call that goes on come while it is captured.  A log that cannot be read any more is
 * no reason to end. */
static void refresh_keys(wzp_pcap_source *source) {
    for (size_t i = 0; source->decoder != NULL && i < source->options->keylog_count; i++) {
        struct stat about;
        if (stat(source->options->keylogs[i], &about) == 0 && S_ISREG(about.st_mode) &&
            (uint64_t)about.st_size != source->keylog_sizes[i]) {
            source->keylog_sizes[i] = (uint64_t)about.st_size;
            (void)take_keylog(source->decoder, source->options->keylogs[i]);
        }
    }
}

void wzp_pcap_source_pause(wzp_pcap_source *source, bool waits) {
    if (waits) {
        refresh_keys(source);
    }
    if (source->reading != NULL) {
        source->reading(source->ctx, waits);
    }
}

static bool nothing_there(int fd) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, 0) == 0;
}

/* While nothing comes, key logs are looked at. */
static void wait_for(wzp_pcap_source *source, int fd) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    wzp_pcap_source_pause(source, nothing_there(fd));
    while (source->options->keylog_count > 0 && poll(&ready, 1, KEYS_EVERY_MS) == 0) {
        wzp_pcap_source_pause(source, true);
    }
}

/* 0: the end of the file; -1: errno says why. */
static ssize_t read_some(int fd, uint8_t *room, size_t cap) {
    ssize_t got;
    do {
        got = read(fd, room, cap);
    } while (got < 0 && errno == EINTR);
    return got;
}

static int read_all(wzp_pcap_source *source, wzp_pcap_reader *reader, int fd, const char *path) {
    bool enough = false;
    int status = -1;
    for (ssize_t got = 1; got != 0 && status == -1 && !enough;) {
        size_t cap;
        uint8_t *room = wzp_pcap_reader_room(reader, &cap);
        wait_for(source, fd);
        got = read_some(fd, room, cap);
        if (got < 0) {
            (void)wzp_pcap_complain("%s: %s", path, wzp_io_reason(errno));
            return EXIT_UNREADABLE;
        }
        wzp_pcap_reader_filled(reader, (size_t)got);
        status = take_items(source, reader, &enough);
    }
    return status;
}

/* One line when nothing at all can be made of a file. */
static int judge(const wzp_pcap_source *source, const char *path) {
    if (source->read.bytes == 0) {
        (void)wzp_pcap_complain("%s: an empty file", path);
    } else if (source->form == WZP_PCAP_FORM_UNKNOWN) {
        (void)wzp_pcap_complain("%s: neither pcap, pcapng, .wzp nor hexadecimal lines", path);
    } else if (source->read.packets == 0 && source->read.problems > 0) {
        (void)wzp_pcap_complain("%s: no packet in it can be read", path);
    } else {
        return -1;
    }
    return EXIT_UNREADABLE;
}

int wzp_pcap_source_run(wzp_pcap_source *source, const char *path) {
    wzp_pcap_reader *reader;
    const bool is_stdin = strcmp(path, "-") == 0;
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)wzp_pcap_complain("%s: %s", path, wzp_io_reason(errno));
        return EXIT_UNREADABLE;
    }
    int status = EXIT_UNREADABLE;
    if (wzp_pcap_reader_new(&reader) == WZP_OK) {
        status = read_all(source, reader, fd, path);
        source->form = wzp_pcap_reader_form(reader);
        source->read = *wzp_pcap_reader_count(reader);
        if (source->decoder != NULL) {
            wzp_pcap_decoder_end(source->decoder);
        }
        if (status == -1) {
            status = judge(source, path);
        }
        wzp_pcap_reader_free(&reader);
    } else {
        (void)wzp_pcap_complain("%s: no memory", path);
    }
    if (!is_stdin) {
        (void)close(fd);
    }
    return status;
}
