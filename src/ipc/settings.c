#include "ipc/settings.h"

#include <string.h>

#define ROW(id, name, values, words) [PSST_SETTING_##id] = {name, words, values},
const struct psst_setting_info psst_setting_infos[PSST_SETTINGS] = {PSST_SETTINGS_TABLE(ROW)};

enum psst_setting psst_setting_find(const char *name)
{
    size_t i = 0;
    while (i < PSST_SETTINGS && strcmp(psst_setting_infos[i].name, name) != 0) i++;
    return (enum psst_setting)i;
}
