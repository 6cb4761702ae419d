/* What a terminal sends, as keys (tui/sequence.h): pure, so every prefix is tried.
 *
 * input: the bytes
 * A key takes some of them and never more than there are; what has been decided stays so, whatever follows; nothing but a
 * pause is waited for for ever; and what is given out is a key that there is.
 */
#include "fuzz.h"

#include "key_check.h"

#include "tui/sequence.h"

#define INPUT_MAX 4096

static const struct psst_sequence named[] = {
    {"\033[25~", PSST_KEY_F9, 0}, {"\033OA", PSST_KEY_UP, 0}, {"\033[O", PSST_KEY_END, 0}, {"\033[", PSST_KEY_F12, 0}};
#define NAMED (sizeof named / sizeof named[0])

static size_t read_exactly(struct psst_key *key, const uint8_t *bytes, size_t len, bool over, size_t n_named)
{
    uint8_t *exact = malloc(len); /* so that one byte too far is seen */
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, len);
    size_t took = psst_sequence_read(key, exact, len, over, named, n_named);
    free(exact);
    FUZZ_CHECK(took <= len);
    FUZZ_CHECK(key_wrong(key) == NULL);
    FUZZ_CHECK(!over || took > 0);
    return took;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psst_view input = psst_view(data, size);
    size_t n_named = (fuzz_take_u8(&input) & 1) != 0 ? NAMED : 0;
    if (input.len > INPUT_MAX) return 0;
    for (size_t at = 0; at < input.len;) {
        struct psst_key key, again;
        const uint8_t *bytes = input.data + at;
        size_t left = input.len - at, need = 1, took = 0;
        while (need <= left && (took = read_exactly(&key, bytes, need, false, n_named)) == 0) {
            FUZZ_CHECK(need <= PSST_SEQUENCE_MAX); /* one more for an Escape before it */
            (void)read_exactly(&again, bytes, need, true, n_named);
            need++;
        }
        if (took == 0) took = read_exactly(&key, bytes, left, true, n_named);
        for (size_t more = need + 1; more <= left && more <= need + 16; more++) {
            FUZZ_CHECK(read_exactly(&again, bytes, more, false, n_named) == took);
            FUZZ_CHECK(same_key(&key, &again));
        }
        if (need <= left) {
            FUZZ_CHECK(read_exactly(&again, bytes, left, true, n_named) == took);
            FUZZ_CHECK(same_key(&key, &again));
        }
        at += took;
    }
    return 0;
}
