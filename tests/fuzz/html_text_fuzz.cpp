// Any bytes are a page: no crash, no leak, no time without bound, and the text is always UTF-8.
#include <cstdint>
#include <cstdlib>

#include "text/html_text.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  helio::text::HtmlOptions options;
  options.max_tree_bytes = size_t(64) << 20;
  const auto page = helio::text::html_text({reinterpret_cast<const char*>(data), size}, options);
  if (!helio::text::is_valid_utf8(page.text)) std::abort();
  if (page.outcome != helio::text::HtmlOutcome::ok && !page.text.empty()) std::abort();
  return 0;
}
