#include "media/adapt.h"
#include "support/check.h"

#define ROOM   80 /* 32 kbit/s, quality 6 */
#define SECOND 50 /* frames */

/* So many reports in a row, one a second, all alike; and what is in use after the last of them. */
struct step {
    unsigned reports;
    unsigned loss_256, delay_ms;
    unsigned loss_percent, quality; /* announced; in use */
};

static void play(struct psst_adapt *adapt, const struct step *steps, size_t n, unsigned quality, size_t room)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned r = 0; r < steps[i].reports; r++) {
            for (int f = 0; f < SECOND; f++) psst_adapt_tick(adapt);
            psst_adapt_report(adapt, (uint8_t)steps[i].loss_256, (uint16_t)steps[i].delay_ms, quality, room);
        }
        struct psst_adapted got = psst_adapt_result(adapt, quality, room);
        if (got.loss_percent != steps[i].loss_percent || got.quality != steps[i].quality) print_error("step %zu\n", i);
        assert_int_equal(got.loss_percent, steps[i].loss_percent);
        assert_int_equal(got.quality, steps[i].quality);
        assert_true(got.bytes <= room);
        assert_int_equal(got.bytes, psst_voice_opus_bytes(got.quality));
    }
}

#define PLAY(steps, quality, room)                                                                                     \
    do {                                                                                                               \
        struct psst_adapt adapt_;                                                                                      \
        psst_adapt_init(&adapt_);                                                                                      \
        play(&adapt_, (steps), sizeof(steps) / sizeof *(steps), (quality), (room));                                    \
    } while (0)

static void fec__goes_on__over_6_percent(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {5, 0, 40, 0, 4},   {9, 15, 40, 0, 4},   /* 5.9 % is not over it */
        {1, 16, 40, 10, 6},                      /* 6.25 %: at once; at least 10 are announced, the room is used */
        {1, 51, 40, 20, 6}, {1, 128, 40, 50, 6}, /* as reported */
    };
    PLAY(steps, 4, ROOM);
}

static void fec__goes_off__after_5_s_under_3_percent(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {1, 40, 40, 16, 6}, {4, 7, 40, 10, 6},  {1, 7, 40, 0, 4},  /* 2.7 % for 4 s, for 5 s */
        {1, 40, 40, 16, 6}, {30, 8, 40, 10, 6},                    /* 3.1 %: stays for good */
        {4, 0, 40, 10, 6},  {1, 9, 40, 10, 6},  {4, 0, 40, 10, 6}, /* the five seconds begin anew */
        {1, 0, 40, 0, 4},
    };
    PLAY(steps, 4, ROOM);
}

static void fec__uses_no_more__than_the_room_and_the_highest_quality(void **state)
{
    (void)state;
    static const struct step lossy[] = {{1, 40, 40, 16, 6}};
    static const struct step highest[] = {{1, 40, 40, 16, 10}};
    PLAY(lossy, 6, ROOM);
    PLAY(highest, 2, PSST_VOICE_OPUS_MAX);
}

static void fec__stays_off__where_it_would_carry_nothing(void **state)
{
    (void)state;
    static const struct step steps[] = {{10, 80, 40, 0, 2}};
    PLAY(steps, 2, 40); /* 16 kbit/s */
}

static void quality__goes_down__while_loss_lasts(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {2, 10, 40, 0, 8}, {1, 10, 40, 0, 7}, {1, 10, 40, 0, 6}, {2, 10, 40, 0, 4}, {20, 10, 40, 0, 4}, /* the least */
        {9, 0, 40, 0, 4},  {1, 0, 40, 0, 5},  {9, 0, 40, 0, 5},  {1, 0, 40, 0, 6},  {60, 0, 40, 0, 8},  /* slowly up */
        {2, 10, 40, 0, 8}, {1, 0, 40, 0, 8},  {2, 10, 40, 0, 8}, /* not three in a row */
    };
    PLAY(steps, 8, 120);
}

static void quality__is_the_users__when_fec_has_met_the_loss(void **state)
{
    (void)state;
    static const struct step steps[] = {{2, 10, 40, 0, 8}, {60, 51, 40, 20, 10}, {4, 0, 40, 10, 10}, {1, 0, 40, 0, 8}};
    PLAY(steps, 8, 240);
}

static void quality__goes_down__when_the_delay_grows(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {5, 0, 60, 0, 10},    {2, 0, 200, 0, 10},   {1, 0, 260, 0, 9},
        {2, 0, 300, 0, 7},    {3, 0, 130, 0, 7},    /* neither bad nor quiet */
        {30, 0, 70, 0, 10},                         /* as it was */
        {12, 0, 190, 0, 4},   {150, 0, 190, 0, 10}, /* longer for good: after a while that is what it is */
        {10, 0, 65535, 0, 4},
    };
    PLAY(steps, 10, 240);
}

static void quality__stays__at_what_the_user_wants_at_the_least(void **state)
{
    (void)state;
    static const struct step low[] = {{50, 12, 500, 0, 2}}, four[] = {{50, 12, 500, 0, 4}};
    PLAY(low, 2, ROOM);
    PLAY(four, 4, ROOM);
}

static void quality__never_exceeds__the_room(void **state)
{
    (void)state;
    struct psst_adapt adapt;
    psst_adapt_init(&adapt);
    assert_int_equal(psst_adapt_result(&adapt, 10, ROOM).bytes, ROOM);
    assert_int_equal(psst_adapt_result(&adapt, 10, ROOM).quality, 6);
    assert_int_equal(psst_adapt_result(&adapt, 4000000000u, 240).quality, 10);
    assert_int_equal(psst_adapt_result(&adapt, 10, 9).bytes, 9);
}

static void quality__counts__two_reports_a_second(void **state)
{
    (void)state;
    struct psst_adapt adapt;
    psst_adapt_init(&adapt);
    for (int frame = 0; frame < 2 * SECOND; frame++) {
        psst_adapt_tick(&adapt);
        for (int i = 0; i < 100; i++) psst_adapt_report(&adapt, 10, 40, 10, 240);
    }
    assert_int_equal(psst_adapt_result(&adapt, 10, 240).quality, 8); /* four reports: two steps */
}

static void quality__forgets_nothing__when_the_user_moves_it(void **state)
{
    (void)state;
    static const struct step down[] = {{10, 10, 40, 0, 4}};
    struct psst_adapt adapt;
    psst_adapt_init(&adapt);
    play(&adapt, down, 1, 10, 240);
    assert_int_equal(psst_adapt_result(&adapt, 3, 240).quality, 3);
    assert_int_equal(psst_adapt_result(&adapt, 0, 240).quality, 0);
    assert_int_equal(psst_adapt_result(&adapt, 7, 240).quality, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fec__goes_on__over_6_percent),
        cmocka_unit_test(fec__goes_off__after_5_s_under_3_percent),
        cmocka_unit_test(fec__uses_no_more__than_the_room_and_the_highest_quality),
        cmocka_unit_test(fec__stays_off__where_it_would_carry_nothing),
        cmocka_unit_test(quality__goes_down__while_loss_lasts),
        cmocka_unit_test(quality__is_the_users__when_fec_has_met_the_loss),
        cmocka_unit_test(quality__goes_down__when_the_delay_grows),
        cmocka_unit_test(quality__stays__at_what_the_user_wants_at_the_least),
        cmocka_unit_test(quality__never_exceeds__the_room),
        cmocka_unit_test(quality__counts__two_reports_a_second),
        cmocka_unit_test(quality__forgets_nothing__when_the_user_moves_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
