// For tests/peers/test_tables.py: prints what a source gives as JSON lines, or writes rows that it
// reads as JSON lines.
//   table_tool read PATH [fail|skip] [PIECE_BYTES]
//   table_tool write FOLDER parquet|arrow [SHARD_BYTES]     (rows on stdin)
#include <iostream>
#include <string>

#include "core/error.h"
#include "core/json.h"
#include "data/read/source.h"
#include "data/write/row_writer.h"

namespace {

using namespace helio;
using namespace helio::data;

void read(int argc, char** argv) {
  SourceOptions options{.path = argv[2], .keep_columns = true};
  if (argc > 3) options.on_error = argv[3];
  const size_t bytes = argc > 4 ? std::stoul(argv[4]) : size_t(1) << 20;
  const auto source = open_source(options, "lot");
  ReadTally tally;
  std::vector<Document> documents;
  for (Block block; source->next(block, bytes); documents.clear()) {
    source->parse(block, documents, tally);
    for (const Document& document : documents)
      std::cout << compact({{"id", document.id},
                            {"text", document.text},
                            {"url", document.url},
                            {"split", document.split},
                            {"meta", document.meta.empty() ? OrderedJson()
                                                           : OrderedJson::parse(document.meta)}})
                << "\n";
  }
  std::cout << compact({{"documents", tally.documents}, {"empty", tally.empty}, {"bad", tally.bad}})
            << "\n";
}

void write(int argc, char** argv) {
  RowWriterOptions options;
  options.kind = std::string(argv[3]) == "arrow" ? TableKind::arrow : TableKind::parquet;
  if (argc > 4) options.shard_bytes = std::stoull(argv[4]);
  const auto writer = open_row_writer(argv[2], options);
  for (std::string line; std::getline(std::cin, line);) {
    const Json row = Json::parse(line);
    const std::string id = row.at("id"), text = row.at("text"), url = row.value("url", "");
    const std::vector<std::string> changed = row.value("changed", std::vector<std::string>());
    const std::string scores = row.value("scores", Json::object()).dump();
    const std::string cluster = row.value("cluster", "");
    OutRow out{.id = id, .text = text, .lot = "lot", .split = "train", .url = url};
    out.cluster = cluster;
    out.scores = scores;
    out.changed = changed;
    writer->write(out);
  }
  writer->close();
  for (const std::string& shard : writer->shards()) std::cout << shard << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string verb = argc > 2 ? argv[1] : "";
    if (verb == "read") read(argc, argv);
    else if (verb == "write" && argc > 3) write(argc, argv);
    else return 2;
  } catch (const helio::Error& error) {
    std::cerr << error.what() << "\n";
    return exit_code(error.kind());
  }
  return 0;
}
