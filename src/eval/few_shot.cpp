#include "eval/few_shot.h"

#include <numeric>

#include "core/error.h"

namespace helio::eval {

FewShot::FewShot(const ItemBuilder& builder, std::vector<Json> pool, std::string subject,
                 int64_t count)
    : builder_(builder),
      pool_(std::move(pool)),
      shown_(pool_.size()),
      subject_(std::move(subject)),
      count_(static_cast<size_t>(count)),
      extra_(0) {
  const ShotSpec& shots = builder.spec().shots;
  if (count_ && shots.pick == "sampled") extra_ = static_cast<size_t>(shots.draw_extra);
  if (count_ + extra_ > pool_.size())
    throw Error(ErrorKind::invalid, std::to_string(count_ + extra_) +
                                        " examples are wanted, split '" + shots.split + "' has " +
                                        std::to_string(pool_.size()))
        .with_hint("give fewer --shots");
}

std::vector<size_t> FewShot::draw(const Json& document, PythonRandom& random) const {
  std::vector<size_t> chosen;
  if (count_ == 0) return chosen;
  if (builder_.spec().shots.pick == "first") {
    chosen.resize(count_);
    std::iota(chosen.begin(), chosen.end(), size_t{0});
    return chosen;
  }
  for (const uint32_t i :
       random.sample(static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(count_ + extra_)))
    if (chosen.size() < count_ && !(extra_ && pool_[i] == document)) chosen.push_back(i);
  return chosen;
}

std::string FewShot::text(const std::vector<size_t>& chosen) {
  std::string out;
  for (const size_t i : chosen) {
    if (shown_[i].empty()) shown_[i] = builder_.example(builder_.prepared(pool_[i], subject_));
    out += shown_[i];
  }
  return out;
}

std::vector<text::Message> FewShot::turns(const std::vector<size_t>& chosen) const {
  std::vector<text::Message> out;
  for (const size_t i : chosen)
    for (auto& message : builder_.example_turns(builder_.prepared(pool_[i], subject_)))
      out.push_back(std::move(message));
  return out;
}

}  // namespace helio::eval
