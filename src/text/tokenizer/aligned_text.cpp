#include "text/tokenizer/aligned_text.h"

#include <algorithm>

#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {

AlignedText::AlignedText(std::string_view original, Track track)
    : text_(original), limit_(largest_made(original.size())), tracked_(track == Track::yes) {
  if (!tracked_) return;
  from_.reserve(text_.size());
  for (size_t at = 0; at < text_.size();) {
    const auto point = decode_utf8(text_, at);
    from_.insert(from_.end(), point.size,
                 {static_cast<uint32_t>(at), static_cast<uint32_t>(at + point.size)});
    at += point.size;
  }
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  AlignedText part;
  part.text_ = text_.substr(begin, end - begin);
  part.tracked_ = tracked_;
  part.limit_ = limit_;
  if (tracked_ && begin < end) {
    part.from_.assign(from_.begin() + static_cast<std::ptrdiff_t>(begin),
                      from_.begin() + static_cast<std::ptrdiff_t>(end));
    part.shift_ = from_[begin].begin;
  }
  return part;
}

AlignedText::Source AlignedText::source_before(size_t at) const {
  return at < 1 || from_.empty() ? Source{shift_, shift_} : from_[std::min(at, from_.size()) - 1];
}

void AlignedText::set_text(std::string text) {
  check_made(text.size(), limit_);
  text_ = std::move(text);
}

void AlignedText::transform(const std::vector<Change>& changes, size_t removed) {
  std::string text;
  text.reserve(text_.size());
  if (!tracked_) {
    for (const auto& change : changes) append_utf8(text, change.code);
    set_text(std::move(text));
    return;
  }
  std::vector<Source> from;
  from.reserve(from_.size());
  size_t at = 0;
  const auto skip = [&](size_t characters) {
    for (; characters > 0 && at < text_.size(); --characters) at += decode_utf8(text_, at).size;
  };
  skip(removed);
  for (const auto& change : changes) {
    Source source;
    if (change.change > 0) {
      source = source_before(at);
    } else {
      source = at < from_.size() ? from_[at] : source_before(at);
      skip(1 + static_cast<size_t>(-change.change));
    }
    append_utf8(text, change.code);
    from.resize(text.size(), source);
  }
  check_made(text.size(), limit_);
  text_ = std::move(text);
  from_ = std::move(from);
}

void AlignedText::rewrite(std::string text, const std::vector<Part>& from) {
  if (tracked_) {
    std::vector<Source> sources;
    sources.reserve(from.size());
    for (const auto& part : from) {
      if (part.begin < part.end) {
        sources.push_back(source(part.begin, part.end));
      } else {
        const uint32_t at =
            part.begin < from_.size() ? from_[part.begin].begin : source_before(part.begin).end;
        sources.push_back({at, at});
      }
    }
    from_ = std::move(sources);
  }
  text_ = std::move(text);
}

void AlignedText::prepend(std::string_view before) {
  if (text_.empty()) return;
  check_made(text_.size() + before.size(), limit_);
  if (tracked_) {
    const size_t first = decode_utf8(text_, 0).size;
    const Source begin = from_[0], rest = from_[first - 1];
    if (before.empty()) {
      std::fill_n(from_.begin(), first, source_before(0));
    } else {
      const size_t one = decode_utf8(before, 0).size;
      std::vector<Source> added(one, begin);
      added.resize(before.size(), rest);
      std::fill_n(from_.begin(), first, rest);
      from_.insert(from_.begin(), added.begin(), added.end());
    }
  }
  text_.insert(0, before);
}

void AlignedText::replace(const std::vector<Part>& parts, std::string_view by) {
  if (parts.empty()) return;
  std::string text;
  std::vector<Source> from;
  text.reserve(text_.size());
  from.reserve(from_.size());
  size_t done = 0;
  const auto keep = [&](size_t end) {
    text.append(text_, done, end - done);
    if (tracked_)
      from.insert(from.end(), from_.begin() + static_cast<std::ptrdiff_t>(done),
                  from_.begin() + static_cast<std::ptrdiff_t>(end));
  };
  for (const auto& part : parts) {
    keep(part.begin);
    text += by;
    check_made(text.size(), limit_);
    if (tracked_) from.resize(text.size(), source_before(part.end));
    done = part.end;
  }
  keep(text_.size());
  text_ = std::move(text);
  from_ = std::move(from);
}

}  // namespace helio::text
