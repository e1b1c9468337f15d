#include "core/monitor.h"

#include "core/error.h"

namespace helio {

void StopRequest::check() const {
  if (raised()) throw Error(ErrorKind::interrupted, "stopped on request");
}

}  // namespace helio
