#include "checkpoint/lora.h"

#include "checkpoint/lora_adapter.h"
#include "checkpoint/made_tensors.h"
#include "checkpoint/model_copy.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/rewrite.h"
#include "core/error.h"
#include "core/manifest.h"
#include "core/version.h"

namespace helio::checkpoint {

MergeAdapterReport merge_adapter(const MergeAdapterOptions& options, Monitor& monitor,
                                 const StopRequest& stop) {
  const uint64_t size = parse_byte_size(options.size);
  check_new_model_folder(options.base, options.out);
  const OrderedJson config = load_model_config(options.base);
  if (config.contains("quantization_config") && !config["quantization_config"].is_null())
    throw Error(ErrorKind::invalid, options.base + ": the weights are quantised")
        .with_hint("merge into the model they were made from, then quantise");
  const AdaptedWeights merge(options.base, options.adapter);
  auto metadata = merge.base().metadata();
  metadata.try_emplace("format", "pt");  // transformers 4 refuses files without it
  in_context(
      [&] { return "writing '" + options.out + "'"; },
      [&] {
        StagedDir staged(options.out);
        write_made_tensors(staged.path(), merge.tensors(), metadata, size,
                           worker_count(options.threads), monitor, stop);
        const fs::path base = options.base;
        copy_whole_file(base / "config.json", staged.path() / "config.json");
        for (const auto list : {tokenizer_files(), model_papers()})
          for (const auto& name : list)
            if (fs::is_regular_file(base / name))
              copy_whole_file(base / name, staged.path() / name);
        stop.check();
        Manifest manifest;
        manifest.kind = "model";
        manifest.name = fs::path(options.out).lexically_normal().filename().string();
        manifest.made_by = "model merge-adapter";
        manifest.version = version();
        manifest.code = code_hash("checkpoint");
        manifest.inputs = {describe_input("base", options.base),
                           describe_input("adapter", options.adapter)};
        manifest.options = {{"size", options.size}};
        manifest.facts = {{"merged", merge.counts().merged}, {"replaced", merge.counts().replaced}};
        seal_artefact(staged.path(), manifest);
        staged.commit();
      });
  const auto counts = merge.counts();
  return {.tensors = counts.tensors, .merged = counts.merged, .replaced = counts.replaced};
}

}  // namespace helio::checkpoint
