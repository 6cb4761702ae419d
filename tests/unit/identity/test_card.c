/* Contact cards: what is taken, what is refused and in which words, and that openssl reads them as they are. */
#include "identity/card.h"
#include "support/check.h"
#include "support/vectors.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

extern char **environ;

/* A text that is put together from pieces, one of which is the PEM of a1024. */
static struct psst_view pem(void)
{
    return vectors_file("keys/a1024.pub.pem");
}

static char fingerprint[PSST_FPR_TEXT_LEN];

static int find_fingerprint(void **state)
{
    (void)state;
    struct psst_rsa_public *key = vectors_public_key("a1024");
    psst_fpr_text(fingerprint, psst_rsa_public_fpr(key));
    psst_rsa_public_free(key);
    return 0;
}

static enum psst_err parse(struct psst_card *card, struct psst_diag *diag, const char *before, const char *after)
{
    struct psst_buf text;
    psst_buf_init(&text, 1 << 20);
    psst_buf_put_str(&text, before);
    psst_buf_put_view(&text, pem());
    psst_buf_put_str(&text, after);
    assert_false(text.failed);
    /* an exact copy: a sanitizer sees the first byte read beyond it */
    uint8_t *copy = malloc(text.len);
    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    enum psst_err err = psst_card_parse(card, psst_view(copy, text.len), diag);
    free(copy);
    psst_buf_fini(&text);
    return err;
}

static void assert_taken(struct psst_card *card, const char *before, const char *after)
{
    struct psst_diag diag = {0};
    if (parse(card, &diag, before, after) != PSST_OK) fail_msg("refused: %s", diag.text);
    assert_int_equal(1024, psst_rsa_public_bits(card->key));
}

static void assert_refused(const char *words, const char *before, const char *after)
{
    struct psst_card card = {0};
    struct psst_diag diag = {0};
    enum psst_err err = parse(&card, &diag, before, after);
    if (err == PSST_OK) fail_msg("taken: '%s' ... '%s'", before, after);
    if (strstr(diag.text, words) == NULL) fail_msg("'%s' does not say '%s'", diag.text, words);
    assert_null(card.key);
}

static void card__is_taken__with_the_pem_alone(void **state)
{
    (void)state;
    struct psst_card card;
    assert_taken(&card, "", "");
    assert_string_equal("", card.name);
    assert_int_equal(0, card.n_addresses);
    assert_false(card.has_pair_secret);
    psst_card_fini(&card);
}

static void card__gives__all_its_fields(void **state)
{
    (void)state;
    char before[1024];
    (void)snprintf(before, sizeof before,
                   "PSST contact card\nName: Bob Smith\nAddress: Bob.example.org\nAddress: [2001:db8::1]:4517\n"
                   "Key: RSA 1024 bits\nFingerprint: %s\nPair-Secret: " SECRET "\n\n",
                   fingerprint);
    struct psst_card card;
    assert_taken(&card, before, "");
    assert_string_equal("Bob Smith", card.name);
    assert_int_equal(2, card.n_addresses);
    assert_string_equal("bob.example.org:4516", card.addresses[0]);
    assert_string_equal("[2001:db8::1]:4517", card.addresses[1]);
    assert_true(card.has_pair_secret);
    assert_int_equal(0x00, card.pair_secret.b[0]);
    assert_int_equal(0xff, card.pair_secret.b[31]);
    psst_card_fini(&card);
    assert_null(card.key);
}

static void card__is_read__the_same_in_other_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *before, *name;
    } cases[] = {
        {"name: Bob\n", "Bob"},
        {"NAME : Bob\n", "Bob"},
        {"  \tName:Bob  \t\n", "Bob"},
        {"Name: Bob\r\n\r\n", "Bob"},
        {"\xef\xbb\xbfName: Bob\n", "Bob"},
        {"\xef\xbb\xbf", ""},
        {"Colour: green\nX-Later: 1\nsome text\n: nothing\nName: Bob\n", "Bob"},
        {"Name: a: b\n", "a: b"},
        {"Name: Zo\u00eb\n", "Zo\u00eb"},
        {"Surname: Smith\nNamed: x\nName: Bob\n", "Bob"},
        {"Name: 0123456789012345678901234567890123456789012345678901234567890123\n",
         "0123456789012345678901234567890123456789012345678901234567890123"},
        /* what could move a cursor or hide is shown as what it is, or not at all (attacks 34 to 36) */
        {"Name: \033[31mBob\n", "\u241b[31mBob"},
        {"Name: Bo\u202eb\n", "Bob"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct psst_card card;
        assert_taken(&card, cases[i].before, "");
        assert_string_equal(cases[i].name, card.name);
        psst_card_fini(&card);
    }
}

static void card__is_taken__with_text_around_it(void **state)
{
    (void)state;
    struct psst_card card;
    assert_taken(&card, "Hi Alice,\nhere is my card: as promised.\n", "\n-- \nBob, on the road\n");
    psst_card_fini(&card);
    assert_taken(&card, "\r\n\t\n", "\n\n\r\n");
    psst_card_fini(&card);
    assert_refused("damaged", "my key: ", ""); /* the block must begin its line, or openssl does not see it */
}

static void fields__are_refused__when_they_contradict_or_repeat(void **state)
{
    (void)state;
    static const struct {
        const char *words, *before;
    } cases[] = {
        {"two lines 'Name'", "Name: Bob\nName: Bob\n"},
        {"two lines 'Name'", "Name: Bob\n name : Eve\n"},
        {"two lines 'Key'", "Key: RSA 1024 bits\nKey: RSA 1024 bits\n"},
        {"two lines 'Pair-Secret'", "Pair-Secret: " SECRET "\nPair-Secret: " SECRET "\n"},
        {"'Name' of the card is empty", "Name:\n"},
        {"'Address' of the card is empty", "Address:   \n"},
        {"longer than 64 bytes", "Name: 01234567890123456789012345678901234567890123456789012345678901234\n"},
        {"an address on the card is wrong", "Address: $(reboot)\n"},
        {"an address on the card is wrong", "Address: a:0\n"},
        {"network interface", "Address: fe80::1%eth0\n"},
        {"more than 8 addresses",
         "Address: a\nAddress: b\nAddress: c\nAddress: d\nAddress: e\nAddress: f\nAddress: g\nAddress: h\nAddress: i\n"},
        {"RSA 1024 bits", "Key: RSA 4096 bits\n"},
        {"RSA 1024 bits", "Key: 1024\n"},
        {"not 64 hexadecimal digits", "Fingerprint: 1234\n"},
        {"not 64 hexadecimal digits", "Fingerprint: " SECRET "0\n"},
        {"not that of its key", "Fingerprint: " SECRET "\n"},
        {"pair secret on the card is not", "Pair-Secret: " SECRET "00\n"},
        {"pair secret on the card is not", "Pair-Secret: secret\n"},
        {"all zeros", "Pair-Secret: 00000000000000000000000000000000 00000000000000000000000000000000\n"},
        {"UTF-8", "Name: B\xf6"
                  "b\n"},
        {"UTF-8", "\xff\xfeN\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) assert_refused(cases[i].words, cases[i].before, "");
}

static void addresses__are_taken__once_each(void **state)
{
    (void)state;
    struct psst_card card;
    assert_taken(&card, "Address: a\nAddress: A:4516\nAddress: b\nAddress: a.\n", "");
    assert_int_equal(2, card.n_addresses);
    psst_card_fini(&card);
    assert_taken(
        &card, "Address: a\nAddress: b\nAddress: c\nAddress: d\nAddress: e\nAddress: f\nAddress: g\nAddress: h\n", "");
    assert_int_equal(PSST_ADDRESSES_MAX, card.n_addresses);
    psst_card_fini(&card);
}

static void nothing__may_look_like__a_second_key_or_a_field_below_it(void **state)
{
    (void)state;
    assert_refused("a line 'Fingerprint' below the key", "", "Fingerprint: 1234\n");
    assert_refused("a line 'Name' below the key", "", "\n\n  name: Eve\n");
    assert_refused("two public keys", "", "-----BEGIN PUBLIC KEY-----\nMIGf\n-----END PUBLIC KEY-----\n");
    assert_refused("damaged", "", "-----END PUBLIC KEY-----\n");
    assert_refused("damaged", "-----END PUBLIC KEY-----\n", "");
    assert_refused("two public keys", "-----BEGIN PUBLIC KEY-----\n", "");
    assert_refused("damaged", "> -----BEGIN PUBLIC KEY-----\n> MIGf\n", "");
    assert_refused("damaged", "-----BEGIN PUBLIC KEY----- x\n", "");
    assert_refused("damaged", "text -----BEGIN SOMETHING-----\n", "");
    assert_refused("certificate", "-----BEGIN CERTIFICATE-----\nMIGf\n-----END CERTIFICATE-----\n", "");
    assert_refused("RSAPublicKey_in", "-----BEGIN RSA PUBLIC KEY-----\nMIGf\n", "");
    assert_refused("never hand it to anybody", "-----BEGIN PRIVATE KEY-----\nMIGf\n", "");
    assert_refused("never hand it to anybody", "", "-----BEGIN RSA PRIVATE KEY-----\nMIGf\n");
    assert_refused("never hand it to anybody", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "");
    assert_refused("never hand it to anybody", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "");
}

static void assert_text_refused(const char *words, struct psst_view text)
{
    struct psst_card card = {0};
    struct psst_diag diag = {0};
    assert_int_not_equal(PSST_OK, psst_card_parse(&card, text, &diag));
    if (strstr(diag.text, words) == NULL) fail_msg("'%s' does not say '%s'", diag.text, words);
    assert_null(card.key);
}

static void what_is_no_card__is_refused__with_a_reason(void **state)
{
    (void)state;
    assert_text_refused("no public key", psst_view(NULL, 0));
    assert_text_refused("no public key", psst_view_str("\n"));
    assert_text_refused("no public key", psst_view_str("Name: Bob\n"));
    assert_text_refused("no public key", psst_view_str("ssh-rsa AAAAB3NzaC1yc2E= bob@host\n"));
    assert_text_refused("UTF-8", psst_view("a\0b", 3));
    assert_text_refused("does not end", psst_view_str("-----BEGIN PUBLIC KEY-----\nMIGf\n"));
    assert_text_refused("does not end", psst_view_str("-----BEGIN PUBLIC KEY-----"));
    assert_text_refused("damaged", psst_view_str("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIGf\n"));
    assert_text_refused("", psst_view_str("-----BEGIN PUBLIC KEY-----\nMIGf\n-----END PUBLIC KEY-----\n"));
    assert_text_refused("", psst_view_str("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"));
    assert_text_refused("never hand it", vectors_file("keys/a1024.pem"));
}

static void card__is_refused__cut_anywhere(void **state)
{
    (void)state;
    struct psst_view whole = pem();
    while (whole.len > 0 && whole.data[whole.len - 1] == '\n') whole.len--;
    for (size_t len = 0; len < whole.len; len++) assert_text_refused("", psst_view(whole.data, len));
    struct psst_card card;
    assert_ok(psst_card_parse(&card, whole, NULL)); /* without the last line feed */
    psst_card_fini(&card);
}

static void card__is_refused__over_16_kib(void **state)
{
    (void)state;
    static char filler[PSST_CARD_MAX];
    struct psst_card card;
    memset(filler, 'x', sizeof filler);
    size_t room = PSST_CARD_MAX - pem().len;
    filler[room - 1] = '\n';
    filler[room] = '\0';
    assert_taken(&card, filler, ""); /* one line of text can fill all of it */
    psst_card_fini(&card);
    assert_refused("16 KiB", filler, "\n");
    for (size_t i = 0; i < room; i++) filler[i] = '\n';
    assert_taken(&card, filler, "");
    psst_card_fini(&card);
}

static void key__is_refused__outside_the_limits(void **state)
{
    (void)state;
    /* made by: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512; and an Ed25519 key */
    assert_text_refused(
        "512",
        psst_view_str(
            "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMjAG4NfDsIkkjeP+uTl5kUFvBDaTlR2\ntbx76XTtS4IwcfoQotvV7/gImPrZFjqw2krAx4dTjQxVMnVrXnIrjG0CAwEAAQ==\n-----END PUBLIC KEY-----\n"));
    assert_text_refused(
        "RSA",
        psst_view_str(
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA2hcWt2c4VWuCPSJQgEEvdIwLBaMynODXyhecc+jwuhs=\n-----END PUBLIC KEY-----\n"));
}

static struct psst_card a_card(const char *key)
{
    struct psst_card card = {.name = "Zo\u00eb", .n_addresses = 2, .has_pair_secret = true};
    strcpy(card.addresses[0], "bob.example.org:4516");
    strcpy(card.addresses[1], "[2001:db8::1]:4517");
    for (size_t i = 0; i < sizeof card.pair_secret.b; i++) card.pair_secret.b[i] = (uint8_t)(i * 7 + 1);
    card.key = vectors_public_key(key);
    return card;
}

static void card__survives__writing_and_reading(void **state)
{
    (void)state;
    static const char *const keys[] = {"a1024", "odd1031", "wide-e2048", "a3072", "a4096"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct psst_card wrote = a_card(keys[i]), read;
        struct psst_buf text, again;
        psst_buf_init(&text, PSST_CARD_MAX);
        psst_buf_init(&again, PSST_CARD_MAX);
        assert_ok(psst_card_write(&wrote, &text));
        assert_ok(psst_card_parse(&read, psst_buf_view(&text), NULL));
        assert_string_equal(wrote.name, read.name);
        assert_int_equal(2, read.n_addresses);
        assert_string_equal(wrote.addresses[1], read.addresses[1]);
        assert_true(read.has_pair_secret);
        assert_memory_equal(wrote.pair_secret.b, read.pair_secret.b, sizeof read.pair_secret.b);
        assert_memory_equal(psst_rsa_public_fpr(wrote.key), psst_rsa_public_fpr(read.key), sizeof(struct psst_fpr));
        assert_ok(psst_card_write(&read, &again));
        assert_true(psst_view_equal(psst_buf_view(&text), psst_buf_view(&again)));
        psst_buf_fini(&text);
        psst_buf_fini(&again);
        psst_card_fini(&wrote);
        psst_card_fini(&read);
    }
}

static void card__is_written__as_the_document_says(void **state)
{
    (void)state;
    struct psst_card card = a_card("a1024");
    struct psst_buf want, got;
    psst_buf_init(&want, PSST_CARD_MAX);
    psst_buf_init(&got, PSST_CARD_MAX);
    psst_buf_printf(&want,
                    "PSST contact card\nName: Zo\u00eb\nAddress: bob.example.org:4516\nAddress: [2001:db8::1]:4517\n"
                    "Key: RSA 1024 bits\nFingerprint: %s\n"
                    "Pair-Secret: 01080f161d242b323940474e555c636a71787f868d949ba2a9b0b7bec5ccd3da\n\n",
                    fingerprint);
    psst_buf_put_view(&want, pem());
    assert_ok(psst_card_write(&card, &got));
    assert_true(psst_view_equal(psst_buf_view(&want), psst_buf_view(&got)));
    psst_buf_fini(&want);
    psst_buf_fini(&got);

    card.name[0] = '-';
    assert_err(PSST_ERR_USAGE, psst_card_write(&card, &got));
    card.name[0] = '\0';
    psst_buf_init(&got, 100); /* no room */
    assert_int_not_equal(PSST_OK, psst_card_write(&card, &got));
    psst_buf_fini(&got);
    psst_card_fini(&card);
    assert_err(PSST_ERR_USAGE, psst_card_write(&card, &got));
}

/* `openssl pkey -pubin -in CARD -outform DER`: its output, or fails the test. */
static struct psst_buf run_openssl(const char *file)
{
    struct psst_buf out;
    int ends[2], status = 0;
    pid_t pid;
    char *args[] = {(char *)(uintptr_t) "openssl", (char *)(uintptr_t) "pkey",
                    (char *)(uintptr_t) "-pubin",  (char *)(uintptr_t) "-in",
                    (char *)(uintptr_t)file,       (char *)(uintptr_t) "-outform",
                    (char *)(uintptr_t) "DER",     NULL};
    posix_spawn_file_actions_t actions;
    psst_buf_init(&out, 4096);
    assert_int_equal(0, pipe(ends));
    assert_int_equal(0, posix_spawn_file_actions_init(&actions));
    assert_int_equal(0, posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO));
    assert_int_equal(0, posix_spawnp(&pid, "openssl", &actions, NULL, args, environ));
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    assert_ok(psst_buf_reserve(&out, 4096));
    ssize_t n;
    while ((n = read(ends[0], out.data + out.len, 4096 - out.len)) > 0) out.len += (size_t)n;
    (void)close(ends[0]);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_int_equal(0, status);
    return out;
}

static void openssl__reads__the_card_as_it_is(void **state)
{
    (void)state;
    struct psst_card card = a_card("a2048");
    struct psst_buf text;
    char name[] = "/tmp/psst-test-XXXXXX";
    psst_buf_init(&text, PSST_CARD_MAX);
    assert_ok(psst_card_write(&card, &text));
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal((ssize_t)text.len, write(fd, text.data, text.len));
    (void)close(fd);
    struct psst_buf der = run_openssl(name);
    (void)unlink(name);
    assert_true(psst_view_equal(psst_rsa_public_spki(card.key), psst_buf_view(&der)));
    psst_buf_fini(&der);
    psst_buf_fini(&text);
    psst_card_fini(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(card__is_taken__with_the_pem_alone),
        cmocka_unit_test(card__gives__all_its_fields),
        cmocka_unit_test(card__is_read__the_same_in_other_spellings),
        cmocka_unit_test(card__is_taken__with_text_around_it),
        cmocka_unit_test(fields__are_refused__when_they_contradict_or_repeat),
        cmocka_unit_test(addresses__are_taken__once_each),
        cmocka_unit_test(nothing__may_look_like__a_second_key_or_a_field_below_it),
        cmocka_unit_test(what_is_no_card__is_refused__with_a_reason),
        cmocka_unit_test(card__is_refused__cut_anywhere),
        cmocka_unit_test(card__is_refused__over_16_kib),
        cmocka_unit_test(key__is_refused__outside_the_limits),
        cmocka_unit_test(card__survives__writing_and_reading),
        cmocka_unit_test(card__is_written__as_the_document_says),
        cmocka_unit_test(openssl__reads__the_card_as_it_is),
    };
    if (psst_crypto_init(0) != PSST_OK) return 1;
    return cmocka_run_group_tests(tests, find_fingerprint, NULL);
}
