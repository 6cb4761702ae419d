/* Rounds of erasing: when they begin, whom they tell, and what a clock that jumps may not do (attack 50). The store and its
 * thread are real; the time is the test's own. */
#include "folder.h"

#include "crypto/crypto.h"
#include "daemon/retention.h"
#include "daemon/transfers/transfers.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DAY_MS  86400000ULL
#define HOUR_MS 3600000ULL
#define START   1700000000000ULL /* 2023-11-14 22:13:20 UTC */

static const struct psst_store_key key = {.b = {1, 2, 3}};

struct bench {
    struct folder folder;
    uv_loop_t loop;
    struct psst_daemon d;
    uint64_t unix_ms, mono_ms;
    int64_t contact;
    uint32_t keep_days;
    unsigned texts, warned;
    char told[512];
    int64_t erased; /* the sum of what transfers were told of */
    unsigned forgotten;
};

static struct bench *bench;

/* ---- what retention.c reaches ---- */

struct psst_now psst_daemon_now(struct psst_daemon *d)
{
    (void)d;
    return (struct psst_now){bench->mono_ms * 1000000, bench->unix_ms};
}

void psst_transfers_erased(struct psst_transfers *transfers, int64_t id)
{
    (void)transfers;
    bench->erased += id;
}

struct psst_contact *psst_book_by_id(struct psst_book *book, int64_t id)
{
    static struct psst_contact bob = {.alias = "bob"};
    (void)book;
    assert_int_equal(id, bench->contact);
    return &bob;
}

void psst_daemon_event(struct psst_daemon *d, const char *name, json_t *params)
{
    (void)d;
    assert_string_equal(name, "contact.forgotten");
    assert_string_equal(json_string_value(json_object_get(params, "contact")), "bob");
    json_decref(params);
    bench->forgotten++;
}

static void on_log(void *ctx, enum psst_log_level level, const char *line)
{
    (void)ctx;
    if (level <= PSST_LOG_WARNING) bench->warned++;
    (void)line;
}

/* ---- the store ---- */

static void turn_until_idle(void)
{
    while (psst_store_thread_backlog(bench->d.store) > 0) (void)uv_run(&bench->loop, UV_RUN_ONCE);
}

static void ignore_opened(void *ctx, enum psst_err err, const struct psst_diag *diag)
{
    (void)ctx;
    (void)diag;
    assert_int_equal(err, PSST_OK);
}

static void must_done(void *arg, enum psst_err err, const char *words)
{
    (void)arg;
    if (err != PSST_OK) fail_msg("%s", words);
}

static enum psst_err put_contact(struct psst_store *store, void *arg)
{
    (void)arg;
    struct psst_contact_row row = {.id = bench->contact,
                                   .alias = "bob",
                                   .spki = psst_view_str("k"),
                                   .keep_history = true,
                                   .keep_days = bench->keep_days};
    enum psst_err err = psst_store_contact_put(store, &row);
    bench->contact = row.id;
    return err;
}

static enum psst_err put_texts(struct psst_store *store, void *arg)
{
    for (unsigned i = 0; i < 10; i++) {
        struct psst_message_row row = {
            .contact_id = bench->contact, .stored_ms = bench->unix_ms, .text = psst_view_str("words")};
        psst_store_u32(row.id.b, *(unsigned *)arg * 10 + i);
        enum psst_err err = psst_store_message_in(store, &row);
        if (err != PSST_OK) return err;
    }
    return psst_store_messages_shown(store, bench->contact, INT64_MAX);
}

static enum psst_err forget_all(struct psst_store *store, void *arg)
{
    (void)arg;
    return psst_store_forget(store, bench->contact, UINT64_MAX);
}

static enum psst_err count_text(void *ctx, const struct psst_message_row *row)
{
    *(unsigned *)ctx += row->text.len > 0;
    return PSST_OK;
}

static enum psst_err count_texts(struct psst_store *store, void *arg)
{
    (void)arg;
    bench->texts = 0;
    return psst_store_log(store, bench->contact, 0, SIZE_MAX, count_text, &bench->texts);
}

static void run(psst_store_work *work, void *arg)
{
    psst_store_run(bench->d.store, work, must_done, arg);
    turn_until_idle();
}

static unsigned texts(void)
{
    run(count_texts, NULL);
    return bench->texts;
}

static void say(unsigned n)
{
    run(put_texts, &n);
}

static void keep(uint32_t days)
{
    bench->keep_days = days;
    run(put_contact, NULL);
}

/* ---- the bench ---- */

static void begin_again(void)
{
    assert_int_equal(psst_retention_new(&bench->d.retention, &bench->d), PSST_OK);
    psst_retention_loaded(bench->d.retention);
    turn_until_idle();
}

static void end_retention(void)
{
    psst_retention_close(bench->d.retention);
    (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
    psst_retention_free(bench->d.retention);
}

static int setup(void **state)
{
    bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    (void)setenv("TZ", "UTC", 1);
    tzset();
    folder_init(&bench->folder);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    bench->d.loop = &bench->loop;
    psst_log_init(&bench->d.log, on_log, NULL, PSST_LOG_INFO);
    bench->unix_ms = START;
    bench->mono_ms = 1000;
    assert_int_equal(psst_store_thread_new(&bench->d.store, &bench->loop), PSST_OK);
    psst_store_thread_open(bench->d.store, folder_file(&bench->folder, "history"), &key, ignore_opened, NULL);
    turn_until_idle();
    run(put_contact, NULL);
    begin_again();
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end_retention();
    psst_store_thread_close(bench->d.store, NULL, NULL);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    folder_fini(&bench->folder);
    free(bench);
    return 0;
}

static void told(void *ctx, enum psst_err err, const char *words)
{
    size_t len = strlen(bench->told);
    (void)words;
    (void)snprintf(bench->told + len, sizeof bench->told - len, "%s:%s|", (const char *)ctx, psst_err_name(err));
}

static void find_timer(uv_handle_t *handle, void *arg)
{
    if (handle->type == UV_TIMER && uv_is_active(handle)) *(uint64_t *)arg = uv_timer_get_due_in((uv_timer_t *)handle);
}

/* When the next round begins by itself, in ms from now; UINT64_MAX: never. */
static uint64_t next_round(void)
{
    uint64_t due = UINT64_MAX;
    uv_update_time(&bench->loop);
    uv_walk(&bench->loop, find_timer, &due);
    return due;
}

static void assert_about(uint64_t value, uint64_t want)
{
    assert_in_range(value, want - 60000, want);
}

/* ---- voice messages ---- */

struct message {
    const char *path;
    enum psst_direction direction;
    int64_t id;
};

static enum psst_err put_message(struct psst_store *store, void *arg)
{
    struct message *message = arg;
    struct psst_transfer_row row = {.contact_id = bench->contact,
                                    .direction = message->direction,
                                    .state = PSST_TRANSFER_DONE,
                                    .form = PSST_TRANSFER_FORM_VOICE,
                                    .created_ms = bench->unix_ms,
                                    .name = psst_view_str("n"),
                                    .path = psst_view_str(message->path)};
    psst_crypto_rng.fill(psst_crypto_rng.ctx, row.transfer_id.b, sizeof row.transfer_id.b);
    enum psst_err err = psst_store_transfer_put(store, &row);
    message->id = row.id;
    return err;
}

static void make_file(const char *path)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
}

static int64_t add_message(const char *path, enum psst_direction direction)
{
    struct message message = {.path = path, .direction = direction};
    make_file(path);
    run(put_message, &message);
    return message.id;
}

/* ---- tests ---- */

static void forget__takes__voice_messages_and_their_files(void **state)
{
    (void)state;
    char dir[PSST_PATH_MAX], own[PSST_PATH_MAX + 32], unheard[PSST_PATH_MAX + 32], elsewhere[PSST_PATH_MAX + 32],
        deeper[PSST_PATH_MAX + 32];
    struct psst_diag diag;
    (void)snprintf(bench->d.paths.data_dir, sizeof bench->d.paths.data_dir, "%s", folder_file(&bench->folder, "data"));
    assert_int_equal(psst_transfers_voice_dir(&bench->d, dir, true, &diag), PSST_OK);
    (void)snprintf(own, sizeof own, "%s/own.opus", dir);
    (void)snprintf(unheard, sizeof unheard, "%s/unheard.opus", dir);
    (void)snprintf(elsewhere, sizeof elsewhere, "%s.opus", dir); /* begins with the same letters, and lies beside it */
    (void)snprintf(deeper, sizeof deeper, "%s/../kept.opus", dir);
    int64_t ids = add_message(own, PSST_OUT) + add_message(elsewhere, PSST_OUT) + add_message(deeper, PSST_OUT);
    (void)add_message(unheard, PSST_IN);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(access(own, F_OK), 0);
    run(forget_all, NULL);
    psst_retention_run(bench->d.retention, told, "a");
    turn_until_idle();
    assert_string_equal(bench->told, "a:ok|");
    assert_int_not_equal(access(own, F_OK), 0);
    assert_int_equal(access(elsewhere, F_OK), 0);
    assert_int_equal(access(deeper, F_OK), 0);
    assert_int_equal(access(unheard, F_OK), 0);
    assert_int_equal(bench->erased, ids);
}

static void run__tells__when_it_is_gone(void **state)
{
    (void)state;
    say(1);
    run(forget_all, NULL);
    psst_retention_run(bench->d.retention, told, "a");
    psst_retention_run(bench->d.retention, told, "b");
    assert_string_equal(bench->told, "");
    assert_int_equal(psst_store_thread_backlog(bench->d.store), 1);
    turn_until_idle();
    assert_non_null(strstr(bench->told, "a:ok|"));
    assert_non_null(strstr(bench->told, "b:ok|"));
    assert_int_equal(strlen(bench->told), 10);
    assert_int_equal(texts(), 0);
}

static void nothing_due__needs__no_timer(void **state)
{
    (void)state;
    assert_true(next_round() == UINT64_MAX);
    say(1);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_true(next_round() == UINT64_MAX); /* kept for ever */
    assert_int_equal(texts(), 10);
}

static void timer__is_set__to_the_night_after_something_is_due(void **state)
{
    (void)state;
    say(1);
    keep(2);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    /* due on the 16th at 22:13:20; in the night after, at 00:05 on the 17th */
    assert_about(next_round(), 2 * DAY_MS + 1 * HOUR_MS + 51 * 60000 + 40000);
    bench->unix_ms += 2 * DAY_MS + 2 * HOUR_MS;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 0);
    assert_about(next_round(), 7 * DAY_MS); /* the rows without text go later; no timer is longer */
    assert_int_equal(bench->forgotten, 1);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(bench->forgotten, 1);
}

static void soon__is_within__half_a_minute(void **state)
{
    (void)state;
    psst_retention_soon(bench->d.retention);
    assert_in_range(next_round(), 1, 30000);
    keep(1);
    say(1);
    psst_retention_soon(bench->d.retention); /* the earlier one holds */
    assert_in_range(next_round(), 1, 30000);
}

/* Attack 50. */
static void clock__that_jumps_ahead__erases_nothing_for_an_hour(void **state)
{
    (void)state;
    say(1);
    keep(7);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    bench->unix_ms += 3650 * DAY_MS;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 10);
    assert_int_equal(bench->warned, 1);
    assert_in_range(next_round(), HOUR_MS, HOUR_MS + 60000);
    psst_retention_run(bench->d.retention, told, "asked"); /* nor by whatever else begins a round */
    turn_until_idle();
    assert_string_equal(bench->told, "asked:ok|");
    assert_int_equal(texts(), 10);
    run(forget_all, NULL); /* but what somebody asks for goes */
    say(2);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 10);
    bench->unix_ms = START + HOUR_MS; /* it was wrong, and is set right */
    bench->mono_ms += 2 * HOUR_MS;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 10);
}

static void clock__that_stays_ahead__is_believed_after_an_hour(void **state)
{
    (void)state;
    say(1);
    keep(7);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    bench->unix_ms += 40 * DAY_MS;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 10);
    bench->mono_ms += HOUR_MS + 1;
    bench->unix_ms += HOUR_MS + 1;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 0);
}

static void clock__that_stays_ahead__is_believed_by_the_next_start(void **state)
{
    (void)state;
    say(1);
    keep(7);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    end_retention();
    bench->unix_ms += 40 * DAY_MS; /* psstd was not running for so long, or the clock is wrong */
    begin_again();
    assert_int_equal(texts(), 10);
    assert_int_equal(bench->warned, 1);
    end_retention();
    begin_again();
    assert_int_equal(texts(), 0);
}

static void clock__a_month_later__is_believed_at_once(void **state)
{
    (void)state;
    say(1);
    keep(7);
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    bench->unix_ms += 31 * DAY_MS;
    psst_retention_look(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 0);
    assert_int_equal(bench->warned, 0);
}

static void locking__in_the_middle__tells_who_waits(void **state)
{
    (void)state;
    say(1);
    run(forget_all, NULL);
    psst_retention_run(bench->d.retention, told, "a");
    psst_retention_unloaded(bench->d.retention);
    assert_string_equal(bench->told, "a:locked|");
    psst_retention_run(bench->d.retention, told, "b");
    assert_string_equal(bench->told, "a:locked|b:locked|");
    turn_until_idle();
    assert_string_equal(bench->told, "a:locked|b:locked|");
    assert_true(next_round() == UINT64_MAX);
    psst_retention_loaded(bench->d.retention);
    turn_until_idle();
    assert_int_equal(texts(), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(run__tells__when_it_is_gone),
        T(forget__takes__voice_messages_and_their_files),
        T(nothing_due__needs__no_timer),
        T(timer__is_set__to_the_night_after_something_is_due),
        T(soon__is_within__half_a_minute),
        T(clock__that_jumps_ahead__erases_nothing_for_an_hour),
        T(clock__that_stays_ahead__is_believed_after_an_hour),
        T(clock__that_stays_ahead__is_believed_by_the_next_start),
        T(clock__a_month_later__is_believed_at_once),
        T(locking__in_the_middle__tells_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
