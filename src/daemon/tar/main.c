/* psst-tar: measure, pack, unpack (tar.h). psstd starts it; whoever likes may try it by hand:
 *     psst-tar measure <folder        psst-tar unpack <archive 1<empty-folder */
#include "daemon/tar/sandbox.h"
#include "daemon/tar/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the report ---- */

static size_t reported;

PSST_PRINTF(1, 2) static void report(const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[len++] = '\n';
    if (len > PSST_TAR_REPORT_MAX - reported) return;
    reported += len;
    for (size_t done = 0; done < len;) {
        ssize_t put = write(PSST_TAR_REPORT_FD, line + done, len - done);
        if (put < 0 && errno != EINTR) return;
        if (put > 0) done += (size_t)put;
    }
}

static void report_facts(const struct psst_tar_facts *facts)
{
    report("size %" PRIu64, facts->size);
    report("stamp %016" PRIx64, facts->stamp);
    report("bytes %" PRIu64, facts->bytes);
    report("files %" PRIu32, facts->files);
    report("folders %" PRIu32, facts->folders);
    report("left %" PRIu32, facts->left);
    report("renamed %" PRIu32, facts->renamed);
}

static enum psst_tar_exit exit_of(enum psst_err err)
{
    switch (err) {
    case PSST_OK: return PSST_TAR_DONE;
    case PSST_ERR_MALFORMED:
    case PSST_ERR_TOO_LONG: return PSST_TAR_REFUSED;
    case PSST_ERR_NOT_FOUND: return PSST_TAR_CHANGED;
    case PSST_ERR_DISK_FULL: return PSST_TAR_DISK_FULL;
    case PSST_ERR_EXPIRED: return PSST_TAR_LEFT;
    case PSST_ERR_USAGE: return PSST_TAR_USAGE;
    default: return PSST_TAR_FAILED;
    }
}

static int finish(enum psst_err err, const struct psst_diag *diag)
{
    if (err == PSST_ERR_MEMORY)
        report("error There is not enough memory for that folder.");
    else if (err != PSST_OK)
        report("error %s", diag->text[0] != '\0' ? diag->text : "psst-tar cannot go on.");
    return (int)exit_of(err);
}

/* ---- what it does ---- */

static unsigned named;

static void left_out(void *ctx, const char *path, const char *why)
{
    (void)ctx;
    if (named++ < PSST_TAR_NAMED_MAX) report("out %s: %s", psst_tar_shown(psst_view_str(path)), why);
}

static int measure(void)
{
    struct psst_diag diag = {{0}};
    struct psst_tar_facts facts;
    enum psst_err err = psst_tar_sandbox(PSST_TAR_MAY_LOOK);
    if (err == PSST_OK) err = psst_tar_measure(STDIN_FILENO, &facts, left_out, NULL, &diag);
    if (err == PSST_OK) report_facts(&facts);
    return finish(err, &diag);
}

static bool number(const char *word, int base, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(word, &end, base);
    return errno == 0 && end != word && *end == '\0' && word[0] != '-';
}

static int pack(uint64_t size, uint64_t stamp)
{
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_tar_sandbox(PSST_TAR_MAY_LOOK);
    if (err == PSST_OK) err = psst_tar_pack(STDIN_FILENO, STDOUT_FILENO, size, stamp, &diag);
    return finish(err, &diag);
}

static int unpack(void)
{
    struct psst_diag diag = {{0}};
    struct psst_tar_facts facts = {0};
    (void)umask(077);
    /* names that somebody else's tar calls UTF-8 are read as such; ours are bytes in any locale */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    enum psst_err err = psst_tar_unpack(STDIN_FILENO, STDOUT_FILENO, &facts, &diag);
    if (err == PSST_OK) report_facts(&facts);
    return finish(err, &diag);
}

static bool is_folder(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int main(int argc, char **argv)
{
    uint64_t size, stamp;
    struct psst_diag diag = {{0}};
    enum psst_err err = psst_tar_harden();
    if (err != PSST_OK) return finish(err, &diag);
    if (fcntl(PSST_TAR_LINE_FD, F_GETFD) >= 0) psst_tar_line_set(PSST_TAR_LINE_FD);
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "measure") == 0 && argc == 2 && is_folder(STDIN_FILENO)) return measure();
    if (strcmp(verb, "pack") == 0 && argc == 4 && is_folder(STDIN_FILENO) && number(argv[2], 10, &size) &&
        number(argv[3], 16, &stamp))
        return pack(size, stamp);
    if (strcmp(verb, "unpack") == 0 && argc == 2 && is_folder(STDOUT_FILENO)) return unpack();
    report(
        "error psst-tar packs and unpacks folders for psstd, which starts it by itself. There is nothing to run here.");
    return PSST_TAR_USAGE;
}
