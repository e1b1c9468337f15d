#include "data/dedup/repeated_substrings.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "data/external_sort.h"

namespace helio::data {
namespace {

struct Head {
  uint64_t order = 0, size = 0;
};

struct Window {
  uint64_t hash = 0, order = 0, at = 0;
  auto operator<=>(const Window&) const = default;
};

struct Place {
  uint64_t order = 0, at = 0;
  auto operator<=>(const Place&) const = default;
};

// A polynomial in a fixed base modulo 2^61 - 1.
constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;
constexpr uint64_t kBase = 0x1A85EC53F1D2B6C7 % kPrime;

uint64_t times(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide(a) * b;
  const uint64_t sum = uint64_t(product & kPrime) + uint64_t(product >> 61);
  return sum >= kPrime ? sum - kPrime : sum;
}
uint64_t plus(uint64_t a, uint64_t b) { return a + b >= kPrime ? a + b - kPrime : a + b; }

// Calls visit(hash, begin) for every window of `length` bytes.
template <class Visit>
void roll(std::string_view text, uint64_t length, Visit&& visit) {
  if (text.size() < length) return;
  uint64_t oldest = 1;  // what the byte that leaves is multiplied with
  for (uint64_t i = 0; i < length; ++i) oldest = times(oldest, kBase);
  const auto byte = [&](size_t at) { return uint64_t(static_cast<unsigned char>(text[at])) + 1; };
  uint64_t hash = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    hash = plus(times(hash, kBase), byte(at));
    if (at >= length) hash = plus(hash, kPrime - times(byte(at - length), oldest));
    if (at + 1 >= length) visit(hash, at + 1 - length);
  }
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

// All texts, in memory where they take a quarter of it at most.
class RepeatedSubstrings::Texts {
 public:
  Texts(Survey& survey, const StageContext& context) : file_(context.scratch) {
    in_memory_ = survey.bytes() <= context.memory / 4;
    survey.rewind();
    for (std::string_view bytes; survey.next(bytes);)
      while (!bytes.empty()) {
        context.stop.check();
        Head head;
        HELIO_CHECK(bytes.size() >= sizeof head, "a survey record is cut short");
        std::memcpy(&head, bytes.data(), sizeof head);
        bytes.remove_prefix(sizeof head);
        HELIO_CHECK(bytes.size() >= head.size, "a survey record is cut short");
        texts_.push_back({head.order, total_, head.size});
        if (in_memory_) memory_.append(bytes.substr(0, head.size));
        else file_.append(bytes.substr(0, head.size));
        total_ += head.size;
        bytes.remove_prefix(head.size);
      }
    std::sort(texts_.begin(), texts_.end(),
              [](const Text& a, const Text& b) { return a.order < b.order; });
  }

  uint64_t bytes() const { return total_; }
  uint64_t bytes_held() const { return memory_.size() + texts_.size() * sizeof(Text); }

  // visit(order, text) of every document by manifest number.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::string buffer;
    for (const Text& text : texts_) visit(text.order, piece(text.offset, text.size, buffer));
  }
  std::string_view window(const Place& place, uint64_t length, std::string& buffer) const {
    const auto found =
        std::lower_bound(texts_.begin(), texts_.end(), place.order,
                         [](const Text& text, uint64_t order) { return text.order < order; });
    return piece(found->offset + place.at, length, buffer);
  }

 private:
  struct Text {
    uint64_t order = 0, offset = 0, size = 0;
  };
  std::string_view piece(uint64_t offset, uint64_t size, std::string& buffer) const {
    if (in_memory_) return std::string_view(memory_).substr(offset, size);
    buffer.resize(size);
    file_.read(offset, buffer.data(), size);
    return buffer;
  }

  SpillFile file_;
  bool in_memory_ = false;
  std::string memory_ = {};
  std::vector<Text> texts_ = {};
  uint64_t total_ = 0;
};

void RepeatedSubstrings::survey(const Document& document, std::string& out) {
  put_record(out, Head{document.order, document.text.size()});
  out += document.text;
}

void RepeatedSubstrings::settle(Survey& survey, StageContext& context) {
  const Texts texts(survey, context);
  find(texts, context);
}

void RepeatedSubstrings::find(const Texts& texts, StageContext& context) {
  const uint64_t memory =
      std::max(context.memory - std::min(context.memory, texts.bytes_held()), context.memory / 4);
  // A window whose slot nothing else falls into occurs once: it need not be sorted. Two bits a
  // slot.
  const uint64_t slots =
      std::clamp<uint64_t>(8 * texts.bytes(), 1024, std::max<uint64_t>(memory, 1024));
  std::vector<bool> once(slots, false), again(slots, false);
  texts.for_each([&](uint64_t, std::string_view text) {
    context.stop.check();
    roll(text, length_, [&](uint64_t hash, uint64_t) {
      const uint64_t slot = hash % slots;
      if (once[slot]) again[slot] = true;
      else once[slot] = true;
    });
  });
  once = {};
  const SortOptions sort = {
      .scratch = context.scratch, .memory = memory / 3, .threads = context.threads};
  ExternalSorter<Window> windows(sort);
  texts.for_each([&](uint64_t order, std::string_view text) {
    context.stop.check();
    roll(text, length_, [&](uint64_t hash, uint64_t at) {
      if (again[hash % slots]) windows.push({hash, order, at});
    });
  });
  again = {};

  // Windows of one hash, apart by their bytes: the first of each kind, and whether it is marked.
  struct Kind {
    Place first;
    std::string bytes;
    bool marked;
  };
  ExternalSorter<Place> repeated(sort);
  std::vector<Kind> kinds;
  uint64_t hash = 0;
  std::string buffer;
  for (Window window; windows.next(window);) {
    if (window.hash != hash) kinds.clear();
    hash = window.hash;
    const Place place = {window.order, window.at};
    const std::string_view bytes = texts.window(place, length_, buffer);
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const Kind& known) { return known.bytes == bytes; });
    if (kind == kinds.end()) {
      kinds.push_back({place, std::string(bytes), false});
      continue;
    }
    repeated.push(place);
    if (copies_ == Copies::all && !kind->marked) repeated.push(kind->first);
    kind->marked = true;
  }
  ranges_.clear();
  for (Place place; repeated.next(place);) {
    if (!ranges_.empty() && ranges_.back().order == place.order && place.at <= ranges_.back().end)
      ranges_.back().end = place.at + length_;
    else ranges_.push_back({place.order, place.at, place.at + length_});
  }
}

uint64_t RepeatedSubstrings::cut(const Document& document, std::string& rest) const {
  const std::string& text = document.text;
  auto range = std::lower_bound(ranges_.begin(), ranges_.end(), ByteRange{document.order, 0, 0});
  uint64_t gone = 0, copied = 0;
  rest.clear();
  for (; range != ranges_.end() && range->order == document.order; ++range) {
    uint64_t begin = range->begin, end = range->end;
    HELIO_CHECK(end <= text.size(), "a text changed between the passes");
    while (begin < end && continues(text[begin])) ++begin;
    while (end > begin && end < text.size() && continues(text[end])) --end;
    rest.append(text, copied, begin - copied);
    gone += end - begin;
    copied = end;
  }
  rest.append(text, copied, text.size() - copied);
  return gone;
}

}  // namespace helio::data
