// bench_text_tokenizer TOKENIZER FILE.jsonl... [--rounds N]: MB of text per CPU second of one
// thread for encoding and decoding the documents of each file (JSONL rows with "text", any
// compression), and the time to load the tokenizer. One JSON object; ids as a SHA-256, so that
// bench/peers/tokenizer.py can hold them against Hugging Face's and tiktoken's.
#include "text/tokenizer.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"

using namespace helio;

namespace {

// Processor time of this thread: what else runs on the machine does not show.
double cpu_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

// Keeps the least time of several.
class Least {
 public:
  template <class Work>
  void time(Work&& work) {
    const double begin = cpu_seconds();
    work();
    seconds_ = std::min(seconds_, cpu_seconds() - begin);
  }
  double seconds() const { return seconds_; }

 private:
  double seconds_ = std::numeric_limits<double>::max();
};

std::vector<std::string> read_documents(const std::filesystem::path& file) {
  std::vector<std::string> documents;
  LineReader reader(file);
  for (std::string_view line; reader.next(line);)
    documents.push_back(parse_json(std::string(line), file.string())["text"]);
  return documents;
}

// Every round has a newly loaded tokenizer: no words are cached from the round before.
Json measure(const std::string& path, const std::filesystem::path& file, int rounds, Least& load) {
  const auto documents = read_documents(file);
  std::vector<std::vector<text::TokenId>> ids(documents.size());
  std::vector<std::string> texts(documents.size());
  Least encode, decode, stream;
  for (int round = 0; round < rounds; ++round) {
    std::unique_ptr<text::Tokenizer> tokenizer;
    load.time([&] { tokenizer = text::load_tokenizer(path); });
    encode.time([&] {
      for (size_t i = 0; i < documents.size(); ++i)
        ids[i] = tokenizer->encode(documents[i], text::SpecialTokens::skip);
    });
    decode.time([&] {
      for (size_t i = 0; i < documents.size(); ++i)
        texts[i] = tokenizer->decode(ids[i], text::SpecialTokens::add);
    });
    stream.time([&] {
      for (size_t i = 0; i < documents.size() / 16 + 1 && i < documents.size(); ++i) {
        text::DecodeStream steps(*tokenizer, text::SpecialTokens::add);
        std::string streamed;
        for (const auto id : ids[i]) streamed += steps.step(id);
        streamed += steps.finish();
        if (streamed != texts[i]) throw Error(ErrorKind::check, "the stream differs from decode()");
      }
    });
  }
  Sha256Stream ids_hash, texts_hash;
  size_t bytes = 0, tokens = 0, stream_tokens = 0;
  const uint32_t end = ~uint32_t(0);
  const auto as_bytes = [](const auto* data, size_t count) {
    return std::string_view(reinterpret_cast<const char*>(data), count * sizeof(*data));
  };
  for (size_t i = 0; i < documents.size(); ++i) {
    ids_hash.update(as_bytes(ids[i].data(), ids[i].size())).update(as_bytes(&end, 1));
    texts_hash.update(texts[i]).update(as_bytes(&end, 1));
    bytes += documents[i].size();
    tokens += ids[i].size();
    if (i < documents.size() / 16 + 1) stream_tokens += ids[i].size();
  }
  return {{"file", file.string()},
          {"documents", documents.size()},
          {"bytes", bytes},
          {"tokens", tokens},
          {"encode_s", encode.seconds()},
          {"decode_s", decode.seconds()},
          {"stream_s", stream.seconds()},
          {"stream_tokens", stream_tokens},
          {"ids_sha256", ids_hash.hex()},
          {"texts_sha256", texts_hash.hex()}};
}

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  int rounds = 3;
  if (words.size() >= 2 && words[words.size() - 2] == "--rounds") {
    rounds = std::stoi(words.back());
    words.resize(words.size() - 2);
  }
  if (words.empty()) {
    fmt::print("usage: bench_text_tokenizer TOKENIZER FILE.jsonl... [--rounds N]\n");
    return 0;
  }
  Least load;
  Json files = Json::array();
  for (size_t i = 1; i < words.size(); ++i)
    files.push_back(measure(words[0], words[i], rounds, load));
  const Json out = {{"tokenizer", words[0]}, {"load_s", load.seconds()}, {"files", files}};
  fmt::print("{}\n", out.dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
