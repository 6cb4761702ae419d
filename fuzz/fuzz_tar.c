/* A folder that somebody sent: from the archive to the disk (attacks 29 to 33).
 *
 * input: u8 how, then the archive (0: as it is, 1: with its checksums put right) or, 2, what a reader that a hostile archive
 * has taken over would say to the process that writes. Whatever it is: it is refused, or every name is a safe one, in its
 * place, once; and then exactly these files and folders lie in the folder, plain ones, and nothing around it has changed.
 */
#include "fuzz.h"

#include "base/file_name.h"
#include "base/text.h"
#include "daemon/tar/tar.h"
#include "daemon/tar/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64] = "/dev/shm/psst-fuzz-XXXXXX";
static int root_fd = -1, into_fd = -1;

static void remove_world(void)
{
    (void)!psst_tree_empty(root_fd);
    (void)rmdir(root);
}

static void make_world(void)
{
    if (root_fd >= 0) return;
    (void)umask(077);
    if (access("/dev/shm", W_OK) != 0) memcpy(root, "/tmp/psst-fuzz-XXXXXX", sizeof "/tmp/psst-fuzz-XXXXXX");
    FUZZ_CHECK(mkdtemp(root) != NULL);
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(root_fd >= 0 && atexit(remove_world) == 0);
    FUZZ_CHECK(mkdirat(root_fd, "into", 0700) == 0 && mkdirat(root_fd, "victim", 0700) == 0);
    into_fd = openat(root_fd, "into", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(into_fd >= 0);
}

/* ---- what is true of every plan ---- */

static void check_name(const char *name)
{
    size_t len = strlen(name);
    FUZZ_CHECK(len >= 1 && len < PSST_SAFE_NAME_SIZE && strchr(name, '/') == NULL && strchr(name, '\\') == NULL);
    FUZZ_CHECK(name[0] != '.' && name[0] != '-' && psst_text_valid(psst_view_str(name)));
    for (size_t i = 0; i < len; i++) FUZZ_CHECK((uint8_t)name[i] >= 0x20 && name[i] != 0x7f);
}

static void check_plan(const struct psst_tar_plan *plan)
{
    uint64_t bytes = 0;
    uint32_t files = 0, folders = 0;
    for (const struct psst_tar_node *node = plan->first; node != NULL; node = node->next) {
        check_name(node->name);
        FUZZ_CHECK(node->depth == (node->parent == NULL ? 1 : node->parent->depth + 1));
        FUZZ_CHECK(node->depth <= PSST_TAR_DEPTH_MAX && (node->parent == NULL || node->parent->folder));
        FUZZ_CHECK(node->offset <= plan->archive_size && node->size <= plan->archive_size - node->offset);
        FUZZ_CHECK(!node->folder || node->size == 0);
        bytes += node->size;
        files += !node->folder;
        folders += node->folder;
    }
    FUZZ_CHECK(bytes == plan->bytes && bytes <= plan->archive_size);
    FUZZ_CHECK(files == plan->files && folders == plan->folders && files + folders <= PSST_TAR_ENTRIES_MAX);
}

/* ---- what is true of the disk ---- */

static unsigned count(int dir_fd)
{
    unsigned n = 0;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    FUZZ_CHECK(dir != NULL);
    while (readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n - 2;
}

/* The node is where the plan has it; one by one, since a file system could take two names for one. */
static void check_written(const struct psst_tar_node *node)
{
    const struct psst_tar_node *way[PSST_TAR_DEPTH_MAX + 1];
    char path[PSST_TAR_DEPTH_MAX * PSST_SAFE_NAME_SIZE + 1];
    size_t at = 0;
    struct stat st;
    for (const struct psst_tar_node *n = node; n != NULL; n = n->parent) way[n->depth] = n;
    for (unsigned d = 1; d <= node->depth; d++)
        at += (size_t)snprintf(path + at, sizeof path - at, d == 1 ? "%s" : "/%s", way[d]->name);
    FUZZ_CHECK(fstatat(into_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
    FUZZ_CHECK((st.st_mode & S_IFMT) == (node->folder ? S_IFDIR : S_IFREG));
    FUZZ_CHECK((st.st_mode & 07777) == (node->folder ? 0700 : 0600));
    FUZZ_CHECK(node->folder || ((uint64_t)st.st_size == node->size && st.st_nlink == 1));
}

static void write_plan(struct psst_tar_plan *plan, int archive_fd)
{
    struct psst_diag diag = {{0}};
    unsigned top = 0;
    if (psst_tar_write(plan, archive_fd, into_fd, &diag) == PSST_OK) {
        for (const struct psst_tar_node *node = plan->first; node != NULL; node = node->next) {
            check_written(node);
            top += node->depth == 1;
        }
        FUZZ_CHECK(count(into_fd) == top);
    } else {
        FUZZ_CHECK(strnlen(diag.text, sizeof diag.text) < sizeof diag.text && diag.text[0] != '\0');
    }
    FUZZ_CHECK(psst_tree_empty(into_fd) == PSST_OK && count(into_fd) == 0);
    int victim = openat(root_fd, "victim", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(victim >= 0 && count(victim) == 0 && count(root_fd) == 2);
    (void)close(victim);
}

/* ---- one input ---- */

static enum psst_err add(void *ctx, const struct psst_tar_item *item, struct psst_diag *diag)
{
    return psst_tar_plan_add(ctx, item, diag);
}

/* What says that it is a header gets the checksum of one, so that chance need not find it. */
static void repair(uint8_t *data, size_t len)
{
    for (; len >= PSST_TAR_BLOCK; data += PSST_TAR_BLOCK, len -= PSST_TAR_BLOCK) {
        if (memcmp(data + 257, "ustar", 5) != 0) continue;
        unsigned sum = 0;
        memset(data + 148, ' ', 8);
        for (size_t i = 0; i < PSST_TAR_BLOCK; i++) sum += data[i];
        char digits[8];
        (void)snprintf(digits, sizeof digits, "%06o", sum);
        memcpy(data + 148, digits, 7);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view input = psst_view(data, size);
    uint8_t how = fuzz_take_u8(&input) % 3;
    make_world();
    int fd = memfd_create("archive", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, (off_t)input.len) == 0);
    uint8_t *copy = malloc(input.len + 1);
    FUZZ_CHECK(copy != NULL);
    if (input.len > 0) memcpy(copy, input.data, input.len);
    if (how == 1) repair(copy, input.len);
    FUZZ_CHECK(pwrite(fd, copy, input.len, 0) == (ssize_t)input.len);
    free(copy);

    struct psst_tar_plan plan;
    struct psst_diag diag = {{0}};
    psst_tar_plan_init(&plan, input.len);
    enum psst_err err = how == 2 ? psst_tar_listen(fd, &plan, &diag) : psst_tar_read(fd, input.len, add, &plan, &diag);
    if (err == PSST_ERR_MALFORMED) FUZZ_CHECK(strncmp(diag.text, "What came", 9) == 0 || how == 2);
    check_plan(&plan);
    if (err == PSST_OK) write_plan(&plan, fd);
    psst_tar_plan_fini(&plan);
    (void)close(fd);
    return 0;
}
