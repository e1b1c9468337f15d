#include "checkpoint/merge/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"

namespace helio::checkpoint {
namespace {

constexpr size_t kMostSlices = 10'000, kMostSources = 64;

Error at(const Mark& mark, const std::string& what) {
  const std::string place = mark.str();
  return Error(ErrorKind::invalid, (place.empty() ? "" : place + ": ") + what);
}

// Keys that mean something to mergekit and that are not done here.
struct Refused {
  std::string_view key, why, hint;
};
constexpr std::array<Refused, 4> kRefused = {{
    {"modules", "models of several modules are not merged here", "use 'models' or 'slices'"},
    {"tokenizer", "vocabularies are not rebuilt here",
     "`helio model resize` gives a model the rows of another tokenizer; then merge"},
    {"chat_template", "the base's chat template is kept", "replace chat_template.jinja afterwards"},
    {"residual_weight", "no merge method of mergekit reads it", "leave it out"},
}};

void refuse_known(const Node& node) {
  for (const auto& entry : node.entries())
    for (const auto& refused : kRefused)
      if (entry.key == refused.key && !entry.value.is_null())
        throw at(entry.key_mark, fmt::format("'{}' is not supported: {}", entry.key, refused.why))
            .with_hint(std::string(refused.hint));
}

std::string read_model(const Node& node, std::string_view key) {
  if (node.is_null()) throw at(node.mark(), fmt::format("'{}' names no model", key));
  if (!node.is_scalar() || node.text().empty())
    throw at(node.mark(), fmt::format("'{}' must be the folder of a model", key))
        .with_hint("LoRA adapters and revisions are not merged here: give a folder");
  return node.text();
}

int64_t read_layer(const Node& node) {
  const auto json = node.is_scalar() ? node.json() : nlohmann::ordered_json();
  if (!json.is_number_integer() || json.get<int64_t>() < 0 || json.get<int64_t>() > kMostLayers)
    throw at(node.mark(), fmt::format("a layer must be a whole number from 0 to {}", kMostLayers));
  return json.get<int64_t>();
}

class PlanReader {
 public:
  explicit PlanReader(const std::string& source) { plan_.source = source; }

  MergePlan read(const Node& root) {
    if (!root.is_map())
      throw at(root.mark(), "a merge plan is a map of keys")
          .with_hint("it begins with 'merge_method:' and 'models:' or 'slices:'");
    refuse_known(root);
    Top top;
    read_options(root, helio::describe(top));
    if (top.method.empty())
      throw at(root.mark(), "the plan has no 'merge_method'")
          .with_hint("for example: merge_method: linear");
    plan_.method = &in_context(
        [&] {
          const Node* node = root.find("merge_method");
          return "reading merge_method at " + node->mark().str();
        },
        [&]() -> const MethodInfo& { return merge_method(top.method); });
    plan_.dtype = read_dtype(top.dtype, root, "dtype");
    plan_.out_dtype = read_dtype(top.out_dtype, root, "out_dtype");
    if (!top.base_model.is_null()) plan_.base_model = read_model(top.base_model, "base_model");
    read_tokenizer(top.tokenizer);
    plan_.parameters = read_settings(top.parameters, *plan_.method, plan_.notes);
    if (top.slices.is_null() == top.models.is_null())
      throw at(root.mark(), "a plan has either 'models' or 'slices'")
          .with_hint("models: whole models; slices: ranges of layers");
    if (!top.models.is_null()) read_models(top.models);
    else read_slices(top.slices);
    return std::move(plan_);
  }

 private:
  struct Top {
    std::string method = {}, dtype = {}, out_dtype = {};
    Node slices = {}, models = {}, base_model = {}, tokenizer = {}, parameters = {};
    void describe(Fields& f) {
      f("merge_method", method, "");
      f.raw("slices", slices, "");
      f.raw("models", models, "");
      f.raw("base_model", base_model, "");
      f("dtype", dtype, "");
      f("out_dtype", out_dtype, "");
      f.raw("tokenizer_source", tokenizer, "");
      f.raw("parameters", parameters, "");
    }
  };
  struct Source {
    Node model = {}, range = {}, parameters = {};
    bool ranged = true;
    void describe(Fields& f) {
      f.raw("model", model, "");
      if (ranged) f.raw("layer_range", range, "");
      f.raw("parameters", parameters, "");
    }
  };
  struct Slice {
    Node sources = {}, base_model = {}, parameters = {};
    std::string init = "copy";
    bool average = false;
    void describe(Fields& f) {
      f.raw("sources", sources, "");
      f.raw("base_model", base_model, "");
      f.raw("parameters", parameters, "");
      f("init", init, "", one_of({"copy", "identity"}));
      f("average", average, "");
    }
  };

  static std::string read_dtype(std::string name, const Node& root, const char* key) {
    if (name.starts_with("torch.")) name.erase(0, 6);
    if (name.empty() || name == "float32" || name == "bfloat16" || name == "float16") return name;
    throw at(root.find(key)->mark(), fmt::format("'{}' is no '{}' of merged weights", name, key))
        .with_hint("choose float32, bfloat16 or float16");
  }

  void read_tokenizer(const Node& node) {
    if (node.is_null()) return;
    if (!node.is_scalar() || node.text() != "base")
      throw at(node.mark(), fmt::format("tokenizer_source '{}' is not supported",
                                        node.is_scalar() ? node.text() : "..."))
          .with_hint(
              "supported: base. For another vocabulary, `helio model resize` the models to one "
              "tokenizer first");
    plan_.base_tokenizer = true;
  }

  PlanSource read_source(const Node& node, bool ranged) {
    if (!node.is_map()) throw at(node.mark(), "a source is a map with 'model'");
    Source source;
    source.ranged = ranged;
    read_options(node, helio::describe(source));
    PlanSource out{.mark = node.mark()};
    if (source.model.is_null()) throw at(node.mark(), "a source has no 'model'");
    out.model = read_model(source.model, "model");
    if (ranged) read_range(source.range, node, out);
    out.parameters = read_settings(source.parameters, *plan_.method, plan_.notes);
    return out;
  }

  static void read_range(const Node& range, const Node& source, PlanSource& out) {
    if (range.is_null())
      throw at(source.mark(), "a source has no 'layer_range'")
          .with_hint("for example: layer_range: [0, 24] for layers 0 to 23");
    if (!range.is_list() || range.items().size() != 2)
      throw at(range.mark(), "'layer_range' is a first layer and an end: [0, 24]");
    out.first = read_layer(range.items()[0]);
    out.end = read_layer(range.items()[1]);
    if (out.first >= out.end)
      throw at(range.mark(),
               fmt::format("'layer_range' [{}, {}] holds no layer", out.first, out.end))
          .with_hint("the end is not among them: [0, 24] is layers 0 to 23");
  }

  static const std::vector<Node>& list_of(const Node& node, const char* key, size_t most) {
    if (!node.is_list() || node.items().empty())
      throw at(node.mark(), fmt::format("'{}' must be a list with at least one entry", key));
    if (node.items().size() > most)
      throw at(node.mark(),
               fmt::format("'{}' has {} entries; {} are the most", key, node.items().size(), most));
    return node.items();
  }

  void read_models(const Node& node) {
    plan_.whole_models = true;
    PlanSlice slice{.mark = node.mark()};
    for (const Node& item : list_of(node, "models", kMostSources))
      slice.sources.push_back(read_source(item, false));
    const bool has_base =
        plan_.base_model.empty() ||
        std::any_of(slice.sources.begin(), slice.sources.end(),
                    [&](const PlanSource& one) { return one.model == plan_.base_model; });
    if (!has_base) slice.sources.push_back({.model = plan_.base_model, .mark = node.mark()});
    plan_.slices.push_back(std::move(slice));
    check_slice(plan_.slices.back());
  }

  void read_slices(const Node& node) {
    int64_t layers = 0;
    for (const Node& item : list_of(node, "slices", kMostSlices)) {
      if (!item.is_map()) throw at(item.mark(), "a slice is a map with 'sources'");
      refuse_known(item);
      Slice slice;
      read_options(item, helio::describe(slice));
      PlanSlice out{
          .identity = slice.init == "identity", .average = slice.average, .mark = item.mark()};
      if (slice.sources.is_null()) throw at(item.mark(), "a slice has no 'sources'");
      for (const Node& source : list_of(slice.sources, "sources", kMostSources))
        out.sources.push_back(read_source(source, true));
      if (!slice.base_model.is_null()) out.base_model = read_model(slice.base_model, "base_model");
      out.parameters = read_settings(slice.parameters, *plan_.method, plan_.notes);
      layers += out.sources[0].end - out.sources[0].first;
      if (layers > kMostLayers)
        throw at(item.mark(),
                 fmt::format("the new model would have more than {} layers", kMostLayers));
      plan_.slices.push_back(std::move(out));
      check_slice(plan_.slices.back());
    }
  }

  void check_slice(const PlanSlice& slice) const {
    const MethodInfo& method = *plan_.method;
    const int64_t length = slice.sources[0].end - slice.sources[0].first;
    for (const auto& source : slice.sources)
      if (source.end - source.first != length)
        throw at(source.mark, fmt::format("this source has {} layers, the first of the slice {}",
                                          source.end - source.first, length))
            .with_hint("all sources of a slice have equally many layers");
    if (slice.average && method.method != MergeMethod::passthrough)
      throw at(slice.mark, "'average' belongs to merge_method: passthrough")
          .with_hint("linear with equal weights is the mean of whole models");
    const size_t count = slice.sources.size();
    const size_t most = slice.average ? kMostSources : method.most_inputs;
    if (count < method.least_inputs || count > most)
      throw at(slice.mark,
               fmt::format("{} takes {} model{} for each layer, and {} {} given", method.name,
                           method.least_inputs == most
                               ? fmt::format("exactly {}", most)
                               : fmt::format("{} to {}", method.least_inputs, most),
                           most == 1 ? "" : "s", count, count == 1 ? "is" : "are"))
          .with_hint(method.method == MergeMethod::passthrough
                         ? "put sources into slices of their own, or say 'average: true'"
                         : "");
    if (!slice.average)
      for (size_t i = 0; i < count; ++i)
        for (size_t j = i + 1; j < count; ++j)
          if (slice.sources[i].model == slice.sources[j].model)
            throw at(slice.sources[j].mark,
                     fmt::format("'{}' is twice among the sources of one slice",
                                 slice.sources[j].model));
    if (!method.needs_base) return;
    const std::string& base = slice.base_model.empty() ? plan_.base_model : slice.base_model;
    if (base.empty()) throw at(slice.mark, fmt::format("{} needs a 'base_model'", method.name));
    if (std::none_of(slice.sources.begin(), slice.sources.end(),
                     [&](const PlanSource& one) { return one.model == base; }))
      throw at(slice.mark,
               fmt::format("the base model '{}' is not among the sources of this slice", base))
          .with_hint("add it to 'sources' with its layer_range");
  }

  MergePlan plan_ = {};
};

}  // namespace

MergePlan parse_merge_plan(std::string_view yaml, const std::string& source) {
  if (yaml.size() > kMostPlanBytes)
    throw Error(ErrorKind::invalid, fmt::format("{}: a plan of {} bytes; {} are the most", source,
                                                yaml.size(), kMostPlanBytes));
  return PlanReader(source).read(parse_yaml(yaml, source));
}

MergePlan load_merge_plan(const fs::path& path) {
  if (!fs::exists(path))
    throw Error(ErrorKind::not_found, "there is no plan '" + path.string() + "'")
        .with_hint("a plan is a YAML file as mergekit reads it; docs/merging.md shows some");
  if (fs::is_regular_file(path) && fs::file_size(path) > kMostPlanBytes)
    return parse_merge_plan(std::string(kMostPlanBytes + 1, ' '), path.string());
  return parse_merge_plan(read_file(path), path.string());
}

}  // namespace helio::checkpoint
