/* The table of control methods, version 1 (docs/IPC.md): what each is called, what it needs, how many descriptors it
 * may bring. Both sides read it: psstd to dispatch and refuse, user interfaces to know. */
#ifndef PSST_IPC_METHODS_H
#define PSST_IPC_METHODS_H

#include "base/bytes.h"

#define PSST_IPC_VERSION 1

enum psst_method {
    PSST_METHOD_HELLO,
    PSST_METHOD_STATUS,
    PSST_METHOD_INIT,
    PSST_METHOD_UNLOCK,
    PSST_METHOD_LOCK,
    PSST_METHOD_PASSWD,
    PSST_METHOD_BACKUP,
    PSST_METHOD_BACKUP_CHECK,
    PSST_METHOD_RESTORE,
    PSST_METHOD_SHUTDOWN,
    PSST_METHOD_SETTINGS,
    PSST_METHOD_SET,
    PSST_METHOD_CARD,
    PSST_METHOD_INSPECT,
    PSST_METHOD_ADD,
    PSST_METHOD_CONTACTS,
    PSST_METHOD_CONTACT_REMOVE,
    PSST_METHOD_CONTACT_BLOCK,
    PSST_METHOD_CONTACT_UNBLOCK,
    PSST_METHOD_CONTACT_PAUSE,
    PSST_METHOD_CONTACT_UNPAUSE,
    PSST_METHOD_CONTACT_RENAME,
    PSST_METHOD_CONTACT_ADDRESS,
    PSST_METHOD_CONTACT_RECONNECT,
    PSST_METHOD_CONTACT_HISTORY,
    PSST_METHOD_CONTACT_FORGET,
    PSST_METHOD_CONTACT_RECEIPTS,
    PSST_METHOD_SAFETY,
    PSST_METHOD_CONTACT_VERIFIED,
    PSST_METHOD_DIAL,
    PSST_METHOD_HANGUP,
    PSST_METHOD_SAY,
    PSST_METHOD_LOG,
    PSST_METHOD_SHOWN,
    PSST_METHOD_OUTBOX,
    PSST_METHOD_RECALL,
    PSST_METHOD_CHECK,
    PSST_METHOD_SEND,
    PSST_METHOD_FILES,
    PSST_METHOD_FILE_ACCEPT,
    PSST_METHOD_FILE_DECLINE,
    PSST_METHOD_FILE_CANCEL,
    PSST_METHOD_FILE_PAUSE,
    PSST_METHOD_FILE_RESUME,
    PSST_METHOD_FILE_FIRST,
    PSST_METHOD_PRESENCE,
    PSST_METHOD_MEET,
    PSST_METHOD_MEETS,
    PSST_METHOD_MEET_CANCEL,
    PSST_METHOD_CALL,
    PSST_METHOD_ANSWER,
    PSST_METHOD_DECLINE,
    PSST_METHOD_CALL_HANGUP,
    PSST_METHOD_CALLS,
    PSST_METHOD_VOICE,
    PSST_METHOD_VOICE_SET,
    PSST_METHOD_DEVICES,
    PSST_METHOD_SOUNDCHECK,
    PSST_METHOD_VOICE_RECORD,
    PSST_METHOD_VOICE_STOP,
    PSST_METHOD_PLAY,
    PSST_METHOD_SUBSCRIBE,
    PSST_METHOD_COUNT
};

enum psst_needs {
    PSST_NEEDS_NOTHING,
    PSST_NEEDS_IDENTITY, /* there must be one */
    PSST_NEEDS_HISTORY,  /* unlocked, or a damaged history that is open for reading only */
    PSST_NEEDS_UNLOCKED,
};

struct psst_method_info {
    const char *name;
    enum psst_needs needs;
    unsigned max_fds;
};

extern const struct psst_method_info psst_methods[PSST_METHOD_COUNT];

/* PSST_METHOD_COUNT: there is no such method. */
enum psst_method psst_method_find(const char *name);

/* What a user interface can subscribe to. */
enum psst_ipc_event {
    PSST_IPC_EVENT_MESSAGE,
    PSST_IPC_EVENT_MESSAGE_STATE,
    PSST_IPC_EVENT_SESSION,
    PSST_IPC_EVENT_FILE,
    PSST_IPC_EVENT_CONTACT,
    PSST_IPC_EVENT_CONTACT_REMOVED,
    PSST_IPC_EVENT_CONTACT_FORGOTTEN,
    PSST_IPC_EVENT_IDENTITY,
    PSST_IPC_EVENT_PRESENCE,
    PSST_IPC_EVENT_MEET,
    PSST_IPC_EVENT_STOPPING,
    PSST_IPC_EVENT_CALL,
    PSST_IPC_EVENT_VOICE, /* ten a second during a call: only to who names it */
    PSST_IPC_EVENTS
};
extern const char *const psst_ipc_event_names[PSST_IPC_EVENTS];
/* PSST_IPC_EVENTS: there is no such event. */
enum psst_ipc_event psst_ipc_event_find(const char *name);

#endif
