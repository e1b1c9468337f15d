#include "data/read/remote.h"

#include "core/error.h"

namespace helio::data {

std::vector<RemoteFile> list_remote(const std::string&) {
  throw Error(ErrorKind::failed, "this helio was built without Arrow: it cannot reach object stores");
}

Stream open_remote(const std::string&, std::atomic<uint64_t>*) {
  throw Error(ErrorKind::failed, "this helio was built without Arrow: it cannot reach object stores");
}

}  // namespace helio::data
