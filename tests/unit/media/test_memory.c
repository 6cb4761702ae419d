/* The Nth allocation fails, for every N: an error, no crash, and nothing is leaked. (Ours; the libraries' own cannot be made
 * to.) */
#include "media/message.h"
#include "media/receiver.h"
#include "media/sender.h"
#include "support/check.h"
#include "support/failing_malloc.h"

static enum psst_err make_sender(void)
{
    static const struct psst_sender_settings settings = {.opus_max = 80, .quality = 6};
    struct psst_sender *sender = NULL;
    enum psst_err err = psst_sender_new(&sender, &settings);
    psst_sender_free(sender);
    return err;
}

static enum psst_err make_receiver(void)
{
    struct psst_receiver *receiver = NULL;
    enum psst_err err = psst_receiver_new(&receiver);
    psst_receiver_free(receiver);
    return err;
}

static bool nowhere(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return true;
}

static enum psst_err make_writer(void)
{
    struct psst_message_writer *writer = NULL;
    enum psst_err err = psst_message_writer_new(&writer, nowhere, NULL);
    psst_message_writer_free(writer);
    return err;
}

static void media__says_so__when_there_is_no_memory(void **state)
{
    (void)state;
    static enum psst_err (*const makers[])(void) = {make_sender, make_receiver, make_writer};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        unsigned failed = 0;
        for (unsigned n = 1;; n++) {
            failing_malloc_at(n);
            enum psst_err err = makers[i]();
            if (!failing_malloc_stop()) {
                assert_ok(err);
                break;
            }
            assert_err(PSST_ERR_MEMORY, err);
            failed++;
        }
        assert_true(failed > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(media__says_so__when_there_is_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
