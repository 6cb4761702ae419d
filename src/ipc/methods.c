#include "ipc/methods.h"

const struct psst_method_info psst_methods[PSST_METHOD_COUNT] = {
    [PSST_METHOD_HELLO] = {"hello", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_STATUS] = {"status", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_INIT] = {"init", PSST_NEEDS_NOTHING, 2},
    [PSST_METHOD_UNLOCK] = {"unlock", PSST_NEEDS_IDENTITY, 1},
    [PSST_METHOD_LOCK] = {"lock", PSST_NEEDS_IDENTITY, 0},
    [PSST_METHOD_PASSWD] = {"passwd", PSST_NEEDS_IDENTITY, 2},
    [PSST_METHOD_BACKUP] = {"backup", PSST_NEEDS_UNLOCKED, 2},
    [PSST_METHOD_BACKUP_CHECK] = {"backup.check", PSST_NEEDS_NOTHING, 1},
    [PSST_METHOD_RESTORE] = {"restore", PSST_NEEDS_NOTHING, 1},
    [PSST_METHOD_SHUTDOWN] = {"shutdown", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_SETTINGS] = {"settings", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_SET] = {"set", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_CARD] = {"card", PSST_NEEDS_IDENTITY, 0},
    [PSST_METHOD_INSPECT] = {"inspect", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_ADD] = {"add", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACTS] = {"contacts", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_CONTACT_REMOVE] = {"contact.remove", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_BLOCK] = {"contact.block", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_UNBLOCK] = {"contact.unblock", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_PAUSE] = {"contact.pause", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_UNPAUSE] = {"contact.unpause", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_RENAME] = {"contact.rename", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_ADDRESS] = {"contact.address", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_RECEIPTS] = {"contact.receipts", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_RECONNECT] = {"contact.reconnect", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_HISTORY] = {"contact.history", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CONTACT_FORGET] = {"contact.forget", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_SAFETY] = {"safety", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_CONTACT_VERIFIED] = {"contact.verified", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_DIAL] = {"dial", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_HANGUP] = {"hangup", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_SAY] = {"say", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_LOG] = {"log", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_SHOWN] = {"shown", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_CHECK] = {"check", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_SEND] = {"send", PSST_NEEDS_UNLOCKED, 1},
    [PSST_METHOD_FILES] = {"files", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_FILE_ACCEPT] = {"file.accept", PSST_NEEDS_UNLOCKED, 1},
    [PSST_METHOD_FILE_DECLINE] = {"file.decline", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_FILE_CANCEL] = {"file.cancel", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_FILE_PAUSE] = {"file.pause", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_FILE_RESUME] = {"file.resume", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_FILE_FIRST] = {"file.first", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_OUTBOX] = {"outbox", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_RECALL] = {"recall", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_PRESENCE] = {"presence", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_MEET] = {"meet", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_MEETS] = {"meets", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_MEET_CANCEL] = {"meet.cancel", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CALL] = {"call", PSST_NEEDS_UNLOCKED, 2},
    [PSST_METHOD_ANSWER] = {"answer", PSST_NEEDS_UNLOCKED, 2},
    [PSST_METHOD_DECLINE] = {"decline", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CALL_HANGUP] = {"call.hangup", PSST_NEEDS_UNLOCKED, 0},
    [PSST_METHOD_CALLS] = {"calls", PSST_NEEDS_HISTORY, 0},
    [PSST_METHOD_VOICE] = {"voice", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_VOICE_SET] = {"voice.set", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_DEVICES] = {"devices", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_SOUNDCHECK] = {"soundcheck", PSST_NEEDS_NOTHING, 2},
    [PSST_METHOD_VOICE_RECORD] = {"voice.record", PSST_NEEDS_UNLOCKED, 1},
    [PSST_METHOD_VOICE_STOP] = {"voice.stop", PSST_NEEDS_NOTHING, 0},
    [PSST_METHOD_PLAY] = {"play", PSST_NEEDS_UNLOCKED, 1},
    [PSST_METHOD_SUBSCRIBE] = {"subscribe", PSST_NEEDS_NOTHING, 0},
};

enum psst_method psst_method_find(const char *name)
{
    for (unsigned i = 0; i < PSST_METHOD_COUNT; i++)
        if (strcmp(psst_methods[i].name, name) == 0) return (enum psst_method)i;
    return PSST_METHOD_COUNT;
}

const char *const psst_ipc_event_names[PSST_IPC_EVENTS] = {
    [PSST_IPC_EVENT_MESSAGE] = "message",
    [PSST_IPC_EVENT_MESSAGE_STATE] = "message.state",
    [PSST_IPC_EVENT_SESSION] = "session",
    [PSST_IPC_EVENT_FILE] = "file",
    [PSST_IPC_EVENT_CONTACT] = "contact",
    [PSST_IPC_EVENT_IDENTITY] = "identity",
    [PSST_IPC_EVENT_PRESENCE] = "presence",
    [PSST_IPC_EVENT_MEET] = "meet",
    [PSST_IPC_EVENT_STOPPING] = "stopping",
    [PSST_IPC_EVENT_CALL] = "call",
    [PSST_IPC_EVENT_VOICE] = "voice",
    [PSST_IPC_EVENT_CONTACT_REMOVED] = "contact.removed",
    [PSST_IPC_EVENT_CONTACT_FORGOTTEN] = "contact.forgotten",
};

enum psst_ipc_event psst_ipc_event_find(const char *name)
{
    for (unsigned i = 0; i < PSST_IPC_EVENTS; i++)
        if (strcmp(psst_ipc_event_names[i], name) == 0) return (enum psst_ipc_event)i;
    return PSST_IPC_EVENTS;
}
