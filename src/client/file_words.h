/* What is said of files. */
#ifndef PSST_CLIENT_FILE_WORDS_H
#define PSST_CLIENT_FILE_WORDS_H

#include "client/model.h"
#include "client/out.h"

/* "file", "folder", "stream" or "voice message": what it is. */
const char *psst_file_word(const json_t *file);
/* "done", "declined: ...", for a list. */
const char *psst_file_state(char out[256], const json_t *file);
/* Somebody must say whether it is taken. */
bool psst_file_is_offer(const json_t *file);

/* The same of what the model has (model.h). An offer here is whatever can be accepted, a voice message too that was not taken
 * by itself. */
const char *psst_transfer_word(const struct psst_transfer *file);
bool psst_transfer_is_offer(const struct psst_transfer *file);
bool psst_transfer_is_under_way(const struct psst_transfer *file); /* waits, runs or is paused */

#define PSST_FILE_LINE 5400
/* What an event `file` means for who sits in a conversation with its contact: an offer, or an end; "": nothing to be said.
 * The file's name, the other side's word, stands last. */
const char *psst_file_event_line(char out[PSST_FILE_LINE], const json_t *file);

#endif
