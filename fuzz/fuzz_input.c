/* A terminal's bytes as keys, pastes and passphrases (tui/input.h), however reads cut them and wherever pauses fall.
 *
 * input: u8 how || bytes
 *   how bit 0: reads cut as the bytes say (1 to 8 each); bit 1: pauses between some; bit 2: a field that asks for a passphrase
 *   comes and goes. Without pauses and fields the keys must be those of one single read.
 */
#include "fuzz.h"

#include "key_check.h"

#include "../tests/support/pretend_tty.h"
#include "tui/input_begin.h"

#define INPUT_MAX 4000 /* one read */

struct run {
    struct fuzz_rng state;
    uint8_t how;
    bool keep; /* what comes is to be compared */
    struct psst_buf came;
    struct psst_passphrase pass;
};

static void note(struct run *run, const struct psst_key *key)
{
    const char *wrong = key_wrong(key);
    if (wrong != NULL) (void)fprintf(stderr, "does not hold: %s\n", wrong);
    FUZZ_CHECK(wrong == NULL);
    if (!run->keep || key->code == PSST_KEY_NONE) return;
    psst_buf_put_u8(&run->came, (uint8_t)key->code);
    psst_buf_put_u8(&run->came, (uint8_t)key->mods);
    psst_buf_put_u32(&run->came, key->cp);
    psst_buf_put_u32(&run->came, (uint32_t)(key->row * 10000 + key->column));
    psst_buf_put(&run->came, key->paste, key->paste_len);
}

static void take_keys(struct run *run)
{
    struct psst_key key;
    do {
        psst_input_next(&key);
        note(run, &key);
    } while (key.code != PSST_KEY_NONE);
}

static void take_secret(struct run *run)
{
    enum psst_secret_key what;
    do {
        what = psst_input_secret(&run->pass);
        FUZZ_CHECK(what != PSST_SECRET_GONE);
        FUZZ_CHECK(run->pass.len <= PSST_PASSPHRASE_MAX && run->pass.text[run->pass.len] == '\0');
        for (size_t i = 0; i < run->pass.len; i++)
            FUZZ_CHECK((uint8_t)run->pass.text[i] >= 0x20 && run->pass.text[i] != 0x7f);
        if (what == PSST_SECRET_DONE || what == PSST_SECRET_GIVEN_UP) psst_passphrase_wipe(&run->pass);
    } while (what != PSST_SECRET_NOTHING);
}

static uint8_t any(struct run *run)
{
    uint8_t byte;
    struct psst_rng rng = fuzz_rng_of(&run->state);
    rng.fill(rng.ctx, &byte, 1);
    return byte;
}

static void take(struct run *run)
{
    if ((run->how & 4) != 0 && any(run) % 2 == 0)
        take_secret(run);
    else
        take_keys(run);
}

static void run_all(struct run *run, struct psst_view bytes)
{
    psst_input_begin();
    pretend_tty.asked_ms = 0;
    pretend_tty.rang = false;
    while (bytes.len > 0) {
        struct psst_view some = (run->how & 1) != 0 ? fuzz_take_view(&bytes, 1 + any(run) % 8) : bytes;
        if ((run->how & 1) == 0) bytes.len = 0;
        uint8_t *exact = malloc(some.len);
        FUZZ_CHECK(exact != NULL);
        memcpy(exact, some.data, some.len);
        pretend_tty_feed(exact, some.len);
        while (pretend_tty.len > 0) take(run); /* a field of its own leaves what is typed behind Enter */
        free(exact);
        if ((run->how & 2) != 0 && any(run) % 4 == 0 && pretend_tty_wait()) take(run);
    }
    while (pretend_tty_wait()) take(run); /* all pauses come to an end */
    psst_input_end();
    psst_passphrase_wipe(&run->pass);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view bytes = psst_view(data, size);
    struct run run = {.how = fuzz_take_u8(&bytes), .state = {size}};
    if (bytes.len > INPUT_MAX) return 0;
    run.keep = (run.how & 6) == 0;
    psst_buf_init(&run.came, 1u << 20);
    run_all(&run, bytes);
    if (run.keep && (run.how & 1) != 0) {
        struct run whole = {.how = 0, .keep = true};
        psst_buf_init(&whole.came, 1u << 20);
        run_all(&whole, bytes);
        FUZZ_CHECK(!run.came.failed && psst_view_equal(psst_buf_view(&run.came), psst_buf_view(&whole.came)));
        psst_buf_fini(&whole.came);
    }
    psst_buf_fini(&run.came);
    return 0;
}
