#include "client/passphrase.h"

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void psst_passphrase_wipe(struct psst_passphrase *pass)
{
    psst_wipe(pass, sizeof *pass);
}

enum psst_err psst_passphrase_pipe(int *out_fd, struct psst_passphrase *pass, struct psst_diag *diag)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        psst_passphrase_wipe(pass);
        return psst_fail(diag, PSST_ERR_IO, "no pipe for the passphrase: %s", strerror(errno));
    }
    ssize_t n = write(ends[1], pass->text, pass->len);
    bool whole = n >= 0 && (size_t)n == pass->len;
    psst_passphrase_wipe(pass);
    (void)close(ends[1]);
    if (whole) {
        *out_fd = ends[0];
        return PSST_OK;
    }
    (void)close(ends[0]);
    return psst_fail(diag, PSST_ERR_IO, "the passphrase could not be handed over");
}

enum psst_err psst_passphrase_read(struct psst_passphrase *out, int fd, struct psst_diag *diag)
{
    struct psst_passphrase pass = {.len = 0};
    enum psst_err err = PSST_OK;
    /* one byte more than allowed, and a line feed */
    char bytes[PSST_PASSPHRASE_MAX + 2];
    size_t len = 0;
    while (len < sizeof bytes) {
        ssize_t n = read(fd, bytes + len, sizeof bytes - len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) err = psst_fail(diag, PSST_ERR_IO, "the passphrase cannot be read: %s", strerror(errno));
        if (n <= 0) break;
        len += (size_t)n;
    }
    if (err == PSST_OK) {
        if (len > 0 && bytes[len - 1] == '\n') len--;
        if (len > PSST_PASSPHRASE_MAX)
            err = psst_fail(diag, PSST_ERR_TOO_LONG, "the passphrase is longer than %d bytes", PSST_PASSPHRASE_MAX);
        else if (memchr(bytes, '\n', len) != NULL || memchr(bytes, '\0', len) != NULL)
            err = psst_fail(diag, PSST_ERR_MALFORMED, "the passphrase must be one line of text");
    }
    if (err == PSST_OK) {
        memcpy(pass.text, bytes, len);
        pass.len = len;
        *out = pass;
    }
    psst_wipe(bytes, sizeof bytes);
    psst_passphrase_wipe(&pass);
    return err;
}

enum psst_err psst_passphrase_from_file(struct psst_passphrase *out, const char *path, bool *loose,
                                        struct psst_diag *diag)
{
    struct stat st;
    *loose = false;
    if (strcmp(path, "-") == 0) return psst_passphrase_read(out, STDIN_FILENO, diag);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return psst_fail(diag, PSST_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) *loose = (st.st_mode & 0077) != 0;
    enum psst_err err = psst_passphrase_read(out, fd, diag);
    (void)close(fd);
    return err;
}
