// Blocks that read and write: data_ingestion, data_save and the data_load names of older releases.
#include <filesystem>

#include "data/dataverse/blocks.h"

namespace helio::data::dataverse {
namespace {

constexpr const char* kPartitions = "a setting of Spark's partitions";

bool has_pattern(std::string_view path) { return path.find_first_of("*?") != path.npos; }

std::string inside(std::string folder, std::string_view pattern) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder + "/" + std::string(pattern);
}

std::vector<std::string> paths(const Arguments& arguments, std::string_view name) {
  const auto all = arguments.texts(name);
  if (all.empty())
    refuse(arguments.block(), "'" + std::string(name) + "' is missing", "it names what to read");
  return all;
}

void all_files(const Arguments& arguments, std::string_view name, int64_t otherwise) {
  if (arguments.integer(name, otherwise) == otherwise) return;
  refuse(arguments.mark(name), "'" + std::string(name) + "' picks files at random, helio reads all",
         "name the files you want, or sample documents with utils___sampling___random");
}

void read_arrow(const Arguments& arguments, Building& building) {
  all_files(arguments, "sample_n", -1);
  for (const std::string& path : paths(arguments, "path")) {
    const bool folder = !has_pattern(path) && !path.ends_with(".arrow");
    building.input(arguments.mark("path"), folder ? inside(path, "**/*.arrow") : path, "arrow");
  }
  building.ignored(arguments, {"arrow_partition_mb_size", "raw_partition_mb_size", "repartition"},
                   kPartitions);
  building.ignored(arguments, {"seed"}, "it chose files and placed partitions");
}

void read_wet(const Arguments& arguments, Building& building) {
  all_files(arguments, "segment_n", -1);
  for (const std::string& path : paths(arguments, "wet_path")) {
    const bool file = has_pattern(path) || path.ends_with(".wet") || path.ends_with(".wet.gz");
    building.input(arguments.mark("wet_path"), file ? path : inside(path, "**/*.wet*"), "wet");
  }
  building.ignored(arguments, {"repartition"}, kPartitions);
  building.ignored(arguments, {"seed"}, "it chose files");
}

void read_dump(const Arguments& arguments, Building&) {
  refuse(arguments.block(), "helio does not download dumps of Common Crawl",
         "download the .wet.gz files and read them with data_ingestion___common_crawl___wet2raw, "
         "wet_path: FOLDER");
}

auto read_files(std::string name, std::string format) {
  return [name = std::move(name), format = std::move(format)](const Arguments& arguments,
                                                              Building& building) {
    for (const std::string& path : paths(arguments, name))
      building.input(arguments.mark(name), path, format);
    building.ignored(arguments, {"repartition"}, kPartitions);
  };
}

bool is_local(const std::string& name) {
  if (name.empty()) return false;
  if (name[0] == '/' || name[0] == '.' || name[0] == '~' || name.starts_with("s3://")) return true;
  std::error_code ignored;
  return std::filesystem::exists(name, ignored);
}

// A folder of `datasets`: Arrow files by save_to_disk, or the Parquet, JSONL and CSV files of a
// repository that was downloaded.
auto read_hugging_face(std::string default_name) {
  return [default_name = std::move(default_name)](const Arguments& arguments, Building& building) {
    std::vector<std::string> names = arguments.texts("name_or_path");
    if (names.empty() && !default_name.empty()) names = {default_name};
    if (names.empty()) refuse(arguments.block(), "'name_or_path' is missing", "it names a folder");
    const bool on_disk = arguments.boolean("from_disk", false);
    const auto splits = arguments.texts("split");
    for (const std::string& name : names) {
      if (!on_disk && !is_local(name))
        refuse(arguments.mark("name_or_path"),
               "'" + names.front() + "' is a dataset of a hub, and helio reads local files",
               "download it (hf download --repo-type dataset " + names.front() +
                   " --local-dir FOLDER) and write name_or_path: ./FOLDER");
      if (splits.empty()) {
        building.input(arguments.mark("name_or_path"), name, "auto");
        building.note(arguments.mark("name_or_path"),
                      "all splits of '" + name +
                          "' are read, test data too, as Dataverse does; 'split' chooses");
      }
      for (const std::string& split : splits)
        building.input(arguments.mark("split"),
                       inside(name, on_disk ? split + "/**/*.arrow" : "**/*" + split + "*"),
                       on_disk ? "arrow" : "auto");
    }
    building.ignored(arguments, {"repartition"}, kPartitions);
  };
}

void nothing_to_do(const Arguments&, Building&) {}

auto save(std::string format) {
  return [format = std::move(format)](const Arguments& arguments, Building& building) {
    const std::string path = arguments.text("save_path", "");
    if (path.empty())
      refuse(arguments.block(), "'save_path' is missing", "it names the folder to write");
    Node output = Node::map(arguments.block());
    set_text(output, arguments.mark("save_path"), "path", path);
    set_text(output, arguments.block(), "format", format);
    if (building.chunk_words > 0)
      set_number(output, arguments.block(), "chunk_words", double(building.chunk_words));
    building.recipe.outputs.push_back(std::move(output));
    building.ignored(arguments, {"repartition"}, "files are cut by size");
  };
}

void save_to_hub(const Arguments& arguments, Building&) {
  // Dataverse's is a stub that returns nothing and loses the data without a word.
  refuse(arguments.block(), "helio does not upload to a hub",
         "write with data_save___huggingface___ufl2hf, save_path: FOLDER, and upload that folder");
}

void save_object(const Arguments& arguments, Building& building) {
  building.note(arguments.block(),
                "a dataset object exists only in Python: the dataset is written "
                "where helio writes it");
}

void make_fakes(const Arguments& arguments, Building&) {
  refuse(arguments.block(), "helio makes up no test rows",
         "write a few lines of JSONL ({\"text\": \"...\"}) and read those");
}

}  // namespace

void add_readers(std::map<std::string, Block, std::less<>>& all) {
  const std::string in = "data_ingestion___";
  all[in + "arrow___hf2raw"] = {{"path", "sample_n", "arrow_partition_mb_size",
                                 "raw_partition_mb_size", "repartition", "seed", "verbose"},
                                read_arrow};
  all[in + "common_crawl___wet2raw"] = {{"wet_path", "segment_n", "repartition", "seed", "verbose"},
                                        read_wet};
  all[in + "common_crawl___dump2raw"] = {
      {"dump", "segment_n", "repartition", "use_cache", "cache_dir", "seed", "verbose"}, read_dump};
  all[in + "csv___csv2raw"] = {{"path", "repartition", "verbose"}, read_files("path", "csv")};
  all[in + "parquet___pq2raw"] = {{"path", "repartition"}, read_files("path", "parquet")};
  all[in + "red_pajama___parquet2ufl"] = {{"input_paths", "repartition"},
                                          read_files("input_paths", "parquet")};
  all[in + "slim_pajama___parquet2ufl"] = all[in + "red_pajama___parquet2ufl"];
  const std::vector<std::string> hub = {"name_or_path", "split", "from_disk", "repartition",
                                        "verbose"};
  all[in + "huggingface___hf2raw"] = {hub, read_hugging_face("")};
  const std::string red = "togethercomputer/RedPajama-Data-1T-Sample";
  all[in + "red_pajama___hf2ufl"] = {hub, read_hugging_face(red)};
  all[in + "red_pajama___hf2raw"] = {{"name_or_path", "split", "repartition", "verbose"},
                                     read_hugging_face(red)};
  all[in + "slim_pajama___hf2ufl"] = {hub, read_hugging_face("cerebras/SlimPajama-627B")};
  all[in + "test___generate_fake_ufl"] = {{"n", "repartition", "verbose"}, make_fakes};
  // They name the columns of Upstage's format, which helio's rows have: other columns travel along.
  for (const char* name : {"common_crawl___raw2ufl", "cultura_x___raw2ufl",
                           "red_pajama___raw2ufl_templatev1", "red_pajama___raw2ufl_templatev2"})
    all[in + name] = {{}, nothing_to_do};
  for (const std::string out : {"data_save___", "data_load___"}) {
    all[out + "huggingface___ufl2hf_hub"] = {{"hub_path", "repartition"}, save_to_hub};
    all[out + "huggingface___ufl2hf"] = {{"save_path", "repartition"}, save("arrow")};
    all[out + "huggingface___ufl2hf_obj"] = {{"repartition"}, save_object};
    all[out + "parquet___ufl2parquet"] = {{"save_path", "repartition"}, save("parquet")};
  }
}

}  // namespace helio::data::dataverse
