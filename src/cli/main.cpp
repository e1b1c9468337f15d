// helio: everything that needs no LibTorch; starts helio-engine for the rest.
#include "cli/command.h"

int main(int argc, char** argv) { return helio::cli::run_program(argc, argv); }
