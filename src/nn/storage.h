// A tensor whose values are not here all the time: it keeps its shape, its type and its place in
// every list that names it, while the memory comes and goes.
#pragma once

#include <ATen/core/Tensor.h>

namespace helio::nn {

// Frees the memory of a dense tensor on the CPU that shares it with no tensor that is still read.
// Until make_storage() nothing may touch its values.
void release_storage(const at::Tensor& tensor);
// Memory of the size it had, with nothing in it; none is made where it is there.
void make_storage(const at::Tensor& tensor);

}  // namespace helio::nn
