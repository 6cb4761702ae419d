/* psst-key as psstd uses it: the real program behind the real client, every operation. */
#include "daemon/key/protocol.h"
#include "key_bench.h"
#include "support/vectors.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct key_result generate(struct key_bench *b, unsigned bits, int out_fd, int passphrase_fd)
{
    struct key_result r = {0};
    psst_key_generate(b->kc, bits, dup(out_fd), passphrase_fd, key_result_progress, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

/* Takes passphrase_fd, leaves key_fd. */
static struct key_result unlock(struct key_bench *b, int key_fd, int passphrase_fd)
{
    struct key_result r = {0};
    assert_int_equal(0, lseek(key_fd, 0, SEEK_SET));
    psst_key_unlock(b->kc, dup(key_fd), passphrase_fd, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result lock(struct key_bench *b)
{
    struct key_result r = {0};
    psst_key_lock(b->kc, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result import(struct key_bench *b, int in_fd, int out_fd, int passphrase_fd)
{
    struct key_result r = {0};
    psst_key_import(b->kc, in_fd, dup(out_fd), passphrase_fd, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result change(struct key_bench *b, int key_fd, int out_fd, int old_fd, int new_fd)
{
    struct key_result r = {0};
    assert_int_equal(0, lseek(key_fd, 0, SEEK_SET));
    psst_key_change_passphrase(b->kc, dup(key_fd), dup(out_fd), old_fd, new_fd, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result decapsulate(struct key_bench *b, const uint8_t x[PSST_KEM_LEN])
{
    struct key_result r = {0};
    psst_key_decapsulate(b->kc, x, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result create_store(struct key_bench *b)
{
    struct key_result r = {0};
    psst_key_create_store(b->kc, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

static struct key_result open_store(struct key_bench *b, struct psst_view wrapped)
{
    struct key_result r = {0};
    psst_key_open_store(b->kc, wrapped, key_result_take, &r);
    key_wait(b, &r);
    return r;
}

/* Unlocked with a key of the vectors. */
static void unlock_vector_key(struct key_bench *b, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "keys/%s.pem", name);
    struct key_result r = {0};
    psst_key_unlock(b->kc, fd_with(vectors_file(path)), -1, key_result_take, &r);
    key_wait(b, &r);
    assert_ok(r.err);
}

/* ---- making and opening keys ---- */

static void generate__gives__an_encrypted_key_that_opens(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    struct key_result made = generate(b, 1024, file, fd_with_text("correct horse\n"));
    assert_ok(made.err);
    assert_true(made.encrypted);
    struct psst_buf pem = file_content(file);
    assert_true(psst_rsa_pem_is_encrypted(psst_buf_view(&pem)));

    /* readable by whoever has the passphrase, without us: the line feed was not a part of it */
    struct psst_rsa_private *key = NULL;
    assert_ok(psst_rsa_private_from_pem(&key, psst_buf_view(&pem), psst_view_str("correct horse"), NULL));
    assert_int_equal(1024, psst_rsa_public_bits(psst_rsa_private_public(key)));
    assert_bytes(psst_rsa_public_spki(psst_rsa_private_public(key)), made.spki, made.spki_len);
    psst_rsa_private_free(key);
    psst_buf_fini(&pem);

    assert_ok(lock(b).err);
    struct key_result opened = unlock(b, file, fd_with_text("correct horse"));
    assert_ok(opened.err);
    assert_true(opened.encrypted);
    assert_bytes(psst_view(made.spki, made.spki_len), opened.spki, opened.spki_len);
    (void)close(file);
}

static void generate__gives__a_plain_key_when_there_is_no_passphrase(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    struct key_result made = generate(b, 1280, file, -1);
    assert_ok(made.err);
    assert_false(made.encrypted);
    assert_ok(lock(b).err);
    struct key_result opened = unlock(b, file, -1);
    assert_ok(opened.err);
    assert_false(opened.encrypted);
    (void)close(file);
}

static void generate__leaves__the_identity_unlocked(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    assert_ok(generate(b, 1024, file, -1).err);
    assert_ok(create_store(b).err);
    (void)close(file);
}

static void generate__refuses__what_no_key_should_be(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    struct key_result r = generate(b, 1024, file, fd_with_text("\n"));
    assert_int_equal(PSST_ERR_USAGE, r.err);
    assert_non_null(strstr(r.words, "--no-passphrase"));
    static const unsigned bits[] = {0, 512, 1000, 1025, 4352, 65536 + 2048, 4000000000u};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        r = generate(b, bits[i], file, -1);
        assert_int_equal(PSST_ERR_USAGE, r.err);
        assert_true(strlen(r.words) > 0);
    }
    struct psst_buf content = file_content(file);
    assert_int_equal(0, content.len);
    psst_buf_fini(&content);
    assert_int_equal(PSST_ERR_LOCKED, create_store(b).err);
    (void)close(file);
}

static void generate__refuses__a_file_that_others_may_read_or_that_holds_something(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    assert_int_equal(0, fchmod(file, 0640));
    assert_int_equal(PSST_ERR_PERMISSION, generate(b, 1024, file, -1).err);
    assert_int_equal(0, fchmod(file, 0600));
    assert_int_equal(1, write(file, "x", 1));
    assert_int_equal(PSST_ERR_PERMISSION, generate(b, 1024, file, -1).err);
    (void)close(file);
    /* and nothing was unlocked by a key that was not saved */
    assert_int_equal(PSST_ERR_LOCKED, create_store(b).err);
}

static void generate__refuses__to_replace_an_open_key(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    int file = fd_empty_file();
    assert_int_equal(PSST_ERR_USAGE, generate(b, 1024, file, -1).err);
    assert_int_equal(PSST_ERR_USAGE, import(b, fd_with(vectors_file("keys/b1024.pem")), file, -1).err);
    (void)close(file);
}

static void unlock__refuses__a_wrong_or_missing_passphrase(void **state)
{
    struct key_bench *b = *state;
    int file = fd_empty_file();
    assert_ok(generate(b, 1024, file, fd_with_text("right")).err);
    assert_ok(lock(b).err);
    static const char *const wrong[] = {"", "right\n\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct key_result r = unlock(b, file, fd_with_text(wrong[i]));
        assert_int_equal(PSST_ERR_PASSPHRASE, r.err);
        assert_string_equal("that passphrase does not open the key", r.words);
    }
    assert_int_equal(PSST_ERR_PASSPHRASE, unlock(b, file, -1).err);
    assert_int_equal(PSST_ERR_LOCKED, create_store(b).err);
    assert_ok(unlock(b, file, fd_with_text("right\n")).err);
    (void)close(file);
}

static void unlock__keeps__the_open_key_when_another_does_not_open(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    int file = fd_with_text("no key at all");
    struct key_result r = {0};
    psst_key_unlock(b->kc, file, -1, key_result_take, &r);
    key_wait(b, &r);
    assert_int_equal(PSST_ERR_MALFORMED, r.err);
    assert_true(strlen(r.words) > 0);
    assert_ok(create_store(b).err);
}

static void unlock__takes__a_passphrase_of_1024_bytes_and_no_more(void **state)
{
    struct key_bench *b = *state;
    char text[PSST_KEY_PASSPHRASE_MAX + 3];
    memset(text, 'p', sizeof text);
    text[PSST_KEY_PASSPHRASE_MAX] = '\n';
    text[PSST_KEY_PASSPHRASE_MAX + 1] = '\0';
    int file = fd_empty_file();
    assert_ok(generate(b, 1024, file, fd_with_text(text)).err);
    text[PSST_KEY_PASSPHRASE_MAX] = 'p';
    assert_int_equal(PSST_ERR_TOO_LONG, unlock(b, file, fd_with_text(text)).err);
    text[PSST_KEY_PASSPHRASE_MAX + 1] = 'p';
    text[PSST_KEY_PASSPHRASE_MAX + 2] = '\0';
    assert_int_equal(PSST_ERR_TOO_LONG, unlock(b, file, fd_with_text(text)).err);
    (void)close(file);
}

static void unlock__refuses__an_endless_key_file(void **state)
{
    struct key_bench *b = *state;
    struct key_result r = {0};
    psst_key_unlock(b->kc, open("/dev/zero", O_RDONLY | O_CLOEXEC), open("/dev/zero", O_RDONLY | O_CLOEXEC),
                    key_result_take, &r);
    key_wait(b, &r);
    assert_int_equal(PSST_ERR_TOO_LONG, r.err);
}

static void import__takes__keys_of_every_shape(void **state)
{
    struct key_bench *b = *state;
    static const char *const names[] = {"a1024", "odd1031", "wide-e2048", "a4096"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "keys/%s.pem", names[i]);
        int file = fd_empty_file();
        struct key_result r = import(b, fd_with(vectors_file(path)), file, -1);
        assert_ok(r.err);
        assert_false(r.encrypted);
        struct psst_rsa_public *public_key = vectors_public_key(names[i]);
        assert_bytes(psst_rsa_public_spki(public_key), r.spki, r.spki_len);
        psst_rsa_public_free(public_key);
        assert_ok(lock(b).err);
        assert_ok(unlock(b, file, -1).err);
        assert_ok(lock(b).err);
        (void)close(file);
    }
}

static void import__opens__an_encrypted_key_with_its_passphrase(void **state)
{
    struct key_bench *b = *state;
    int made = fd_empty_file(), kept = fd_empty_file();
    assert_ok(generate(b, 1024, made, fd_with_text("secret")).err);
    assert_ok(lock(b).err);
    struct psst_buf pem = file_content(made);
    assert_int_equal(PSST_ERR_PASSPHRASE, import(b, fd_with(psst_buf_view(&pem)), kept, -1).err);
    assert_int_equal(PSST_ERR_PASSPHRASE, import(b, fd_with(psst_buf_view(&pem)), kept, fd_with_text("no")).err);
    assert_ok(import(b, fd_with(psst_buf_view(&pem)), kept, fd_with_text("secret")).err);
    assert_ok(unlock(b, kept, fd_with_text("secret")).err);
    psst_buf_fini(&pem);
    (void)close(made);
    (void)close(kept);
}

static void change__gives__the_same_key_under_the_new_passphrase(void **state)
{
    struct key_bench *b = *state;
    int first = fd_empty_file(), second = fd_empty_file(), third = fd_empty_file(), none = fd_empty_file();
    struct key_result made = generate(b, 1024, first, fd_with_text("old"));
    assert_ok(made.err);
    struct key_result r = change(b, first, second, fd_with_text("old"), fd_with_text("new"));
    assert_ok(r.err);
    assert_true(r.encrypted);
    assert_bytes(psst_view(made.spki, made.spki_len), r.spki, r.spki_len);
    assert_ok(unlock(b, second, fd_with_text("new")).err);

    r = change(b, second, third, fd_with_text("new"), -1);
    assert_ok(r.err);
    assert_false(r.encrypted);
    assert_ok(unlock(b, third, -1).err);

    assert_int_equal(PSST_ERR_PASSPHRASE, change(b, second, none, fd_with_text("bad"), fd_with_text("x")).err);
    assert_int_equal(PSST_ERR_PASSPHRASE, change(b, second, none, -1, fd_with_text("x")).err);
    assert_int_equal(PSST_ERR_USAGE, change(b, second, none, fd_with_text("new"), fd_with_text("")).err);
    struct psst_buf content = file_content(none);
    assert_int_equal(0, content.len);
    psst_buf_fini(&content);
    (void)close(first);
    (void)close(second);
    (void)close(third);
    (void)close(none);
}

/* ---- what an open key does ---- */

static void decapsulate__gives__what_the_sender_has(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a2048");
    struct psst_rsa_public *to = vectors_public_key("a2048");
    for (int i = 0; i < 8; i++) {
        uint8_t x[PSST_KEM_LEN];
        struct psst_kem_secret sent;
        assert_ok(psst_kem_encapsulate(to, &psst_crypto_rng, x, &sent));
        struct key_result r = decapsulate(b, x);
        assert_ok(r.err);
        assert_memory_equal(sent.b, r.secret.b, sizeof sent.b);
    }
    psst_rsa_public_free(to);
}

static void decapsulate__refuses__what_decapsulates_to_nothing(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    uint8_t zero[PSST_KEM_LEN] = {0};
    struct key_result r = decapsulate(b, zero);
    assert_int_equal(PSST_ERR_AUTH, r.err);
    zero[PSST_KEM_LEN - 1] = 1;
    assert_int_equal(PSST_ERR_AUTH, decapsulate(b, zero).err);
}

static void decapsulate__answers__many_at_once_in_order(void **state)
{
    struct key_bench *b = *state;
    enum { N = 200 };
    static struct key_result results[N];
    static struct psst_kem_secret sent[N];
    unlock_vector_key(b, "a1024");
    struct psst_rsa_public *to = vectors_public_key("a1024");
    memset(results, 0, sizeof results);
    for (int i = 0; i < N; i++) {
        uint8_t x[PSST_KEM_LEN];
        assert_ok(psst_kem_encapsulate(to, &psst_crypto_rng, x, &sent[i]));
        psst_key_decapsulate(b->kc, x, key_result_take, &results[i]);
    }
    key_wait(b, &results[N - 1]);
    for (int i = 0; i < N; i++) {
        assert_true(results[i].there);
        assert_ok(results[i].err);
        assert_memory_equal(sent[i].b, results[i].secret.b, sizeof sent[i].b);
    }
    psst_rsa_public_free(to);
}

static void requests__are_refused__when_too_many_wait(void **state)
{
    struct key_bench *b = *state;
    enum { N = 300 };
    static struct key_result results[N];
    memset(results, 0, sizeof results);
    for (int i = 0; i < N; i++) psst_key_lock(b->kc, key_result_take, &results[i]);
    for (int i = 0; i < N; i++) key_wait(b, &results[i]);
    for (int i = 0; i < N; i++) assert_int_equal(i < 256 ? PSST_OK : PSST_ERR_FULL, results[i].err);
}

static void store_key__opens__as_it_was_created(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a2048");
    struct key_result made = create_store(b);
    struct key_result other = create_store(b);
    assert_ok(made.err);
    assert_int_equal(PSST_KEY_WRAPPED_LEN, made.wrapped_len);
    assert_memory_not_equal(made.store_key.b, other.store_key.b, sizeof made.store_key.b);
    assert_ok(lock(b).err);
    unlock_vector_key(b, "a2048");
    struct key_result opened = open_store(b, psst_view(made.wrapped, made.wrapped_len));
    assert_ok(opened.err);
    assert_memory_equal(made.store_key.b, opened.store_key.b, sizeof made.store_key.b);
}

static void store_key__is_refused__when_tampered_with_or_not_ours(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    struct key_result made = create_store(b);
    static const size_t places[] = {0, 100, PSST_KEM_LEN - 1, PSST_KEM_LEN, PSST_KEY_WRAPPED_LEN - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        made.wrapped[places[i]] ^= 1;
        struct key_result r = open_store(b, psst_view(made.wrapped, made.wrapped_len));
        assert_int_equal(PSST_ERR_AUTH, r.err);
        assert_true(strlen(r.words) > 0);
        made.wrapped[places[i]] ^= 1;
    }
    assert_int_equal(PSST_ERR_DAMAGED, open_store(b, psst_view(made.wrapped, made.wrapped_len - 1)).err);
    assert_int_equal(PSST_ERR_DAMAGED, open_store(b, psst_view(made.wrapped, 0)).err);
    assert_int_equal(PSST_ERR_DAMAGED, open_store(b, psst_view(made.wrapped, sizeof made.wrapped)).err);
    unlock_vector_key(b, "b1024");
    assert_int_equal(PSST_ERR_AUTH, open_store(b, psst_view(made.wrapped, made.wrapped_len)).err);
}

static void everything__is_refused__while_locked(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    struct key_result made = create_store(b);
    uint8_t x[PSST_KEM_LEN] = {2};
    assert_ok(lock(b).err);
    assert_int_equal(PSST_ERR_LOCKED, decapsulate(b, x).err);
    assert_int_equal(PSST_ERR_LOCKED, create_store(b).err);
    assert_int_equal(PSST_ERR_LOCKED, open_store(b, psst_view(made.wrapped, made.wrapped_len)).err);
    assert_ok(lock(b).err); /* twice is no harm */
}

/* ---- when it dies ---- */

/* One that was killed is a child until the loop has collected it. */
static pid_t only_child(struct key_bench *b)
{
    pid_t pids[4];
    for (int i = 0; i < 5000 && key_pids(pids, 4) != 1; i++) {
        (void)uv_run(&b->loop, UV_RUN_NOWAIT);
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(1, key_pids(pids, 4));
    return pids[0];
}

static void requests__fail__and_a_new_process_is_there_when_it_is_killed(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    pid_t first = only_child(b);
    int ends[2]; /* a passphrase that does not come: the request is under way when it dies */
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    struct key_result under_way = {0}, behind = {0};
    psst_key_unlock(b->kc, fd_with(vectors_file("keys/a1024.pem")), ends[0], key_result_take, &under_way);
    psst_key_lock(b->kc, key_result_take, &behind);
    assert_int_equal(0, kill(first, SIGKILL));
    key_wait(b, &under_way);
    key_wait(b, &behind);
    assert_int_equal(PSST_ERR_IO, under_way.err);
    assert_int_equal(PSST_ERR_IO, behind.err);
    assert_int_equal(1, b->died);
    (void)close(ends[1]);

    uint8_t x[PSST_KEM_LEN] = {2};
    assert_int_equal(PSST_ERR_LOCKED, decapsulate(b, x).err);
    assert_int_not_equal(first, only_child(b));
    unlock_vector_key(b, "a1024");
}

static void restarts__are_bounded(void **state)
{
    struct key_bench *b = *state;
    for (unsigned i = 1; i <= 5; i++) {
        assert_ok(lock(b).err);
        assert_int_equal(0, kill(only_child(b), SIGKILL));
        while (b->died < i) (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
    struct key_result r = lock(b);
    assert_int_equal(PSST_ERR_IO, r.err);
    assert_non_null(strstr(r.words, "cannot be started"));
}

static void a_program_that_is_not_there__is__an_error_of_each_request(void **state)
{
    struct key_bench *b = *state;
    struct psst_key_client *kc = NULL;
    bool closed = false;
    struct key_result r = {0};
    assert_ok(psst_key_client_new(&kc, &b->loop, "/nonexistent/psst-key", &b->log, NULL, NULL));
    psst_key_lock(kc, key_result_take, &r);
    key_wait(b, &r);
    assert_int_equal(PSST_ERR_IO, r.err);
    psst_key_client_close(kc, NULL, &closed);
}

static void a_bad_descriptor__fails__its_own_request_alone(void **state)
{
    struct key_bench *b = *state;
    struct key_result r = {0};
    psst_key_unlock(b->kc, -1, -1, key_result_take, &r);
    key_wait(b, &r);
    assert_int_equal(PSST_ERR_IO, r.err);
    assert_ok(lock(b).err);
    assert_int_equal(0, b->died);
}

static void close__answers__what_waits(void **state)
{
    struct key_bench *b = *state;
    int ends[2];
    assert_int_equal(0, pipe2(ends, O_CLOEXEC));
    struct key_result r = {0}, behind = {0};
    psst_key_unlock(b->kc, fd_with(vectors_file("keys/a1024.pem")), ends[0], key_result_take, &r);
    psst_key_lock(b->kc, key_result_take, &behind);
    key_bench_close(b);
    assert_true(r.there && behind.there);
    assert_int_equal(PSST_ERR_IO, r.err);
    assert_int_equal(PSST_ERR_IO, behind.err);
    assert_true(b->closed);
    assert_int_equal(0, b->died);
    pid_t pids[4];
    assert_int_equal(0, key_pids(pids, 4));
    (void)close(ends[1]);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) n++;
    return n;
}

static void descriptors__are__all_closed_again(void **state)
{
    struct key_bench *b = *state;
    unlock_vector_key(b, "a1024");
    assert_ok(lock(b).err);
    size_t before = open_descriptors();
    for (int i = 0; i < 20; i++) {
        struct key_result r = {0};
        psst_key_unlock(b->kc, fd_with_text("nothing"), fd_with_text("x"), key_result_take, &r);
        key_wait(b, &r);
        assert_int_equal(PSST_ERR_MALFORMED, r.err);
    }
    assert_int_equal(before, open_descriptors());
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, key_bench_setup, key_bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(generate__gives__an_encrypted_key_that_opens),
        CASE(generate__gives__a_plain_key_when_there_is_no_passphrase),
        CASE(generate__leaves__the_identity_unlocked),
        CASE(generate__refuses__what_no_key_should_be),
        CASE(generate__refuses__a_file_that_others_may_read_or_that_holds_something),
        CASE(generate__refuses__to_replace_an_open_key),
        CASE(unlock__refuses__a_wrong_or_missing_passphrase),
        CASE(unlock__keeps__the_open_key_when_another_does_not_open),
        CASE(unlock__takes__a_passphrase_of_1024_bytes_and_no_more),
        CASE(unlock__refuses__an_endless_key_file),
        CASE(import__takes__keys_of_every_shape),
        CASE(import__opens__an_encrypted_key_with_its_passphrase),
        CASE(change__gives__the_same_key_under_the_new_passphrase),
        CASE(decapsulate__gives__what_the_sender_has),
        CASE(decapsulate__refuses__what_decapsulates_to_nothing),
        CASE(decapsulate__answers__many_at_once_in_order),
        CASE(requests__are_refused__when_too_many_wait),
        CASE(store_key__opens__as_it_was_created),
        CASE(store_key__is_refused__when_tampered_with_or_not_ours),
        CASE(everything__is_refused__while_locked),
        CASE(requests__fail__and_a_new_process_is_there_when_it_is_killed),
        CASE(restarts__are_bounded),
        CASE(a_program_that_is_not_there__is__an_error_of_each_request),
        CASE(a_bad_descriptor__fails__its_own_request_alone),
        CASE(close__answers__what_waits),
        CASE(descriptors__are__all_closed_again),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
