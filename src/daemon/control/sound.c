/* Methods about sound beside calls: devices, soundcheck, voice.record, voice.stop, play. */
#include "daemon/control/control.h"

static void not_yet(struct psst_request *req)
{
    psst_request_error(req, PSST_EXIT_FAILED, "not-yet", "this psstd cannot do that yet");
}

void psst_control_devices(struct psst_request *req)
{
    not_yet(req);
}

void psst_control_soundcheck(struct psst_request *req)
{
    not_yet(req);
}

void psst_control_voice_record(struct psst_request *req)
{
    not_yet(req);
}

void psst_control_voice_stop(struct psst_request *req)
{
    not_yet(req);
}

void psst_control_play(struct psst_request *req)
{
    not_yet(req);
}
