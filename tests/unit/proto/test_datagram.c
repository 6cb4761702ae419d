/* Voice datagrams: the vectors, the replay window at its edges, the frame codec. */
#include "proto/datagram.h"

#include "support/check.h"
#include "support/vectors.h"

static json_t *root;

static int load(void **state)
{
    (void)state;
    if (psst_crypto_init(0) != PSST_OK) return 1;
    root = vectors_load("voice.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(root);
    return 0;
}

#define FRAME_MAX 256

struct datagram {
    struct psst_aead_key key;
    uint32_t receiver_id;
    uint64_t counter;
    size_t frame_len;
    struct psst_view frame, bytes;
};

static struct datagram datagram_of(const json_t *d)
{
    struct datagram out = {.frame_len = vectors_u64(root, "frame_size")};
    vectors_hex_exact(d, "key", out.key.b, 32);
    out.receiver_id = psst_load_u32(vectors_hex(d, "receiver_id").data);
    out.bytes = vectors_hex(d, "datagram");
    if (!vectors_has(d, "counter")) return out;
    out.counter = psst_load_u64(vectors_hex(d, "counter").data);
    out.frame = vectors_hex(d, "frame");
    return out;
}

static void datagram__equals_vectors__both_ways(void **state)
{
    (void)state;
    size_t i;
    const json_t *v;
    json_array_foreach(vectors_array(root, "datagrams"), i, v)
    {
        struct datagram d = datagram_of(v);
        struct psst_replay_window window = {0};
        struct psst_voice_frame frame = {.timestamp_samples = (uint32_t)vectors_u64(v, "timestamp"),
                                         .flags = (uint8_t)vectors_u64(v, "flags"),
                                         .opus = vectors_hex(v, "opus")};
        struct psst_voice_frame read = {0};
        uint8_t plain[FRAME_MAX], sealed[FRAME_MAX];
        uint64_t counter = 0;
        assert_int_equal(psst_voice_frame_write(plain, d.frame_len, &frame), PSST_OK);
        assert_true(psst_view_equal(psst_view(plain, d.frame_len), d.frame));
        assert_int_equal(psst_datagram_seal(sealed, &d.key, d.receiver_id, d.counter, d.frame), PSST_OK);
        assert_true(psst_view_equal(psst_view(sealed, d.frame_len + 28), d.bytes));
        memset(plain, 0, sizeof plain);
        assert_int_equal(psst_datagram_open(plain, &d.key, d.receiver_id, &window, d.frame_len, d.bytes, &counter),
                         PSST_OK);
        assert_int_equal(counter, d.counter);
        assert_int_equal(psst_voice_frame_read(&read, psst_view(plain, d.frame_len)), PSST_OK);
        assert_int_equal(read.timestamp_samples, frame.timestamp_samples);
        assert_int_equal(read.flags, frame.flags);
        assert_true(psst_view_equal(read.opus, frame.opus));
        /* the same once more is a replay */
        assert_int_equal(psst_datagram_open(plain, &d.key, d.receiver_id, &window, d.frame_len, d.bytes, &counter),
                         PSST_ERR_AUTH);
    }
    assert_int_equal(i, 10);
}

/* They were all made from one genuine datagram with a frame of 16 bytes, which is the first with its receiver put right. */
static void datagram__is_refused__by_the_vectors(void **state)
{
    (void)state;
    size_t i;
    const json_t *v;
    uint8_t plain[FRAME_MAX];
    uint64_t counter = 1234;
    struct psst_replay_window window = {0}, before = window;
    json_array_foreach(vectors_array(root, "refused"), i, v)
    {
        struct datagram d = datagram_of(v);
        enum psst_err err = psst_datagram_open(plain, &d.key, d.receiver_id, &window, 16, d.bytes, &counter);
        if (err != PSST_ERR_AUTH) fail_msg("%s: %s", vectors_str(v, "why"), psst_err_name(err));
        assert_int_equal(counter, 1234);
        assert_memory_equal(&window, &before, sizeof window); /* what is not authentic moves nothing */
    }
    assert_int_equal(i, 9);
    struct datagram d = datagram_of(json_array_get(vectors_get(root, "refused"), 0));
    uint8_t genuine[44];
    assert_int_equal(d.bytes.len, sizeof genuine);
    memcpy(genuine, d.bytes.data, sizeof genuine);
    psst_store_u32(genuine, d.receiver_id);
    d.bytes = psst_view(genuine, sizeof genuine);
    assert_int_equal(psst_datagram_open(plain, &d.key, d.receiver_id, &window, 15, d.bytes, &counter), PSST_ERR_AUTH);
    assert_int_equal(psst_datagram_open(plain, &d.key, d.receiver_id, &window, 16, d.bytes, &counter), PSST_OK);
    assert_int_equal(counter, 5);
}

static void datagram__is_refused__with_any_bit_flipped(void **state)
{
    (void)state;
    struct psst_replay_window window = {0}, before = window;
    const struct psst_aead_key key = {{9}};
    uint8_t frame[20] = {1, 2, 3}, datagram[48], opened[20];
    uint64_t counter;
    assert_int_equal(psst_datagram_seal(datagram, &key, 0x01020304, 77, psst_view(frame, sizeof frame)), PSST_OK);
    for (size_t bit = 0; bit < sizeof datagram * 8; bit++) {
        datagram[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(psst_datagram_open(opened, &key, 0x01020304, &window, sizeof frame,
                                            psst_view(datagram, sizeof datagram), &counter),
                         PSST_ERR_AUTH);
        datagram[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(&window, &before, sizeof window);
    assert_int_equal(psst_datagram_open(opened, &key, 0x01020304, &window, sizeof frame,
                                        psst_view(datagram, sizeof datagram), &counter),
                     PSST_OK);
    assert_memory_equal(opened, frame, sizeof frame);
}

/* ---- the replay window ---- */

static bool arrives(struct psst_replay_window *w, uint64_t counter)
{
    if (!psst_replay_window_check(w, counter)) return false;
    psst_replay_window_mark(w, counter);
    return true;
}

static void replay_window__equals_vectors__in_order_of_arrival(void **state)
{
    (void)state;
    struct psst_replay_window w = {0};
    size_t i;
    const json_t *pair;
    json_array_foreach(vectors_array(vectors_get(root, "replay"), "sequence"), i, pair)
    {
        uint64_t counter = psst_load_u64(vectors_hex_of(json_array_get(pair, 0)).data);
        if (arrives(&w, counter) != json_is_true(json_array_get(pair, 1))) fail_msg("step %zu", i);
    }
    assert_true(i >= 21);
}

/* Against a model that remembers everything, around every edge where the ring or the counter could wrap. */
static void replay_window__agrees__with_a_model_that_remembers_all(void **state)
{
    (void)state;
    enum { SPAN = 9000 };
    const uint64_t bases[] = {0,
                              2047,
                              UINT64_C(33) * 64 - 100,
                              (UINT64_C(1) << 32) - 4000,
                              (UINT64_C(1) << 63) - 4000,
                              UINT64_MAX - SPAN + 1};
    for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++) {
        static bool seen[SPAN];
        memset(seen, 0, sizeof seen);
        struct psst_replay_window w = {0};
        uint64_t random = 12345, top = 0;
        bool any = false;
        for (int step = 0; step < 20000; step++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t reach = (uint64_t)step * SPAN / 20000 + 1; /* creeps forward, with jumps back and a few ahead */
            uint64_t at = (random >> 33) % (reach + (random >> 20) % 400);
            if (at >= SPAN) at = SPAN - 1;
            bool want = !seen[at] && (!any || at >= top || top - at < PSST_REPLAY_WINDOW);
            if (arrives(&w, bases[b] + at) != want) fail_msg("base %zu, step %d, at %d", b, step, (int)at);
            if (!want) continue;
            seen[at] = true;
            if (!any || at > top) top = at;
            any = true;
        }
    }
}

static void replay_window__takes__each_counter_of_a_run_once(void **state)
{
    (void)state;
    struct psst_replay_window w = {0};
    for (uint64_t c = 0; c < 10000; c++) {
        assert_true(arrives(&w, c));
        assert_false(arrives(&w, c));
        if (c >= 2047) assert_false(psst_replay_window_check(&w, c - 2047));
    }
}

static void replay_window__forgets_nothing_it_needs__after_any_jump(void **state)
{
    (void)state;
    for (uint64_t jump = 1; jump < 2300; jump++) {
        struct psst_replay_window w = {0};
        for (uint64_t c = 5000; c < 5100; c++) assert_true(arrives(&w, c));
        assert_true(arrives(&w, 5099 + jump));
        for (uint64_t c = 5000; c < 5100; c++) assert_false(psst_replay_window_check(&w, c));
        for (uint64_t c = 5100; c < 5099 + jump; c++)
            assert_int_equal(psst_replay_window_check(&w, c), 5099 + jump - c < PSST_REPLAY_WINDOW);
    }
}

/* After a jump past everything that was seen, nothing of it is left in the ring. */
static void replay_window__starts_afresh__after_a_far_jump(void **state)
{
    (void)state;
    for (uint64_t jump = 2048; jump < 2048 + 70 * 64; jump += 61) {
        struct psst_replay_window w = {0};
        for (uint64_t c = 0; c < 5000; c++) assert_true(arrives(&w, c));
        uint64_t top = 4999 + jump;
        assert_true(arrives(&w, top));
        for (uint64_t c = top - 2047; c < top; c++) assert_true(arrives(&w, c));
        assert_false(psst_replay_window_check(&w, top - 2048));
    }
}

/* A counter that was checked before another datagram moved the window far on is not marked into another's place. */
static void replay_window__ignores__marking_what_is_too_old(void **state)
{
    (void)state;
    struct psst_replay_window w = {0};
    assert_true(arrives(&w, 100000));
    struct psst_replay_window before = w;
    psst_replay_window_mark(&w, 100000 - 2048);
    psst_replay_window_mark(&w, 0);
    assert_memory_equal(&w, &before, sizeof w);
}

static void replay_window__ends__at_the_last_counter(void **state)
{
    (void)state;
    struct psst_replay_window w = {0};
    assert_true(arrives(&w, UINT64_MAX - 1));
    assert_false(arrives(&w, UINT64_MAX - 1));
    assert_true(arrives(&w, UINT64_MAX));
    assert_false(arrives(&w, UINT64_MAX));
    assert_false(arrives(&w, 0));
    assert_true(arrives(&w, UINT64_MAX - 2047));
    assert_false(arrives(&w, UINT64_MAX - 2048));
}

/* ---- frames ---- */

static void voice_frame__keeps_its_size__for_any_payload(void **state)
{
    (void)state;
    uint8_t opus[93], frame[100];
    memset(opus, 0xee, sizeof opus);
    for (size_t len = 0; len <= sizeof opus; len++) {
        struct psst_voice_frame f = {.timestamp_samples = UINT32_MAX, .flags = 0x81, .opus = psst_view(opus, len)}, g;
        assert_int_equal(psst_voice_frame_write(frame, sizeof frame, &f), PSST_OK);
        assert_int_equal(psst_voice_frame_read(&g, psst_view(frame, sizeof frame)), PSST_OK);
        assert_true(g.timestamp_samples == UINT32_MAX && g.flags == 0x81 && psst_view_equal(g.opus, f.opus));
    }
}

static void voice_frame__is_refused__when_it_does_not_fit(void **state)
{
    (void)state;
    static uint8_t opus[65536], frame[65600];
    struct psst_voice_frame f = {.opus = psst_view(opus, 94)};
    assert_int_equal(psst_voice_frame_write(frame, 100, &f), PSST_ERR_TOO_LONG);
    f.opus.len = 0;
    assert_int_equal(psst_voice_frame_write(frame, 6, &f), PSST_ERR_TOO_LONG);
    assert_int_equal(psst_voice_frame_write(frame, 7, &f), PSST_OK);
    f.opus.len = 65536;
    assert_int_equal(psst_voice_frame_write(frame, sizeof frame, &f), PSST_ERR_TOO_LONG);
    f.opus.len = 65535;
    assert_int_equal(psst_voice_frame_write(frame, sizeof frame, &f), PSST_OK);
}

static void voice_frame__is_malformed__by_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum psst_err err;
    } table[] = {
        {"", 0, PSST_ERR_MALFORMED},
        {"\0\0\0\0\0\0", 6, PSST_ERR_MALFORMED},
        {"\0\0\0\0\0\0\0", 7, PSST_OK},
        {"\0\0\0\0\0\0\1", 7, PSST_ERR_MALFORMED}, /* length past the end */
        {"\0\0\0\0\0\0\1\xaa\0", 9, PSST_OK},
        {"\0\0\0\0\0\0\1\xaa\1", 9, PSST_ERR_MALFORMED}, /* padding not zero */
        {"\0\0\0\0\0\xff\xff\0\0", 9, PSST_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct psst_voice_frame f;
        assert_int_equal(psst_voice_frame_read(&f, psst_view(table[i].bytes, table[i].len)), table[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram__equals_vectors__both_ways),
        cmocka_unit_test(datagram__is_refused__by_the_vectors),
        cmocka_unit_test(datagram__is_refused__with_any_bit_flipped),
        cmocka_unit_test(replay_window__equals_vectors__in_order_of_arrival),
        cmocka_unit_test(replay_window__agrees__with_a_model_that_remembers_all),
        cmocka_unit_test(replay_window__takes__each_counter_of_a_run_once),
        cmocka_unit_test(replay_window__forgets_nothing_it_needs__after_any_jump),
        cmocka_unit_test(replay_window__starts_afresh__after_a_far_jump),
        cmocka_unit_test(replay_window__ignores__marking_what_is_too_old),
        cmocka_unit_test(replay_window__ends__at_the_last_counter),
        cmocka_unit_test(voice_frame__keeps_its_size__for_any_payload),
        cmocka_unit_test(voice_frame__is_refused__when_it_does_not_fit),
        cmocka_unit_test(voice_frame__is_malformed__by_the_table),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
