/* Events of psstd that a conversation on the screen shows as lines of ours: presence and agreed times. */
#ifndef PSST_CLI_EVENT_NOTE_H
#define PSST_CLI_EVENT_NOTE_H

#include "cli/cli.h"
#include "cli/gutter.h"

/* Whether it was such an event, which it then has shown. */
bool psst_event_note(struct psst_gutter *gutter, const char *event, const json_t *params);
/* The meetings that are agreed with this contact; nothing when they cannot be had. */
void psst_event_note_meets(struct psst_cli *cli, struct psst_gutter *gutter, const char *name);

/* Calls of this contact that were missed and not shown yet; they are now. */
void psst_event_note_missed(struct psst_cli *cli, struct psst_gutter *gutter, const char *name);
/* The event `call`; rings: a person sits there, and a bell is rung when it rings here. */
void psst_event_note_call(struct psst_gutter *gutter, const json_t *call, bool rings);

#endif
