#include "conformance/embedded/identity.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/files.h"

static bool make_folder(wzp_ct_identity *id) {
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment */
    const char *place = getenv("TMPDIR");
    const int n = snprintf(id->folder, sizeof id->folder, "%s/wzp-conformance-XXXXXX",
                           place != NULL ? place : "/tmp");
    if (n < 0 || (size_t)n >= sizeof id->folder || mkdtemp(id->folder) == NULL) {
        id->folder[0] = '\0';
        return false;
    }
    (void)snprintf(id->path, sizeof id->path, "%s/identity", id->folder);
    return true;
}

bool wzp_ct_identity_prepare(wzp_ct_identity *id, wzp_ct_identity_file file) {
    static const char known[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static const char corrupt[] = "00010203040506070809 is where the disk was full";
    if (id->folder[0] == '\0' && !make_folder(id)) {
        return false;
    }
    return file == WZP_CT_IDENTITY_AS_LEFT ||
           wzp_io_write_atomic(id->path,
                               wzp_bytes_str(file == WZP_CT_IDENTITY_KNOWN ? known : corrupt),
                               0600) == WZP_OK;
}

void wzp_ct_identity_clear(wzp_ct_identity *id) {
    DIR *folder = id->folder[0] != '\0' ? opendir(id->folder) : NULL;
    if (folder == NULL) {
        return;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this folder */
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* "." and ".." stay */
    }
    (void)closedir(folder);
    (void)rmdir(id->folder);
    *id = (wzp_ct_identity){0};
}
