#include "checkpoint/made_tensors.h"

#include <algorithm>

#include "checkpoint/rewrite.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/weights.h"
#include "core/error.h"
#include "core/json.h"
#include "core/parallel.h"

namespace helio::checkpoint {
namespace {

void check_space(const fs::path& dir, uint64_t needed) {
  std::error_code unknown;
  const auto space = fs::space(dir, unknown);
  if (unknown || space.available >= needed) return;
  throw Error(ErrorKind::failed, "the new checkpoint needs " + std::to_string(needed) +
                                     " bytes, and " + std::to_string(space.available) +
                                     " are free in '" + dir.parent_path().string() + "'")
      .with_hint("free some space, or point --out at another disk; nothing half-written stays");
}

}  // namespace

int worker_count(int64_t threads) {
  return static_cast<int>(std::clamp<int64_t>(threads > 0 ? threads : hardware_threads(), 1, 16));
}

void stream_rows(int64_t rows, int64_t width, uint64_t row_bytes, int threads,
                 const StopRequest& stop,
                 const std::function<void(int64_t first_row, std::span<std::byte> to)>& make,
                 const std::function<void(std::span<const std::byte>)>& take) {
  if (rows == 0 || row_bytes == 0) return;
  const int64_t piece = std::max<int64_t>(1, kPieceValues / std::max<int64_t>(1, width));
  const int64_t batch = piece * threads;
  std::vector<std::byte> buffer;
  for (int64_t at = 0; at < rows; at += batch) {
    stop.check();
    const int64_t count = std::min(batch, rows - at);
    buffer.resize(static_cast<size_t>(count) * row_bytes);
    parallel_slices(static_cast<size_t>(count), threads, static_cast<size_t>(piece),
                    [&](size_t begin, size_t end, int) {
                      make(at + static_cast<int64_t>(begin),
                           std::span(buffer).subspan(begin * row_bytes, (end - begin) * row_bytes));
                    });
    take(buffer);
  }
}

void write_made_tensors(const fs::path& dir, const std::vector<MadeTensor>& tensors,
                        const std::map<std::string, std::string>& metadata, uint64_t shard_size,
                        int threads, Monitor& monitor, const StopRequest& stop) {
  std::vector<TensorInfo> infos(tensors.size());  // not resized: the plan points into it
  std::vector<TensorCopy> order;
  std::map<std::string_view, const MadeTensor*> by_name;
  uint64_t total = 0, done = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& tensor = tensors[i];
    infos[i] = {.name = tensor.name,
                .dtype = tensor.dtype,
                .shape = tensor.shape,
                .size = tensor_bytes(tensor.name, tensor.dtype, tensor.shape)};
    order.push_back({.name = tensor.name, .source = &infos[i]});
    by_name[tensor.name] = &tensor;
    total += infos[i].size;
  }
  const auto files = plan_output(order, metadata, shard_size);
  check_space(dir, total);
  Json map = Json::object();
  monitor.begin("writing tensors", static_cast<int64_t>(total), "bytes");
  for (const auto& plan : files) {
    AtomicFile file(dir / plan.name);
    file.write(plan.header);
    for (const auto& copy : plan.tensors) {
      map[copy.name] = plan.name;
      const MadeTensor& tensor = *by_name.at(copy.name);
      const int64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
      const uint64_t row_bytes = static_cast<uint64_t>(width) * dtype_size(tensor.dtype);
      const int64_t rows = row_bytes == 0 ? 0 : static_cast<int64_t>(copy.source->size / row_bytes);
      in_context([&] { return "making tensor '" + shown(copy.name) + "'"; },
                 [&] {
                   stream_rows(rows, width, row_bytes, threads, stop, tensor.make,
                               [&](std::span<const std::byte> piece) {
                                 constexpr size_t most = size_t(1) << 20;  // AtomicFile gathers
                                 for (size_t at = 0; at < piece.size(); at += most)
                                   file.write(piece.data() + at, std::min(most, piece.size() - at));
                                 done += piece.size();
                                 monitor.at(static_cast<int64_t>(done));
                               });
                 });
    }
    HELIO_CHECK(file.size() == plan.size, "a file of another size than planned");
    file.commit();
  }
  if (files.size() > 1)
    write_file_atomic(
        dir / "model.safetensors.index.json",
        Json{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}}.dump(2) + "\n");
  monitor.end();
}

}  // namespace helio::checkpoint
