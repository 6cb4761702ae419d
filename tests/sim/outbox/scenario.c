/* Two people talk while their disks fail and their power goes. Attacks 17, 20, 21, 28, 47, 48, 52 and 55 of the list.
 *
 *   sim_outbox [CUTS]     stories until so many cuts of power have happened; PSST_SIM_SEED=n tells that story alone */
#include "outbox.h"

#include <stdlib.h>

static unsigned long cuts_wanted = 300;

static void nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    const char *only = getenv("PSST_SIM_SEED");
    if (only != NULL) {
        ob_story(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 0; ob_tally.cuts < cuts_wanted; seed++) ob_story(seed);
}

static int clean_up(void **state)
{
    (void)state;
    ob_clean_up();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(nothing_is_lost_or_doubled, clean_up)};
    if (argc > 1) cuts_wanted = strtoul(argv[1], NULL, 10);
    if (psst_crypto_init(0) != PSST_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("%lu power cuts, %lu crashes, %lu orderly ends in %lu stories; disk: %lu times full, %lu under the "
                  "reserve, %lu in and out of it, %lu failing, %lu failing to sync; %lu lines broken\n",
                  ob_tally.cuts, ob_tally.crashes, ob_tally.stops, ob_tally.stories, ob_tally.full, ob_tally.reserve,
                  ob_tally.flaky, ob_tally.io, ob_tally.syncs, ob_tally.breaks);
    print_message("%lu texts, %lu taken back, %lu receipts, %lu sessions\n", ob_tally.texts, ob_tally.recalls,
                  ob_tally.receipts, ob_tally.sessions);
    return failed;
}
