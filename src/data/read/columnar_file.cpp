#include "core/error.h"
#include "data/read/file_reader.h"

namespace helio::data {

Reader read_columnar_file(const SourceOptions&, const SourceFile&, bool) {
  throw Error(ErrorKind::failed, "this helio was built without Arrow: it cannot read Parquet or Arrow files");
}

}  // namespace helio::data
