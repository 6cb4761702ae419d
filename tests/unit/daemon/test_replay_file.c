#include "folder.h"

#include "daemon/peers/internal.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench {
    struct folder folder;
    uv_loop_t loop;
    struct psst_daemon d;
    struct psst_replay_cache *cache;
    struct psst_replay_file *file;
    uint64_t today;
};

static void open_file(struct bench *b)
{
    b->cache = psst_replay_cache_new();
    assert_non_null(b->cache);
    assert_int_equal(psst_replay_file_open(&b->file, &b->d, b->cache), PSST_OK);
}

static void close_file(struct bench *b)
{
    psst_replay_file_close(b->file);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT); /* the worker writes what is left */
    psst_replay_cache_free(b->cache);
}

static int setup(void **state)
{
    static struct bench b;
    b = (struct bench){.today = 0};
    folder_init(&b.folder);
    (void)snprintf(b.d.paths.replay, sizeof b.d.paths.replay, "%s/replay", b.folder.path);
    assert_int_equal(uv_loop_init(&b.loop), 0);
    b.d.loop = &b.loop;
    psst_log_init(&b.d.log, NULL, NULL, PSST_LOG_ERROR);
    b.today = psst_daemon_now(&b.d).unix_ms / 86400000;
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    assert_int_equal(uv_loop_close(&b->loop), 0);
    folder_fini(&b->folder);
    return 0;
}

static off_t size_of(const struct bench *b)
{
    struct stat st;
    assert_int_equal(stat(b->d.paths.replay, &st), 0);
    return st.st_size;
}

static void mac_of(uint8_t mac[32], uint32_t n)
{
    memset(mac, 0xa5, 32);
    psst_store_u32(mac, n);
}

static void replay_file__remembers__over_a_restart(void **state)
{
    struct bench *b = *state;
    uint8_t mac[32];
    open_file(b);
    for (uint32_t i = 0; i < 100; i++) {
        mac_of(mac, i);
        assert_int_equal(psst_replay_cache_add(b->cache, mac, b->today, b->today), PSST_OK);
        psst_replay_file_add(b->file, mac, b->today);
    }
    close_file(b);
    assert_int_equal(size_of(b), 100 * PSST_REPLAY_ENTRY_LEN);
    open_file(b);
    for (uint32_t i = 0; i < 101; i++) {
        mac_of(mac, i);
        assert_int_equal(psst_replay_cache_add(b->cache, mac, b->today, b->today), i < 100 ? PSST_ERR_EXISTS : PSST_OK);
    }
    close_file(b);
}

static void replay_file__leaves_out__what_has_expired_is_doubled_or_cut_off(void **state)
{
    struct bench *b = *state;
    uint8_t text[5 * PSST_REPLAY_ENTRY_LEN], mac[32];
    const uint64_t days[] = {b->today - 5, b->today - 1, b->today, b->today};
    for (uint32_t i = 0; i < 4; i++) {
        mac_of(mac, i < 3 ? i : 2); /* the last is there twice */
        psst_replay_entry_encode(text + (size_t)i * PSST_REPLAY_ENTRY_LEN, mac, days[i]);
    }
    folder_put(&b->folder, "replay", text, (size_t)4 * PSST_REPLAY_ENTRY_LEN + 7);
    open_file(b);
    assert_int_equal(psst_replay_cache_count(b->cache), 2);
    close_file(b);
    assert_int_equal(size_of(b), 2 * PSST_REPLAY_ENTRY_LEN);
}

static void replay_file__that_is_no_file__is_done_without(void **state)
{
    struct bench *b = *state;
    uint8_t mac[32];
    assert_int_equal(mkdir(b->d.paths.replay, 0700), 0);
    open_file(b);
    mac_of(mac, 1);
    psst_replay_file_add(b->file, mac, b->today);
    assert_int_equal(psst_replay_cache_add(b->cache, mac, b->today, b->today), PSST_OK);
    close_file(b);
    assert_int_equal(rmdir(b->d.paths.replay), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replay_file__remembers__over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(replay_file__leaves_out__what_has_expired_is_doubled_or_cut_off, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(replay_file__that_is_no_file__is_done_without, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
