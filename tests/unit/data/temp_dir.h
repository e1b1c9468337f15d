// The tests' own folder is in support/.
#pragma once

#include "../support/temp_dir.h"
