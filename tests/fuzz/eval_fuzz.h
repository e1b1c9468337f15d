// What the fuzz targets of evaluation run: results and samples of lm-evaluation-harness, and a
// server's replies. Only an Error that isn't internal may come of any bytes.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "eval/endpoint/endpoint_identity.h"
#include "eval/endpoint/openai_chat.h"
#include "eval/endpoint/prompt_scores.h"
#include "eval/lm_eval/import.h"

namespace helio::eval::fuzz {

template <class Body>
void try_it(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
}

// A results file; after a zero byte, the samples of its task arc_challenge.
inline void try_import(std::string_view bytes) {
  const fs::path folder =
      fs::temp_directory_path() / ("helio-fuzz-import-" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder / "from");
  const size_t cut = bytes.find('\0');
  const auto write = [&](const char* name, std::string_view text) {
    write_file_atomic(folder / "from" / name, std::string(text));
  };
  write("results_2026-11-27T00-00-00.000000.json", bytes.substr(0, cut));
  if (cut != bytes.npos)
    write("samples_arc_challenge_2026-11-27T00-00-00.000000.jsonl", bytes.substr(cut + 1));
  try_it([&] { import_lm_eval({(folder / "from").string()}, folder / "out"); });
  fs::remove_all(folder);
}

// A reply's body: to prompts of three and one tokens, to a conversation, to /v1/models.
inline void try_reply(const std::string& body) {
  try_it([&] {
    const Json reply = parse_json(body, "the reply");
    try_it([&] {
      const auto read = read_echo(reply, {3, 1});
      if (read.size() != 2 || read[0].size() != 3 || read[1].size() != 1) std::abort();
    });
    try_it([&] { chat_content_of(reply); });
    try_it([&] { listed_model(reply, "m"); });
  });
}

}  // namespace helio::eval::fuzz
