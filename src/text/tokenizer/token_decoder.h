// The "decoder" of a tokenizer.json: tokens as written back to text.
#pragma once

#include <memory>
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
  // The bytes of one token: byte letters and "<0x0A>" read, marks of spaces replaced.
  std::string bytes_of(const std::string& token) const;

 private:
  void read(const Json& json);

  std::vector<std::unique_ptr<DecoderStep>> steps_ = {};
  std::vector<std::string> names_ = {};
  Kind kind_ = Kind::joined_tokens;
  std::string space_mark_ = {};  // what a step writes spaces for
};

}  // namespace helio::text
