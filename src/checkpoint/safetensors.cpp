#include "checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/json.h"

namespace helio::checkpoint {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

// Names of the tensors by shard, as the index has them.
using WeightMap = std::map<std::string, std::string>;

bool plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

WeightMap read_index(const fs::path& path) {
  const std::string text = read_file(path), source = path.string();
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::invalid, source + ": " + what)
        .with_hint("the index is damaged; fetch or save the checkpoint again");
  };
  // The DOM keeps the last of two equal keys; a tensor listed twice must not pass unseen.
  std::vector<std::set<std::string>> keys;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 16) throw fail("nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw fail("'" + shown(value.get<std::string>()) + "' is there twice");
    return true;
  };
  Json index;
  try {
    index = Json::parse(text, watch);
  } catch (const Json::parse_error& error) {
    throw fail(fmt::format("not valid JSON at byte {}", error.byte));
  } catch (const Json::out_of_range&) {
    throw fail("a number that is too large");
  }
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    throw fail("no \"weight_map\" of tensor name to file name");
  WeightMap map;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    if (!shard.is_string() || !plain_file_name(shard.get<std::string>()))
      throw fail("tensor '" + shown(name) + "' is not given the name of a file in this folder");
    map[name] = shard.get<std::string>();
  }
  if (map.empty()) throw fail("the weight_map is empty");
  return map;
}

// What to say of a path that holds no safetensors: most often a folder of pickles.
Error nothing_here(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Error(ErrorKind::not_found, "there is no '" + path.string() + "'")
        .with_hint("give a Hugging Face model folder or a .safetensors file");
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    const auto ending = entry.path().extension();
    if (ending == ".bin" || ending == ".pt" || ending == ".pth")
      return Error(ErrorKind::invalid, path.string() + " holds PyTorch pickles (" +
                                           entry.path().filename().string() + "), not safetensors")
          .with_hint(
              "pickles can run code and are not read; save the model with "
              "save_pretrained(..., safe_serialization=True)");
  }
  return Error(ErrorKind::not_found,
               fmt::format("no {} or {} in '{}'", kSingle, kIndex, path.string()))
      .with_hint("give a Hugging Face model folder or a .safetensors file");
}

struct Source {
  std::vector<fs::path> files = {};
  std::optional<WeightMap> index = {};
};

Source find_source(const fs::path& path) {
  const auto sharded = [](const fs::path& index) {
    Source source{.files = {}, .index = read_index(index)};
    std::set<std::string> names;
    for (const auto& [tensor, file] : *source.index) names.insert(file);
    for (const auto& name : names) {
      source.files.push_back(index.parent_path() / name);
      if (!fs::exists(source.files.back()))
        throw Error(ErrorKind::not_found,
                    index.string() + " names '" + shown(name) + "', which is not there")
            .with_hint("the download is not complete; fetch the missing shard");
    }
    return source;
  };
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    // transformers looks in this order too.
    if (fs::exists(path / kSingle)) return {.files = {path / kSingle}};
    if (fs::exists(path / kIndex)) return sharded(path / kIndex);
    throw nothing_here(path);
  }
  if (!fs::exists(path, ignored)) throw nothing_here(path);
  if (path.extension() == ".json") return sharded(path);
  return {.files = {path}};
}

}  // namespace

int64_t TensorInfo::elements() const {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

SafeTensors::SafeTensors(const std::filesystem::path& path) {
  const Source source = find_source(path);
  paths_ = source.files;
  for (size_t file = 0; file < paths_.size(); ++file) {
    maps_.emplace_back(paths_[file]);
    auto header =
        parse_safetensors_header(maps_[file].text(), maps_[file].size(), paths_[file].string());
    for (auto& tensor : header.tensors) {
      tensor.file = file;
      tensors_.push_back(std::move(tensor));
    }
    metadata_.merge(header.metadata);
  }
  std::sort(tensors_.begin(), tensors_.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; });
  if (!source.index) return;
  const auto disagree = [&](const std::string& what) {
    return Error(ErrorKind::invalid, path.string() + ": the index and the shards disagree: " + what)
        .with_hint("files of two different checkpoints may be mixed; fetch or save it again");
  };
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto& tensor = tensors_[i];
    const std::string shard = paths_[tensor.file].filename().string();
    if (i > 0 && tensors_[i - 1].name == tensor.name)
      throw disagree("tensor '" + shown(tensor.name) + "' is in two shards");
    const auto entry = source.index->find(tensor.name);
    if (entry == source.index->end())
      throw disagree("tensor '" + shown(tensor.name) + "' of " + shard + " is not in the index");
    if (entry->second != shard)
      throw disagree("tensor '" + shown(tensor.name) + "' is in " + shard + ", not in " +
                     shown(entry->second));
  }
  for (const auto& [name, shard] : *source.index)
    if (find(name) == nullptr)
      throw disagree("tensor '" + shown(name) + "' is missing from " + shown(shard));
}

const TensorInfo* SafeTensors::find(std::string_view name) const {
  const auto it = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const TensorInfo& tensor, std::string_view key) { return tensor.name < key; });
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

const TensorInfo& SafeTensors::at(std::string_view name) const {
  if (const auto* tensor = find(name)) return *tensor;
  throw Error(ErrorKind::invalid, "no tensor '" + shown(name) + "' in " + paths_.front().string() +
                                      (paths_.size() > 1 ? " and its sister shards" : ""))
      .with_hint(
          "`helio model info` lists what the checkpoint is; its config.json may belong to another "
          "model");
}

std::span<const std::byte> SafeTensors::data(const TensorInfo& tensor) const {
  return maps_[tensor.file].bytes().subspan(tensor.offset, tensor.size);
}

void write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorLayout> layout;
  std::map<std::string_view, std::span<const std::byte>> data;
  for (const auto& tensor : tensors) {
    layout.push_back({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape});
    data[tensor.name] = tensor.data;
  }
  in_context([&] { return "writing " + path.string(); },
             [&] {
               plan_layout(layout);
               for (const auto& tensor : layout)
                 HELIO_CHECK(
                     tensor.size == data[tensor.name].size(),
                     fmt::format("tensor '{}' has {} bytes where its shape needs {}",
                                 shown(tensor.name), data[tensor.name].size(), tensor.size));
               const std::string header = make_safetensors_header(layout, metadata);
               AtomicFile file(path);
               file.write(header);
               // In pieces: AtomicFile gathers what it is given before it writes.
               constexpr size_t piece = size_t(1) << 20;
               for (const auto& tensor : layout)
                 for (auto left = data[tensor.name]; !left.empty();
                      left = left.subspan(std::min(piece, left.size())))
                   file.write(left.data(), std::min(piece, left.size()));
               file.commit();
             });
}

}  // namespace helio::checkpoint
