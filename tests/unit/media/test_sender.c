#include "media/codec.h"
#include "media/level.h"
#include "media/sender.h"
#include "sound.h"
#include "support/check.h"

#define ROOM 80

static const struct psst_sender_settings plain = {.opus_max = ROOM, .quality = 4, .sense_dbfs = -45, .send = true};

static int16_t pcm[SOUND_FRAME], heard[SOUND_FRAME];

struct line { /* a sender, and a decoder that hears it */
    struct psst_sender *sender;
    struct psst_decoder *decoder;
    size_t len; /* of the last payload */
    uint64_t at;
};

static void line_open(struct line *line, const struct psst_sender_settings *settings)
{
    *line = (struct line){0};
    assert_ok(psst_sender_new(&line->sender, settings));
    assert_ok(psst_decoder_new(&line->decoder));
}

static void line_close(struct line *line)
{
    psst_sender_free(line->sender);
    psst_decoder_free(line->decoder);
}

static void line_send(struct line *line)
{
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    assert_ok(psst_sender_frame(line->sender, pcm, opus, &line->len));
    assert_true(psst_decoder_accepts(psst_view(opus, line->len)));
    assert_ok(psst_decoder_frame(line->decoder, psst_view(opus, line->len), heard));
    line->at += SOUND_FRAME;
}

/* So many frames of speech, or of silence; the loudest that was heard. */
static int line_speak(struct line *line, int frames, double dbfs)
{
    int loudest = PSST_VOICE_SILENCE_DBFS;
    for (int f = 0; f < frames; f++) {
        memset(pcm, 0, sizeof pcm);
        if (dbfs > PSST_VOICE_SILENCE_DBFS) sound_speech(pcm, SOUND_FRAME, dbfs, line->at);
        line_send(line);
        int level = psst_level_dbfs(heard, SOUND_FRAME);
        if (level > loudest) loudest = level;
    }
    return loudest;
}

static void sender__sends_speech(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, &plain);
    assert_int_equal(psst_sender_state(line.sender).level_dbfs, PSST_VOICE_SILENCE_DBFS);
    assert_true(line_speak(&line, 50, -20) > -26);
    assert_true(psst_sender_state(line.sender).voice);
    line_close(&line);
}

static void sender__sends_one_size__whatever_is_said(void **state)
{
    (void)state;
    static const struct {
        int frames;
        double dbfs;
        bool send;
    } parts[] = {{40, -20, true}, {60, -100, true}, {40, -20, false},
                 {30, -60, true}, {30, 0, true},    {30, -100, false}};
    for (unsigned quality = 0; quality <= PSST_VOICE_QUALITY_MAX; quality += 2) {
        struct psst_sender_settings settings = plain;
        struct line line;
        settings.quality = quality;
        settings.opus_max = 240;
        settings.echo = settings.clean = true;
        line_open(&line, &settings);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            settings.send = parts[i].send;
            psst_sender_set(line.sender, &settings);
            for (int f = 0; f < parts[i].frames; f++) {
                (void)line_speak(&line, 1, parts[i].dbfs);
                assert_int_equal(line.len, psst_voice_opus_bytes(quality));
            }
        }
        line_close(&line);
    }
}

static void sender__sends_silence__when_muted(void **state)
{
    (void)state;
    struct psst_sender_settings settings = plain;
    struct line line;
    line_open(&line, &settings);
    (void)line_speak(&line, 50, -20);
    settings.send = false;
    psst_sender_set(line.sender, &settings);
    (void)line_speak(&line, 10, -20); /* the codec lets the last sound ring out */
    assert_true(line_speak(&line, 200, -20) <= -75);
    assert_false(psst_sender_state(line.sender).voice);
    assert_true(psst_sender_state(line.sender).level_dbfs > -60 ||
                line_speak(&line, 10, -20) <= -75); /* still measured */
    settings.send = true;
    psst_sender_set(line.sender, &settings);
    assert_true(line_speak(&line, 50, -20) > -26);
    assert_true(psst_sender_state(line.sender).voice);
    line_close(&line);
}

static void sender__sends_silence__under_the_threshold(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, &plain);
    assert_true(line_speak(&line, 100, -65) <= -75);
    assert_false(psst_sender_state(line.sender).voice);
    assert_true(line_speak(&line, 50, -30) > -40);
    assert_true(psst_sender_state(line.sender).voice);
    (void)line_speak(&line, 30, -100); /* hangover */
    assert_false(psst_sender_state(line.sender).voice);
    line_close(&line);
}

static void sender__measures__before_the_gate(void **state)
{
    (void)state;
    struct psst_sender_settings settings = plain;
    struct line line;
    settings.sense_dbfs = 0;
    line_open(&line, &settings);
    sound_sine(pcm, SOUND_FRAME, 400, -20, 0);
    line_send(&line);
    assert_int_equal(psst_sender_state(line.sender).level_dbfs, -23);
    assert_false(psst_sender_state(line.sender).voice);
    line_close(&line);
}

static void sender__says__that_it_clips_for_half_a_second(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, &plain);
    assert_false(psst_sender_state(line.sender).clipping);
    sound_sine(pcm, SOUND_FRAME, 400, 6, 0);
    line_send(&line);
    assert_true(psst_sender_state(line.sender).clipping);
    (void)line_speak(&line, 24, -20);
    assert_true(psst_sender_state(line.sender).clipping);
    (void)line_speak(&line, 1, -20);
    assert_false(psst_sender_state(line.sender).clipping);
    line_close(&line);
}

static void sender__uses_the_room__while_the_other_side_loses(void **state)
{
    (void)state;
    struct line line;
    line_open(&line, &plain);
    assert_int_equal(psst_sender_state(line.sender).quality, 4);
    psst_sender_report(line.sender, 26, 20, 60); /* 10 % */
    assert_true(psst_sender_state(line.sender).fec);
    assert_int_equal(psst_sender_state(line.sender).quality, 6);
    (void)line_speak(&line, 50, -20);
    assert_int_equal(line.len, ROOM);
    for (int s = 0; s < 6; s++) {
        (void)line_speak(&line, 50, -20);
        psst_sender_report(line.sender, 0, 20, 60);
    }
    assert_false(psst_sender_state(line.sender).fec);
    (void)line_speak(&line, 1, -20);
    assert_int_equal(line.len, psst_voice_opus_bytes(4));
    line_close(&line);
}

static void fec__lets_a_lost_frame__be_recovered(void **state)
{
    (void)state;
    struct line line;
    uint8_t opus[PSST_VOICE_OPUS_MAX];
    int recovered = 0;
    line_open(&line, &plain);
    psst_sender_report(line.sender, 52, 20, 60);
    for (int f = 0; f < 200; f++) {
        sound_speech(pcm, SOUND_FRAME, -20, (uint64_t)f * SOUND_FRAME);
        assert_ok(psst_sender_frame(line.sender, pcm, opus, &line.len));
        if (f % 5 == 3) continue; /* lost */
        if (f % 5 == 4) recovered += psst_decoder_recover(line.decoder, psst_view(opus, line.len), heard);
        assert_ok(psst_decoder_frame(line.decoder, psst_view(opus, line.len), heard));
    }
    assert_true(recovered >= 25); /* of 40; pauses need none */
    line_close(&line);
}

static void settings__are_bounded(void **state)
{
    (void)state;
    struct psst_sender_settings settings = plain;
    struct psst_sender *sender;
    struct line line;
    settings.opus_max = 0;
    assert_err(PSST_ERR_USAGE, psst_sender_new(&sender, &settings));
    settings = (struct psst_sender_settings){1000000, 99, 1000, true, true, true};
    line_open(&line, &settings);
    (void)line_speak(&line, 5, -20);
    assert_int_equal(line.len, psst_voice_opus_bytes(10));
    settings = (struct psst_sender_settings){0, 0, -1000, true, true, true};
    psst_sender_set(line.sender, &settings);
    (void)line_speak(&line, 5, -20);
    assert_true(line.len <= 20);
    line_close(&line);
    psst_sender_free(NULL);
}

/* The worst that a broken device can bring, through everything that it may meet. */
static void sender__survives__any_samples(void **state)
{
    (void)state;
    struct psst_sender_settings settings = plain;
    struct line line;
    uint64_t seed = 1;
    settings.echo = settings.clean = true;
    line_open(&line, &settings);
    for (int f = 0; f < 300; f++) {
        sound_noise(pcm, SOUND_FRAME, f % 3 * 10 - 10, &seed);
        psst_sender_played(line.sender, pcm, SOUND_FRAME);
        for (int i = 0; i < SOUND_FRAME; i++)
            pcm[i] = f < 100 ? INT16_MIN : f < 200 ? INT16_MAX : pcm[SOUND_FRAME - 1 - i];
        line_send(&line);
        assert_in_range(psst_sender_state(line.sender).level_dbfs + 100, 0, 100);
    }
    (void)line_speak(&line, 250, -100);
    assert_true(line_speak(&line, 100, -20) > -40); /* and it speaks again */
    line_close(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sender__sends_speech),
        cmocka_unit_test(sender__sends_one_size__whatever_is_said),
        cmocka_unit_test(sender__sends_silence__when_muted),
        cmocka_unit_test(sender__sends_silence__under_the_threshold),
        cmocka_unit_test(sender__measures__before_the_gate),
        cmocka_unit_test(sender__says__that_it_clips_for_half_a_second),
        cmocka_unit_test(sender__uses_the_room__while_the_other_side_loses),
        cmocka_unit_test(fec__lets_a_lost_frame__be_recovered),
        cmocka_unit_test(settings__are_bounded),
        cmocka_unit_test(sender__survives__any_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
