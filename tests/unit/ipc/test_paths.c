/* Where things lie, and what may lie there (attacks 43, 45, 46). */
#include "support/check.h"

#include "ipc/lockfile.h"
#include "ipc/paths.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/psst-paths-XXXXXX");
    static const char *const variables[] = {
        "PSST_HOME", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_DOWNLOAD_DIR"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) (void)unsetenv(variables[i]);
    (void)umask(022);
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_root(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 256, "%s/%s", root, name);
    return path;
}

static void write_file(const char *path, const char *content, mode_t mode)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(0, fclose(f));
    assert_int_equal(0, chmod(path, mode));
}

static void paths__psst_home__holds_everything(void **state)
{
    (void)state;
    struct psst_paths p;
    (void)setenv("PSST_HOME", "/srv/alice//", 1);
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal("/srv/alice/config", p.config);
    assert_string_equal("/srv/alice/identity.pem", p.identity);
    assert_string_equal("/srv/alice/card.psst", p.card);
    assert_string_equal("/srv/alice/store.key", p.store_key);
    assert_string_equal("/srv/alice/store.db", p.store_db);
    assert_string_equal("/srv/alice/replay", p.replay);
    assert_string_equal("/srv/alice/run/psst.sock", p.socket);
    assert_string_equal("/srv/alice/run/psstd.lock", p.lock);
    assert_string_equal("/srv/alice/downloads", p.download_dir);
}

static void paths__xdg__defaults_and_variables(void **state)
{
    (void)state;
    struct psst_paths p;
    (void)setenv("HOME", root, 1);
    (void)setenv("PSST_HOME", "", 1); /* empty counts as not set */
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal(in_root(".config/psst/config"), p.config);
    assert_string_equal(in_root(".local/share/psst/identity.pem"), p.identity);
    assert_string_equal(in_root(".local/state/psst/run/psst.sock"), p.socket);
    assert_string_equal(root, p.download_dir);
    assert_int_equal(0, mkdir(in_root("Downloads"), 0755));
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal(in_root("Downloads"), p.download_dir);
    (void)setenv("XDG_CONFIG_HOME", "/c", 1);
    (void)setenv("XDG_DATA_HOME", "/d", 1);
    (void)setenv("XDG_RUNTIME_DIR", "/r", 1);
    (void)setenv("XDG_DOWNLOAD_DIR", "/get", 1);
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal("/c/psst/config", p.config);
    assert_string_equal("/d/psst/store.db", p.store_db);
    assert_string_equal("/r/psst/psst.sock", p.socket);
    assert_string_equal("/get", p.download_dir);
}

static void paths__user_dirs__name_the_downloads(void **state)
{
    (void)state;
    struct psst_paths p;
    (void)setenv("HOME", root, 1);
    assert_int_equal(0, mkdir(in_root(".config"), 0700));
    write_file(in_root(".config/user-dirs.dirs"),
               "# comment\nXDG_DESKTOP_DIR=\"$HOME/Desktop\"\nXDG_DOWNLOAD_DIR=\"$HOME/Geladen\"\n", 0600);
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal(in_root("Geladen"), p.download_dir);
    write_file(in_root(".config/user-dirs.dirs"), "XDG_DOWNLOAD_DIR=\"/mnt/big\"\n", 0600);
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal("/mnt/big", p.download_dir);
    write_file(in_root(".config/user-dirs.dirs"), "XDG_DOWNLOAD_DIR=\"relative\"\nXDG_DOWNLOAD_DIR=\"/open\n", 0600);
    assert_ok(psst_paths_get(&p, NULL));
    assert_string_equal(root, p.download_dir);
}

static void paths__relative_missing_or_too_long__are_refused(void **state)
{
    (void)state;
    struct psst_paths p = {.config = "untouched"};
    struct psst_diag diag = {{0}};
    assert_err(PSST_ERR_USAGE, psst_paths_get(&p, &diag));
    assert_non_null(strstr(diag.text, "HOME"));
    (void)setenv("PSST_HOME", "relative", 1);
    assert_err(PSST_ERR_USAGE, psst_paths_get(&p, NULL));
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[107 - strlen("/run/psst.sock")] = '\0'; /* with the socket's name exactly what fits */
    (void)setenv("PSST_HOME", longest, 1);
    struct psst_paths fits;
    assert_ok(psst_paths_get(&fits, NULL));
    longest[107 - strlen("/run/psst.sock")] = 'x';
    longest[108 - strlen("/run/psst.sock")] = '\0';
    (void)setenv("PSST_HOME", longest, 1);
    assert_err(PSST_ERR_USAGE, psst_paths_get(&p, NULL));
    (void)unsetenv("PSST_HOME");
    (void)setenv("HOME", "/h", 1);
    (void)setenv("XDG_DATA_HOME", "here", 1);
    assert_err(PSST_ERR_USAGE, psst_paths_get(&p, NULL));
    assert_string_equal("untouched", p.config);
}

static void make_dir__new__is_private_with_its_parents(void **state)
{
    (void)state;
    struct stat st;
    (void)umask(0);
    assert_ok(psst_paths_make_dir(in_root("a/b/c"), true, NULL));
    assert_int_equal(0, stat(in_root("a/b/c"), &st));
    assert_int_equal(0700, st.st_mode & 07777);
    assert_int_equal(0, stat(in_root("a"), &st));
    assert_int_equal(0700, st.st_mode & 07777);
    assert_ok(psst_paths_make_dir(in_root("a/b/c"), true, NULL)); /* again */
}

static void make_dir__link_file_or_open_to_others__is_refused(void **state)
{
    (void)state;
    assert_int_equal(0, mkdir(in_root("real"), 0700));
    assert_int_equal(0, symlink(in_root("real"), in_root("link")));
    assert_err(PSST_ERR_PERMISSION, psst_paths_make_dir(in_root("link"), true, NULL));
    write_file(in_root("file"), "", 0600);
    assert_err(PSST_ERR_PERMISSION, psst_paths_make_dir(in_root("file"), true, NULL));
    static const struct {
        mode_t mode;
        bool private_ok, shared_ok;
    } cases[] = {{0700, true, true},   {0500, true, true},   {0755, false, true},  {0750, false, true},
                 {0701, false, true},  {0770, false, false}, {0720, false, false}, {0702, false, false},
                 {0777, false, false}, {01777, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_diag diag = {{0}};
        assert_int_equal(0, chmod(in_root("real"), cases[i].mode));
        enum psst_err as_private = psst_paths_make_dir(in_root("real"), true, &diag);
        assert_err(cases[i].private_ok ? PSST_OK : PSST_ERR_PERMISSION, as_private);
        if (!cases[i].private_ok) assert_non_null(strstr(diag.text, "chmod 700 "));
        assert_err(cases[i].shared_ok ? PSST_OK : PSST_ERR_PERMISSION,
                   psst_paths_make_dir(in_root("real"), false, NULL));
    }
}

static void make_dir__of_another_user__is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) skip();
    assert_int_equal(0, mkdir(in_root("theirs"), 0700));
    assert_int_equal(0, chown(in_root("theirs"), 12345, 12345));
    assert_err(PSST_ERR_PERMISSION, psst_paths_make_dir(in_root("theirs"), true, NULL));
}

static void check_private__modes__name_the_chmod(void **state)
{
    (void)state;
    struct psst_diag diag = {{0}};
    assert_err(PSST_ERR_NOT_FOUND, psst_paths_check_private(in_root("key"), NULL));
    write_file(in_root("key"), "secret", 0600);
    assert_ok(psst_paths_check_private(in_root("key"), NULL));
    assert_int_equal(0, chmod(in_root("key"), 0400));
    assert_ok(psst_paths_check_private(in_root("key"), NULL));
    static const mode_t bad[] = {0640, 0604, 0610, 0601, 0644, 0666};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        diag.text[0] = '\0';
        assert_int_equal(0, chmod(in_root("key"), bad[i]));
        assert_err(PSST_ERR_PERMISSION, psst_paths_check_private(in_root("key"), &diag));
        char want[300];
        (void)snprintf(want, sizeof want, "chmod 600 %s", in_root("key"));
        assert_non_null(strstr(diag.text, want));
    }
    assert_err(PSST_ERR_PERMISSION, psst_paths_check_private(root, NULL));
}

static void lock__second__names_the_first(void **state)
{
    (void)state;
    int fd, other = -1;
    pid_t pid = 0;
    struct psst_diag diag = {{0}};
    char want[64];
    assert_false(psst_lockfile_held(in_root("lock"), NULL));
    assert_ok(psst_lockfile_take(&fd, in_root("lock"), NULL));
    assert_true(psst_lockfile_held(in_root("lock"), &pid));
    assert_int_equal(getpid(), pid);
    assert_err(PSST_ERR_EXISTS, psst_lockfile_take(&other, in_root("lock"), &diag));
    (void)snprintf(want, sizeof want, "process %ld", (long)getpid());
    assert_non_null(strstr(diag.text, want));
    assert_int_equal(-1, other);
    (void)close(fd);
    assert_false(psst_lockfile_held(in_root("lock"), NULL));
    assert_ok(psst_lockfile_take(&fd, in_root("lock"), NULL)); /* a stale file is no obstacle */
    (void)close(fd);
}

static void lock__link__is_not_followed(void **state)
{
    (void)state;
    int fd;
    write_file(in_root("precious"), "12", 0600);
    assert_int_equal(0, symlink(in_root("precious"), in_root("lock")));
    assert_err(PSST_ERR_IO, psst_lockfile_take(&fd, in_root("lock"), NULL));
    struct stat st;
    assert_int_equal(0, stat(in_root("precious"), &st));
    assert_int_equal(2, st.st_size);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths__psst_home__holds_everything),
        TEST(paths__xdg__defaults_and_variables),
        TEST(paths__user_dirs__name_the_downloads),
        TEST(paths__relative_missing_or_too_long__are_refused),
        TEST(make_dir__new__is_private_with_its_parents),
        TEST(make_dir__link_file_or_open_to_others__is_refused),
        TEST(make_dir__of_another_user__is_refused),
        TEST(check_private__modes__name_the_chmod),
        TEST(lock__second__names_the_first),
        TEST(lock__link__is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
