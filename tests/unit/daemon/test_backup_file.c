/* A backup on the disk: whole under its name, or not at all; and what is opened for restoring. */
#include "folder.h"

#include "daemon/backup/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_bool never;
static const struct psst_aead_key key = {.b = {5}};

static int setup(void **state)
{
    static struct folder f;
    folder_init(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    folder_fini(*state);
    return 0;
}

/* ---- writing ---- */

static void file__appears__when_it_is_whole(void **state)
{
    struct folder *f = *state;
    struct psst_backup_out out;
    assert_ok(psst_backup_out_open(&out, folder_file(f, "b"), NULL));
    assert_ok(psst_backup_out_write(&out, psst_view_str("hello "), &never, NULL));
    assert_false(folder_has(f, "b"));
    assert_true(folder_has(f, ".b.part"));
    assert_ok(psst_backup_out_write(&out, psst_view_str("world"), &never, NULL));
    assert_ok(psst_backup_out_finish(&out, NULL));
    folder_assert_is(f, "b", "hello world", 11);
    assert_int_equal(1, folder_count(f));
}

static void file__is_never__overwritten(void **state)
{
    struct folder *f = *state;
    struct psst_backup_out out;
    struct psst_diag diag = {{0}};
    folder_put(f, "b", "old", 3);
    assert_err(PSST_ERR_EXISTS, psst_backup_out_open(&out, folder_file(f, "b"), &diag));
    assert_non_null(strstr(diag.text, "never overwritten"));
    assert_int_equal(1, folder_count(f));
    assert_int_equal(0, unlink(folder_file(f, "b")));
    assert_int_equal(0, symlink("nowhere", folder_file(f, "b")));
    assert_err(PSST_ERR_EXISTS, psst_backup_out_open(&out, folder_file(f, "b"), NULL));
    assert_int_equal(0, unlink(folder_file(f, "b")));

    /* it came while the backup was made */
    assert_ok(psst_backup_out_open(&out, folder_file(f, "b"), NULL));
    assert_ok(psst_backup_out_write(&out, psst_view_str("new"), &never, NULL));
    folder_put(f, "b", "old", 3);
    diag.text[0] = '\0';
    assert_err(PSST_ERR_EXISTS, psst_backup_out_finish(&out, &diag));
    assert_non_null(strstr(diag.text, "never overwritten"));
    folder_assert_is(f, "b", "old", 3);
    assert_int_equal(1, folder_count(f));
}

static void abandon__leaves__nothing(void **state)
{
    struct folder *f = *state;
    struct psst_backup_out out;
    assert_ok(psst_backup_out_open(&out, folder_file(f, "b"), NULL));
    assert_ok(psst_backup_out_write(&out, psst_view_str("x"), &never, NULL));
    psst_backup_out_abandon(&out);
    assert_int_equal(0, folder_count(f));
}

static void leftover__is_taken_up__unless_it_is_anothers(void **state)
{
    struct folder *f = *state;
    struct psst_backup_out out, second;
    struct psst_diag diag = {{0}};
    folder_put(f, ".b.part", "left by a crash, and longer", 27);
    assert_ok(psst_backup_out_open(&out, folder_file(f, "b"), NULL));
    assert_err(PSST_ERR_AGAIN, psst_backup_out_open(&second, folder_file(f, "b"), &diag));
    assert_true(strlen(diag.text) > 0);
    assert_ok(psst_backup_out_write(&out, psst_view_str("new"), &never, NULL));
    assert_ok(psst_backup_out_finish(&out, NULL));
    folder_assert_is(f, "b", "new", 3);

    folder_put(f, "victim", "precious", 8);
    assert_int_equal(0, symlink("victim", folder_file(f, ".c.part")));
    assert_err(PSST_ERR_PERMISSION, psst_backup_out_open(&out, folder_file(f, "c"), NULL));
    assert_int_equal(0, unlink(folder_file(f, ".c.part")));
    assert_int_equal(0, link(folder_file(f, "victim"), folder_file(f, ".c.part")));
    assert_err(PSST_ERR_PERMISSION, psst_backup_out_open(&out, folder_file(f, "c"), NULL));
    folder_assert_is(f, "victim", "precious", 8);
    assert_int_equal(0, unlink(folder_file(f, ".c.part")));
    assert_int_equal(0, mkfifo(folder_file(f, ".c.part"), 0600));
    assert_err(PSST_ERR_PERMISSION, psst_backup_out_open(&out, folder_file(f, "c"), NULL));
}

static void open__refuses__what_cannot_be_a_file(void **state)
{
    struct folder *f = *state;
    struct psst_backup_out out;
    char longest[400];
    assert_err(PSST_ERR_USAGE, psst_backup_out_open(&out, "relative", NULL));
    assert_err(PSST_ERR_USAGE, psst_backup_out_open(&out, folder_file(f, ""), NULL));
    assert_err(PSST_ERR_USAGE, psst_backup_out_open(&out, folder_file(f, ".."), NULL));
    assert_err(PSST_ERR_EXISTS, psst_backup_out_open(&out, f->path, NULL));
    assert_err(PSST_ERR_NOT_FOUND, psst_backup_out_open(&out, folder_file(f, "no/b"), NULL));
    memset(longest, 'n', sizeof longest);
    memcpy(longest, "/tmp/", 5);
    longest[sizeof longest - 1] = '\0';
    assert_err(PSST_ERR_TOO_LONG, psst_backup_out_open(&out, longest, NULL));
    assert_int_equal(0, folder_count(f));
}

/* Attack 48 */
static void full_disk__leaves__nothing_and_says_so(void **state)
{
    (void)state;
    struct folder f;
    struct psst_backup_out out;
    struct psst_diag diag = {{0}};
    if (!folder_init_tiny(&f, 64 * 1024)) skip();
    static uint8_t much[256 * 1024];
    assert_ok(psst_backup_out_open(&out, folder_file(&f, "b"), NULL));
    assert_err(PSST_ERR_DISK_FULL, psst_backup_out_write(&out, psst_view(much, sizeof much), &never, &diag));
    assert_non_null(strstr(diag.text, "disk is full"));
    psst_backup_out_abandon(&out);
    assert_int_equal(0, folder_count(&f));
    folder_fini(&f);
}

static void pipe__gets_all__and_is_not_waited_for_when_told_to_stop(void **state)
{
    (void)state;
    struct psst_backup_out out;
    int ends[2];
    char got[16] = "";
    atomic_bool stop = true;
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    psst_backup_out_over(&out, dup(ends[1]));
    assert_ok(psst_backup_out_write(&out, psst_view_str("hello"), &never, NULL));
    assert_ok(psst_backup_out_finish(&out, NULL));
    assert_int_equal(5, read(ends[0], got, sizeof got));
    assert_string_equal("hello", got);

    assert_int_equal(0, fcntl(ends[1], F_SETFL, O_NONBLOCK)); /* filled to the brim */
    while (write(ends[1], got, 1) == 1) {
    }
    assert_int_equal(0, fcntl(ends[1], F_SETFL, 0));
    psst_backup_out_over(&out, dup(ends[1]));
    assert_err(PSST_ERR_AGAIN, psst_backup_out_write(&out, psst_view_str("more"), &stop, NULL));
    psst_backup_out_abandon(&out);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- reading ---- */

static enum psst_err on_begin(void *ctx, enum psst_backup_member member, uint64_t len)
{
    (void)member;
    *(uint64_t *)ctx += len;
    return PSST_OK;
}

static enum psst_err on_piece(void *ctx, enum psst_backup_member member, struct psst_view piece)
{
    (void)member;
    *(uint64_t *)ctx -= piece.len;
    return PSST_OK;
}

/* A whole backup file; its private key part is of no use. */
static struct psst_buf make_backup(size_t pages)
{
    struct psst_buf bytes, sealed;
    struct psst_backup_writer *w;
    uint8_t header[PSST_BACKUP_HEADER_LEN];
    const size_t lens[] = {10, 20, 576, pages * 4096};
    psst_buf_init(&bytes, 1 << 22);
    psst_buf_init(&sealed, 1 << 22);
    psst_backup_header_make(header, &psst_crypto_rng);
    psst_buf_put(&bytes, header, sizeof header);
    psst_buf_put_u16(&bytes, 100);
    psst_buf_put_zeros(&bytes, 100);
    assert_ok(psst_backup_writer_new(&w, header, &key));
    for (enum psst_backup_member m = 0; m < PSST_BACKUP_END; m++) {
        uint8_t *zeros = calloc(1, lens[m]);
        assert_ok(psst_backup_writer_member(w, m, lens[m], &sealed));
        assert_ok(psst_backup_writer_put(w, psst_view(zeros, lens[m]), &sealed));
        free(zeros);
    }
    assert_ok(psst_backup_writer_end(w, &sealed));
    psst_backup_writer_free(w);
    psst_buf_put_view(&bytes, psst_buf_view(&sealed));
    psst_buf_fini(&sealed);
    assert_false(bytes.failed);
    return bytes;
}

static enum psst_err read_back(const struct folder *f, const char *name, struct psst_diag *diag)
{
    static struct psst_backup_in in;
    uint64_t left = 0;
    const struct psst_backup_sink sink = {on_begin, on_piece, &left};
    enum psst_err err = psst_backup_in_open(&in, folder_file(f, name), diag);
    if (err != PSST_OK) return err;
    err = psst_backup_in_read(&in, &key, &sink, &never, diag);
    psst_backup_in_close(&in);
    if (err == PSST_OK) assert_int_equal(0, left);
    return err;
}

static void backup__is_read__from_its_file(void **state)
{
    struct folder *f = *state;
    for (size_t pages = 1; pages < 100; pages += 33) {
        struct psst_buf bytes = make_backup(pages);
        folder_put(f, "b", bytes.data, bytes.len);
        assert_ok(read_back(f, "b", NULL));
        psst_buf_fini(&bytes);
    }
}

static void backup__cut_short__is_refused_with_a_sentence(void **state)
{
    struct folder *f = *state;
    struct psst_buf bytes = make_backup(40);
    const size_t cuts[] = {
        0, 1, 51, 52, 53, 54, 60, 153, 154, 155, 170, 65690, 65706, 65707, bytes.len - 16, bytes.len - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct psst_diag diag = {{0}};
        folder_put(f, "b", bytes.data, cuts[i]);
        assert_err(cuts[i] < 52 ? PSST_ERR_MALFORMED : PSST_ERR_DAMAGED, read_back(f, "b", &diag));
        assert_true(strlen(diag.text) > 0);
    }
    psst_buf_put_u8(&bytes, 0);
    folder_put(f, "b", bytes.data, bytes.len);
    assert_err(PSST_ERR_DAMAGED, read_back(f, "b", NULL));
    psst_buf_fini(&bytes);
}

static void in_open__refuses__what_is_no_backup(void **state)
{
    struct folder *f = *state;
    struct psst_buf bytes = make_backup(1);
    struct psst_diag diag = {{0}};
    assert_err(PSST_ERR_NOT_FOUND, read_back(f, "none", &diag));
    assert_true(strlen(diag.text) > 0);
    folder_put(f, "text", "Dear Bob, this is a letter, and long enough to be taken for a header.", 68);
    assert_err(PSST_ERR_MALFORMED, read_back(f, "text", NULL));
    assert_int_equal(0, mkfifo(folder_file(f, "fifo"), 0600));
    assert_err(PSST_ERR_USAGE, read_back(f, "fifo", NULL)); /* and does not hang */
    assert_int_equal(0, mkdir(folder_file(f, "dir"), 0700));
    assert_err(PSST_ERR_USAGE, read_back(f, "dir", NULL));
    static const uint16_t lens[] = {0, 16, 16401, 65535};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        psst_store_u16(bytes.data + 52, lens[i]);
        folder_put(f, "b", bytes.data, bytes.len);
        assert_err(PSST_ERR_DAMAGED, read_back(f, "b", NULL));
    }
    bytes.data[16] = 40; /* N = 2^40 */
    folder_put(f, "b", bytes.data, bytes.len);
    assert_err(PSST_ERR_TOO_LONG, read_back(f, "b", NULL));
    psst_buf_fini(&bytes);
}

static void in_read__stops__when_it_is_told_to(void **state)
{
    struct folder *f = *state;
    static struct psst_backup_in in;
    atomic_bool stop = true;
    uint64_t left = 0;
    const struct psst_backup_sink sink = {on_begin, on_piece, &left};
    struct psst_buf bytes = make_backup(40);
    folder_put(f, "b", bytes.data, bytes.len);
    assert_ok(psst_backup_in_open(&in, folder_file(f, "b"), NULL));
    assert_err(PSST_ERR_AGAIN, psst_backup_in_read(&in, &key, &sink, &stop, NULL));
    psst_backup_in_close(&in);
    psst_buf_fini(&bytes);
}

int main(void)
{
    folder_private_mounts();
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(file__appears__when_it_is_whole),
        T(file__is_never__overwritten),
        T(abandon__leaves__nothing),
        T(leftover__is_taken_up__unless_it_is_anothers),
        T(open__refuses__what_cannot_be_a_file),
        cmocka_unit_test(full_disk__leaves__nothing_and_says_so),
        T(pipe__gets_all__and_is_not_waited_for_when_told_to_stop),
        T(backup__is_read__from_its_file),
        T(backup__cut_short__is_refused_with_a_sentence),
        T(in_open__refuses__what_is_no_backup),
        T(in_read__stops__when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
