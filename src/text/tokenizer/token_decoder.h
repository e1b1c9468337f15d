// The "decoder" of a tokenizer.json: tokens as written back to text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::text {

class DecoderStep {
 public:
  virtual ~DecoderStep() = default;
  virtual void run(std::vector<std::string>& tokens) const = 0;
};

class TokenDecoder {
 public:
  // One of HF's decoders, a Sequence of them, or null. Anything else is Error{invalid}.
  explicit TokenDecoder(const Json& json);
  ~TokenDecoder();

  // How the bytes of a text follow from those of its tokens.
  enum class Kind {
    joined_bytes,   // ByteLevel and nothing that changes it: side by side
    joined_tokens,  // no decoder: as written, with spaces between
    chain,          // any other
  };
  Kind kind() const { return kind_; }
  std::string decode(std::vector<std::string> tokens) const;

  // A chain that can be read ahead: steps that change each token alone, the first one maybe in
  // another way, then perhaps ByteFallback, and what comes after all is joined.
  struct Plan {
    enum class First { as_others, otherwise };
    enum class Bytes { none, fall_back };
    size_t alone = 0;  // steps
    First first = First::as_others;
    Bytes bytes = Bytes::none;
    size_t after = 0;  // the first of the steps after joining
  };
  const std::optional<Plan>& plan() const { return plan_; }
  // What the plan's first steps make of tokens that are (or are not) the first ones.
  void change_alone(std::vector<std::string>& tokens) const;
  // And its last steps of the joined text.
  std::string finish(std::string text) const;
  // The bytes of one token: byte letters and "<0x0A>" read, marks of spaces replaced.
  std::string bytes_of(const std::string& token) const;

 private:
  // Error{invalid} when they make the text hundreds of times longer.
  void run_steps(size_t begin, size_t end, std::vector<std::string>& tokens) const;
  void read(const Json& json);
  void make_plan();

  std::vector<std::unique_ptr<DecoderStep>> steps_ = {};
  std::vector<std::string> names_ = {};
  Kind kind_ = Kind::joined_tokens;
  std::optional<Plan> plan_ = {};
  std::string space_mark_ = {};  // what a step writes spaces for
};

}  // namespace helio::text
