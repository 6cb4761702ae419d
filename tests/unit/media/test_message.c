#include "media/level.h"
#include "media/message.h"
#include "sound.h"
#include "support/check.h"

#include <opusenc.h>

#include <stdlib.h>

#define FRAMES 150 /* 3 s */
#define DISK   (4 * 1024 * 1024)

struct disk { /* where a message lies */
    uint8_t *data;
    size_t len, at;
    size_t room;  /* write fails over it */
    size_t piece; /* read gives no more at a time; 0: as much as is asked for */
    bool broken;  /* read fails */
};

static void disk_init(struct disk *disk)
{
    *disk = (struct disk){.data = malloc(DISK), .room = DISK};
    assert_non_null(disk->data);
}

static bool disk_write(void *ctx, const uint8_t *data, size_t len)
{
    struct disk *disk = ctx;
    if (len > disk->room - disk->len) return false;
    memcpy(disk->data + disk->len, data, len);
    disk->len += len;
    return true;
}

static ptrdiff_t disk_read(void *ctx, uint8_t *out, size_t len)
{
    struct disk *disk = ctx;
    size_t n = disk->len - disk->at < len ? disk->len - disk->at : len;
    if (disk->piece > 0 && n > disk->piece) n = disk->piece;
    if (disk->broken) return -1;
    memcpy(out, disk->data + disk->at, n);
    disk->at += n;
    return (ptrdiff_t)n;
}

static int16_t said[FRAMES * SOUND_FRAME], heard[(FRAMES + 10) * SOUND_FRAME];

static void record(struct disk *disk, unsigned frames)
{
    struct psst_message_writer *writer;
    assert_ok(psst_message_writer_new(&writer, disk_write, disk));
    for (unsigned f = 0; f < frames; f++) assert_ok(psst_message_writer_frame(writer, said + f % FRAMES * SOUND_FRAME));
    assert_int_equal(psst_message_writer_frames(writer), frames);
    assert_ok(psst_message_writer_finish(writer));
    psst_message_writer_free(writer);
}

/* Frames until the end; how it ended in *end. */
static unsigned play(struct disk *disk, enum psst_err *end)
{
    struct psst_message_reader *reader;
    int16_t pcm[SOUND_FRAME];
    unsigned frames = 0;
    assert_ok(psst_message_reader_new(&reader, disk_read, disk, NULL));
    while ((*end = psst_message_reader_frame(reader, pcm)) == PSST_OK) {
        if (frames < FRAMES + 10) memcpy(heard + frames * SOUND_FRAME, pcm, sizeof pcm);
        frames++;
    }
    assert_int_equal(psst_level_dbfs(pcm, SOUND_FRAME), PSST_VOICE_SILENCE_DBFS);
    assert_err(*end, psst_message_reader_frame(reader, pcm)); /* and so for ever */
    psst_message_reader_free(reader);
    return frames;
}

static enum psst_err refused(const void *data, size_t len)
{
    struct psst_message_reader *reader = NULL;
    struct psst_diag diag = {{0}};
    struct disk disk;
    disk_init(&disk);
    assert_true(disk_write(&disk, data, len));
    enum psst_err err = psst_message_reader_new(&reader, disk_read, &disk, &diag);
    if (err == PSST_OK) psst_message_reader_free(reader);
    assert_true(err == PSST_OK || diag.text[0] != '\0');
    free(disk.data);
    return err;
}

static void message__is_heard__as_it_was_said(void **state)
{
    (void)state;
    struct disk disk;
    enum psst_err end;
    for (size_t piece = 0; piece < 3; piece++) {
        disk_init(&disk);
        disk.piece = piece;
        record(&disk, FRAMES);
        assert_true(disk.len > 5000 && disk.len < 20000); /* about 32 kbit/s */
        assert_int_equal(play(&disk, &end), FRAMES);
        assert_err(PSST_ERR_NOT_FOUND, end);
        assert_true(sound_correlation(said, heard, FRAMES * SOUND_FRAME) > 0.9);
        free(disk.data);
    }
}

static void message__is_valid__however_short(void **state)
{
    (void)state;
    for (unsigned frames = 0; frames < 5; frames++) {
        struct disk disk;
        enum psst_err end;
        disk_init(&disk);
        record(&disk, frames);
        assert_int_equal(play(&disk, &end), frames == 0 ? 1 : frames); /* one of silence */
        assert_err(PSST_ERR_NOT_FOUND, end);
        free(disk.data);
    }
}

static void writer__says__that_the_disk_is_full(void **state)
{
    (void)state;
    struct psst_message_writer *writer;
    struct disk disk;
    enum psst_err err = PSST_OK;
    disk_init(&disk);
    disk.room = 6000;
    assert_ok(psst_message_writer_new(&writer, disk_write, &disk));
    for (int f = 0; f < 1000 && err == PSST_OK; f++)
        err = psst_message_writer_frame(writer, said + f % FRAMES * SOUND_FRAME);
    assert_err(PSST_ERR_IO, err);
    disk.room = DISK;
    assert_err(PSST_ERR_IO, psst_message_writer_frame(writer, said)); /* there is a hole in it now: no more */
    assert_err(PSST_ERR_IO, psst_message_writer_finish(writer));
    psst_message_writer_free(writer);
    assert_true(disk.len <= 6000);
    free(disk.data);
}

#define FRAMES_MAX (PSST_MESSAGE_SECONDS_MAX * 50) /* less here than elsewhere: meson.build */

static void message__ends__where_it_is_too_long(void **state)
{
    (void)state;
    struct psst_message_writer *writer;
    struct disk disk;
    enum psst_err end;
    disk_init(&disk);
    assert_ok(psst_message_writer_new(&writer, disk_write, &disk));
    for (int f = 0; f < FRAMES_MAX; f++) assert_ok(psst_message_writer_frame(writer, said));
    assert_err(PSST_ERR_TOO_LONG, psst_message_writer_frame(writer, said));
    assert_int_equal(psst_message_writer_frames(writer), FRAMES_MAX);
    assert_ok(psst_message_writer_finish(writer));
    psst_message_writer_free(writer);
    assert_int_equal(play(&disk, &end), FRAMES_MAX);
    assert_err(PSST_ERR_NOT_FOUND, end);
    /* once more behind itself, as Ogg allows: no longer either */
    memcpy(disk.data + disk.len, disk.data, disk.len);
    disk.len *= 2;
    disk.at = 0;
    assert_int_equal(play(&disk, &end), FRAMES_MAX);
    free(disk.data);
}

static void reader__mixes__what_others_have_recorded(void **state)
{
    (void)state;
    static const struct {
        opus_int32 rate;
        int channels, family;
    } forms[] = {{44100, 2, 0}, {16000, 1, 0}, {48000, 6, 1}, {8000, 2, 0}};
    static opus_int16 pcm[6 * 96000];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct disk disk;
        enum psst_err end;
        unsigned char *page;
        opus_int32 len;
        disk_init(&disk);
        for (int s = 0; s < 2 * forms[i].rate; s++) {
            int16_t v;
            sound_sine(&v, 1, 440.0 * PSST_VOICE_HZ / forms[i].rate, -12, (uint64_t)s);
            for (int c = 0; c < forms[i].channels; c++) pcm[s * forms[i].channels + c] = v;
        }
        OggOpusComments *comments = ope_comments_create();
        OggOpusEnc *enc = ope_encoder_create_pull(comments, forms[i].rate, forms[i].channels, forms[i].family, NULL);
        assert_non_null(enc);
        assert_int_equal(ope_encoder_write(enc, pcm, 2 * forms[i].rate), OPE_OK);
        assert_int_equal(ope_encoder_drain(enc), OPE_OK);
        while (ope_encoder_get_page(enc, &page, &len, 1)) assert_true(disk_write(&disk, page, (size_t)len));
        ope_encoder_destroy(enc);
        ope_comments_destroy(comments);
        unsigned frames = play(&disk, &end);
        assert_err(PSST_ERR_NOT_FOUND, end);
        assert_in_range(frames, 99, 101);
        static int16_t want[12000];
        double best = 0;
        for (uint64_t shift = 0; shift < 110; shift++) { /* a period */
            sound_sine(want, 12000, 440, -12, shift);
            double c = sound_correlation(want, heard + 24000, 12000);
            if (c > best) best = c;
        }
        assert_true(best > 0.97);
        free(disk.data);
    }
}

static void reader__refuses__what_is_no_message(void **state)
{
    (void)state;
    static uint8_t noise[4096];
    uint64_t seed = 4;
    assert_err(PSST_ERR_MALFORMED, refused("", 0));
    assert_err(PSST_ERR_MALFORMED, refused("OggS", 4));
    sound_noise((int16_t *)(void *)noise, sizeof noise / 2, -10, &seed);
    assert_err(PSST_ERR_MALFORMED, refused(noise, sizeof noise));
    struct disk disk;
    struct psst_message_reader *reader;
    struct psst_diag diag = {{0}};
    disk_init(&disk);
    disk.broken = true;
    assert_err(PSST_ERR_IO, psst_message_reader_new(&reader, disk_read, &disk, &diag));
    assert_string_equal(diag.text, "The voice message could not be read.");
    free(disk.data);
}

static void reader__survives__what_was_cut_or_changed(void **state)
{
    (void)state;
    struct disk disk;
    enum psst_err end;
    disk_init(&disk);
    record(&disk, 40);
    size_t whole = disk.len;
    for (size_t len = 0; len < whole; len += 41) { /* cut off: as much as is there, or refused */
        if (refused(disk.data, len) != PSST_OK) continue;
        disk.len = len;
        disk.at = 0;
        assert_true(play(&disk, &end) <= 40);
    }
    disk.len = whole;
    for (size_t at = 0; at < whole; at += 17) { /* a page whose checksum is wrong is left out */
        disk.data[at] ^= 0x55;
        if (refused(disk.data, whole) == PSST_OK) {
            disk.at = 0;
            assert_true(play(&disk, &end) <= 90);
        }
        disk.data[at] ^= 0x55;
    }
    free(disk.data);
}

static void reader__reads_no_more__than_its_limit(void **state)
{
    (void)state;
    struct disk disk = {.data = calloc(1, PSST_MESSAGE_BYTES_MAX + 100000), .room = SIZE_MAX};
    struct psst_message_reader *reader;
    enum psst_err end;
    assert_non_null(disk.data);
    record(&disk, 10);
    disk.len = PSST_MESSAGE_BYTES_MAX + 100000; /* zeros behind it: libopusfile would look for more in all of them */
    assert_int_equal(play(&disk, &end), 10);
    assert_int_equal(disk.at, PSST_MESSAGE_BYTES_MAX);
    memset(disk.data, 0, 10000);
    disk.at = 0;
    assert_err(PSST_ERR_MALFORMED, psst_message_reader_new(&reader, disk_read, &disk, NULL));
    free(disk.data);
}

static int setup(void **state)
{
    (void)state;
    sound_speech(said, FRAMES * SOUND_FRAME, -20, 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message__is_heard__as_it_was_said),
        cmocka_unit_test(message__is_valid__however_short),
        cmocka_unit_test(writer__says__that_the_disk_is_full),
        cmocka_unit_test(message__ends__where_it_is_too_long),
        cmocka_unit_test(reader__mixes__what_others_have_recorded),
        cmocka_unit_test(reader__refuses__what_is_no_message),
        cmocka_unit_test(reader__survives__what_was_cut_or_changed),
        cmocka_unit_test(reader__reads_no_more__than_its_limit),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
