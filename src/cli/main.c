#include "cli/cli.h"

int main(int argc, char **argv)
{
    return psst_cli_main(argc, argv);
}
