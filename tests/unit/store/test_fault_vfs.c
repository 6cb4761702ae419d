/* The disk that the proofs stand on: what is synced survives a power cut, what is not comes in pieces, in any order, or not
 * at all. Each "may" is looked for over some hundred seeds and has to be found; each "must" has to hold for all. */
#include "support/check.h"
#include "support/fault_vfs.h"

#include <sqlcipher/sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS 400

static char dir[64], path[96];
static sqlite3_file *file;

static int setup(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%.30s/psst-disk-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/file", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static void open_it(int flags)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    assert_int_equal(vfs->xOpen(vfs, path, file, flags, NULL), SQLITE_OK);
}

static void close_it(void)
{
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    free(file);
    file = NULL;
}

static void write_it(const char *text, sqlite3_int64 at)
{
    assert_int_equal(file->pMethods->xWrite(file, text, (int)strlen(text), at), SQLITE_OK);
}

static void fill(char letter, int n, sqlite3_int64 at)
{
    char block[4096];
    memset(block, letter, sizeof block);
    assert_int_equal(file->pMethods->xWrite(file, block, n, at), SQLITE_OK);
}

static void sync_it(void)
{
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_OK);
}

/* A file that held "AAAA...", 4096 of them, safely. */
static void begin(void)
{
    fault_vfs_install();
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 4096; i++) assert_int_equal(fputc('A', f), 'A');
    assert_int_equal(fclose(f), 0);
    open_it(SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB);
}

/* Cuts the power; what is there then, -1: no file. */
static int end(uint64_t seed, char left[8193])
{
    fault_vfs_power_cut();
    close_it();
    fault_vfs_power_back(seed);
    memset(left, 0, 8193);
    FILE *f = fopen(path, "rb");
    int n = f == NULL ? -1 : (int)fread(left, 1, 8192, f);
    if (f != NULL) assert_int_equal(fclose(f), 0);
    fault_vfs_uninstall();
    return n;
}

static void synced__survives__every_cut(void **state)
{
    (void)state;
    char left[8193];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        fill('B', 4096, 0);
        fill('C', 1000, 4096);
        sync_it();
        assert_int_equal(end(seed, left), 5096);
        for (int i = 0; i < 5096; i++) assert_int_equal(left[i], i < 4096 ? 'B' : 'C');
    }
}

static void not_synced__is_there_in_pieces_or_not(void **state)
{
    (void)state;
    char left[8193];
    int none = 0, whole = 0, torn = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        fill('B', 4096, 0);
        assert_int_equal(end(seed, left), 4096);
        int pieces = 0;
        for (int i = 0; i < 4096; i++) {
            assert_true(left[i] == 'A' || left[i] == 'B');
            assert_int_equal(left[i], left[i - i % 512]); /* a piece is whole */
            if (i % 512 == 0 && left[i] == 'B') pieces++;
        }
        none += pieces == 0;
        whole += pieces == 8;
        torn += pieces > 0 && pieces < 8;
    }
    assert_true(none > 20 && whole > 20 && torn > 100);
}

static void not_synced__comes_in_any_order(void **state)
{
    (void)state;
    char left[8193];
    int first_only = 0, second_only = 0, first_of_two = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        fill('B', 512, 0);
        fill('C', 512, 1024);
        fill('D', 512, 2048);
        fill('E', 512, 2048); /* over the one before */
        (void)end(seed, left);
        first_only += left[0] == 'B' && left[1024] == 'A';
        second_only += left[0] == 'A' && left[1024] == 'C';
        first_of_two += left[2048] == 'D';
    }
    assert_true(first_only > 20 && second_only > 20 && first_of_two > 20);
}

static void write__leaves__its_neighbours_alone(void **state)
{
    (void)state;
    char left[8193];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        write_it("middle", 700);
        (void)end(seed, left);
        for (int i = 0; i < 4096; i++)
            if (i < 700 || i >= 706) assert_int_equal(left[i], 'A');
        assert_true(memcmp(left + 700, "middle", 6) == 0 || memcmp(left + 700, "AAAAAA", 6) == 0);
    }
}

static void truncation__not_synced__happened_or_not(void **state)
{
    (void)state;
    char left[8193];
    int shorter = 0, longer = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        assert_int_equal(file->pMethods->xTruncate(file, 100), SQLITE_OK);
        int n = end(seed, left);
        shorter += n == 100;
        longer += n == 4096;
        assert_true(n == 100 || n == 4096);
    }
    assert_true(shorter > 20 && longer > 20);
}

/* As a write-ahead log is made: its name is as unsure as its contents until the first sync. */
static void new_file__not_synced__may_be_missing(void **state)
{
    (void)state;
    char left[8193];
    int missing = 0, empty = 0, there = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fault_vfs_install();
        (void)unlink(path);
        open_it(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB);
        write_it("frame", 0);
        if (seed % 2 == 0) sync_it();
        int n = end(seed, left);
        if (seed % 2 == 0) assert_int_equal(n, 5);
        if (seed % 2 == 0) continue;
        missing += n == -1;
        empty += n == 0;
        there += n == 5;
    }
    assert_true(missing > 10 && empty > 10 && there > 10);
}

/* As a log is removed when the last one closes: it may be back. */
static void removal__not_synced__may_be_undone(void **state)
{
    (void)state;
    char left[8193];
    int back = 0, gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        sqlite3_vfs *vfs;
        int sync_dir = seed % 2 == 0;
        begin();
        vfs = sqlite3_vfs_find(NULL);
        assert_int_equal(vfs->xDelete(vfs, path, sync_dir), SQLITE_OK);
        int n = end(seed, left);
        if (sync_dir) assert_int_equal(n, -1);
        back += n == 4096;
        gone += n == -1 && !sync_dir;
    }
    assert_true(back > 20 && gone > 20);
}

static void power__cut_in_a_write__tears_it(void **state)
{
    (void)state;
    char left[8193];
    int some = 0, lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        fault_vfs_plan(FAULT_POWER, 2, false);
        fill('B', 512, 0);
        assert_int_not_equal(file->pMethods->xSync(file, 0), SQLITE_OK);
        (void)end(seed, left);
        lost += left[0] == 'A';
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        char block[4096];
        memset(block, 'B', sizeof block);
        fault_vfs_plan(FAULT_POWER, 1, false);
        assert_int_not_equal(file->pMethods->xWrite(file, block, sizeof block, 0), SQLITE_OK);
        assert_int_not_equal(file->pMethods->xWrite(file, block, sizeof block, 4096), SQLITE_OK);
        assert_int_equal(end(seed, left), 4096); /* nothing of what came after */
        some += memchr(left, 'B', 4096) != NULL && memchr(left, 'A', 4096) != NULL;
    }
    assert_true(some > 50 && lost > 50); /* a sync in whose middle the power goes has not been one */
}

static void sync__that_failed__has_lost_things_for_good(void **state)
{
    (void)state;
    char left[8193], now[1];
    int lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        fill('B', 512, 0);
        fault_vfs_plan_sync(1, false);
        fault_disk_seed(fault_vfs_disk("/nowhere"), seed); /* of another disk: nothing to do with this one */
        fault_vfs_seed(seed);
        assert_int_equal(file->pMethods->xSync(file, 0), SQLITE_IOERR_FSYNC);
        assert_int_equal(file->pMethods->xRead(file, now, 1, 0), SQLITE_OK);
        assert_int_equal(now[0], 'B'); /* and who reads it is told nothing */
        fill('C', 512, 512);
        sync_it();
        (void)end(seed, left);
        assert_int_equal(left[512], 'C');
        lost += left[0] == 'A';
        kept += left[0] == 'B';
    }
    assert_true(lost + kept == SEEDS && lost > 20 && kept > 20);
}

static void program__that_dies__loses_nothing_yet(void **state)
{
    (void)state;
    char left[8193];
    int lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        begin();
        struct fault_disk *disk = fault_vfs_disk(dir);
        close_it();
        open_it(SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB);
        fill('B', 4096, 0);
        fault_disk_power_cut(disk);
        close_it();
        fault_disk_crash_back(disk);
        open_it(SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB);
        char first = 0;
        assert_int_equal(file->pMethods->xRead(file, &first, 1, 0), SQLITE_OK);
        assert_int_equal(first, 'B');
        fault_disk_power_cut(disk);
        close_it();
        fault_disk_power_back(disk, seed);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        assert_int_equal(fread(left, 1, 4096, f), 4096);
        assert_int_equal(fclose(f), 0);
        lost += memchr(left, 'A', 4096) != NULL; /* what was never synced */
        fault_vfs_uninstall();
    }
    assert_true(lost > 50);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(synced__survives__every_cut),
        T(not_synced__is_there_in_pieces_or_not),
        T(not_synced__comes_in_any_order),
        T(write__leaves__its_neighbours_alone),
        T(truncation__not_synced__happened_or_not),
        T(new_file__not_synced__may_be_missing),
        T(removal__not_synced__may_be_undone),
        T(power__cut_in_a_write__tears_it),
        T(sync__that_failed__has_lost_things_for_good),
        T(program__that_dies__loses_nothing_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
