// Asked for by c10d's ProcessGroupGloo.hpp, which uses nothing of it. See gloo/context.h.
#pragma once
