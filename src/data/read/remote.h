// Files in an object store (s3://bucket/key). The store is reached through Arrow, so these need the
// columnar module; Error with a build hint without it.
//
// Credentials and endpoint come from where S3 tools look (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_ENDPOINT_URL, AWS_REGION, profiles), or stand in the address:
// s3://bucket/key?endpoint_override=host:port&scheme=http.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/read/byte_stream.h"

namespace helio::data {

struct RemoteFile {
  std::string address = {};   // s3://bucket/key with the settings of the address it was found by
  std::string relative = {};  // below what was listed
  uint64_t size = 0;
};

// The files below an address, or the one file it names.
std::vector<RemoteFile> list_remote(const std::string& address);
Stream open_remote(const std::string& address, std::atomic<uint64_t>* consumed);

}  // namespace helio::data
