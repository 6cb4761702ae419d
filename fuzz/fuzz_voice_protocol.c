/* What psstd and psst-voice say to each other: both take the other for hostile.
 *
 * input: one message. What reads, can be written, and that reads as the same; nothing in it is out of range.
 */
#include "fuzz.h"

#include "base/text.h"
#include "daemon/voice/protocol.h"

static void check_ranges(const struct psst_voice_message *m)
{
    FUZZ_CHECK(m->payload.len <= PSST_VOICE_OPUS_MAX);
    FUZZ_CHECK(strnlen(m->words, sizeof m->words) < sizeof m->words);
    FUZZ_CHECK(psst_text_valid(psst_view_str(m->words)));
    for (const char *c = m->words; *c != '\0'; c++) FUZZ_CHECK((uint8_t)*c >= 0x20 && *c != 0x7f);
    FUZZ_CHECK(strnlen(m->name, sizeof m->name) < sizeof m->name);
    if (m->op == PSST_VOICE_START) {
        FUZZ_CHECK(psst_voice_start_fds(&m->start) <= PSST_VOICE_FDS_MAX);
        FUZZ_CHECK(m->start.opus_max <= PSST_VOICE_OPUS_MAX || m->start.job != PSST_VOICE_CALL);
        FUZZ_CHECK(m->start.settings.quality <= PSST_VOICE_QUALITY_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct psst_voice_message first, second;
    static uint8_t once[PSST_VOICE_MESSAGE_MAX], twice[PSST_VOICE_MESSAGE_MAX];
    if (psst_voice_message_read(&first, psst_view(data, size)) != PSST_OK) return 0;
    check_ranges(&first);
    const size_t len = psst_voice_message_write(once, &first);
    FUZZ_CHECK(len > 0 && len <= sizeof once);
    FUZZ_CHECK(psst_voice_message_read(&second, psst_view(once, len)) == PSST_OK);
    check_ranges(&second);
    FUZZ_CHECK(psst_voice_message_write(twice, &second) == len && memcmp(once, twice, len) == 0);
    return 0;
}
