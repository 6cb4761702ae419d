#include "client/card_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

static enum psst_err read_up_to(int fd, char *out, size_t max, size_t *len)
{
    for (*len = 0; *len < max;) {
        ssize_t n = read(fd, out + *len, max - *len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return PSST_ERR_IO;
        if (n == 0) break;
        *len += (size_t)n;
    }
    return PSST_OK;
}

enum psst_err psst_card_file_read(char out[PSST_CARD_FILE_MAX + 1], const char *path, struct psst_diag *diag)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    size_t len = 0;
    if (fd < 0) return psst_fail(diag, PSST_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    enum psst_err err = PSST_OK;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        err = PSST_ERR_IO;
    }
    if (err == PSST_OK) err = read_up_to(fd, out, PSST_CARD_FILE_MAX + 1, &len);
    if (err != PSST_OK) err = psst_fail(diag, err, "cannot read %s: %s", path, strerror(errno));
    if (!standard_input) (void)close(fd);
    if (err != PSST_OK) return err;
    if (len > PSST_CARD_FILE_MAX)
        return psst_fail(diag, PSST_ERR_TOO_LONG, "that is no card: it has more than %d bytes", PSST_CARD_FILE_MAX);
    if (!psst_text_valid(psst_view(out, len)))
        return psst_fail(diag, PSST_ERR_MALFORMED, "that is no card: it is no text");
    out[len] = '\0';
    return PSST_OK;
}

enum psst_err psst_card_file_check(const char *path, struct psst_diag *diag)
{
    struct stat st;
    if (stat(path, &st) != 0) return psst_fail(diag, PSST_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) return PSST_OK; /* reading has the words about folders */
    return psst_fail(diag, PSST_ERR_IO, "%s is no file", path);
}

/* ---- writing ---- */

/* Whether the file is a card, which may be replaced; anything else that has this name is left alone. */
static bool is_card(const char *path)
{
    char text[PSST_CARD_FILE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    size_t len = 0;
    bool readable = fd >= 0 && read_up_to(fd, text, PSST_CARD_FILE_MAX, &len) == PSST_OK;
    if (fd >= 0) (void)close(fd);
    if (!readable) return false;
    text[len] = '\0';
    return strstr(text, "-----BEGIN PUBLIC KEY-----") != NULL && strstr(text, "PRIVATE") == NULL;
}

static bool write_all(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

enum psst_err psst_card_file_write(const char *path, const char *card, bool secret, struct psst_diag *diag)
{
    struct stat st;
    if (lstat(path, &st) == 0 && !is_card(path))
        return psst_fail(diag, PSST_ERR_EXISTS, "%s is there, and no card: it is left as it is", path);
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) return psst_fail(diag, PSST_ERR_MEMORY, "out of memory");
    int fd = mkostemp(beside, O_CLOEXEC);
    bool good = fd >= 0 && fchmod(fd, secret ? 0600 : 0644) == 0 && write_all(fd, card) && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0) (void)close(fd);
    if (good && rename(beside, path) != 0) {
        reason = errno;
        good = false;
    }
    if (!good && fd >= 0) (void)unlink(beside);
    free(beside);
    return good ? PSST_OK : psst_fail(diag, PSST_ERR_IO, "cannot write %s: %s", path, strerror(reason));
}

/* ---- QR ---- */

bool psst_card_for_qr(char out[PSST_CARD_FILE_MAX + 1], const char *card)
{
    size_t len = 0;
    for (const char *line = card; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        n += line[n] == '\n';
        bool follows = strncmp(line, "Key:", 4) == 0 || strncmp(line, "Fingerprint:", 12) == 0;
        if (!follows && len + n > PSST_CARD_FILE_MAX) return false;
        if (!follows) memcpy(out + len, line, n);
        len += follows ? 0 : n;
        line += n;
    }
    out[len] = '\0';
    return true;
}
