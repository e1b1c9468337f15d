// What a model is computed in, as the commands that run one ask for it.
#pragma once

#include <string>

#include "core/fields.h"

namespace helio::engine {

// --dtype and --weights (model/load_decoder.h).
inline void describe_precision(Fields& f, std::string& dtype, std::string& weights) {
  f("dtype", dtype,
    "Type to compute in. bfloat16: matrices and what they are multiplied with are rounded to it, "
    "sums are float32; faster where the processor multiplies it.",
    one_of({"float32", "bfloat16"}));
  f("weights", weights,
    "How matrices are held: f32, exact; bf16, int8 (Q8_0), int4 (Q4_0); auto: bf16 where the "
    "folder holds bfloat16, as a GGUF file's are, int8 for kinds not named here, else f32.",
    one_of({"f32", "bf16", "int8", "int4", "auto"}));
}

}  // namespace helio::engine
