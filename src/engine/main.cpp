// helio-engine: the commands that need LibTorch. helio starts it; it can be started by hand too.
#include "cli/command.h"

int main(int argc, char** argv) { return helio::cli::run_program(argc, argv); }
