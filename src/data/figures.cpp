#include "data/figures.h"

#include <fmt/format.h>

#include <cstring>

#include "core/error.h"
#include "core/fs.h"
#include "core/zstd.h"
#include "data/spool.h"

namespace helio::data {
namespace {

Check::Drops drops_of(const std::string& name) {
  for (const auto drops : {Check::Drops::above, Check::Drops::below, Check::Drops::at_or_above,
                           Check::Drops::at_or_below})
    if (name == name_of(drops)) return drops;
  throw Error(ErrorKind::invalid, "dataset.json: no check drops '" + name + "'");
}

}  // namespace

std::string_view name_of(Check::Drops drops) {
  switch (drops) {
    case Check::Drops::above:
      return "above";
    case Check::Drops::below:
      return "below";
    case Check::Drops::at_or_above:
      return "at_or_above";
    case Check::Drops::at_or_below:
      return "at_or_below";
  }
  return "above";
}

OrderedJson write_figures(const Engine& engine, const std::vector<Step>& steps,
                          const std::filesystem::path& dataset) {
  OrderedJson stored = OrderedJson::array();
  for (size_t i = 0; i < engine.segments().size(); ++i) {
    const auto columns = figure_columns(steps, engine.segments()[i]);
    if (columns.empty()) continue;
    const std::string name = fmt::format("figures/segment-{:02}.bin.zst", i);
    make_dirs(dataset / "figures");
    AtomicFile file(dataset / name);
    for (const fs::path& path : engine.chunks(i)) file.write(ChunkFile(path).section("figures"));
    if (file.size() == 0) continue;
    file.commit();
    OrderedJson list = OrderedJson::array();
    for (const FigureColumn& column : columns)
      list.push_back({{"step", steps[column.step].name},
                      {"reason", column.check.reason},
                      {"drops", name_of(column.check.drops)},
                      {"limit", std::isnan(column.check.limit) ? OrderedJson(nullptr)
                                                               : OrderedJson(column.check.limit)}});
    stored.push_back({{"file", name}, {"columns", list}});
  }
  return stored;
}

std::vector<StoredFigures> stored_figures(const Json& dataset_json) {
  std::vector<StoredFigures> all;
  for (const Json& entry : dataset_json.value("figures", Json::array())) {
    StoredFigures& figures = all.emplace_back();
    figures.file = entry.at("file").get<std::string>();
    for (const Json& column : entry.at("columns")) {
      const Json& limit = column.at("limit");
      figures.columns.push_back(
          {column.at("step").get<std::string>(),
           {.reason = column.at("reason").get<std::string>(),
            .drops = drops_of(column.at("drops").get<std::string>()),
            .limit =
                limit.is_null() ? std::numeric_limits<double>::quiet_NaN() : limit.get<double>()}});
    }
  }
  return all;
}

void read_figures(const std::filesystem::path& file, size_t columns,
                  const std::function<void(uint64_t, std::span<const double>)>& row) {
  const auto broken = [&] {
    return Error(ErrorKind::invalid, "'" + file.string() + "' does not hold figures")
        .with_hint("helio data run writes the dataset again");
  };
  const MappedFile mapped(file);
  std::string_view rest = mapped.text();
  std::vector<double> values(columns);
  while (!rest.empty()) {
    const size_t frame = zstd_frame_size(rest, file.string());
    const std::string bytes = zstd_expand(rest.substr(0, frame), file.string());
    rest.remove_prefix(frame);
    uint32_t head[2];
    if (bytes.size() < sizeof head) throw broken();
    std::memcpy(head, bytes.data(), sizeof head);
    if (head[1] != columns ||
        bytes.size() - sizeof head != uint64_t(head[0]) * 8 * (1 + uint64_t(columns)))
      throw broken();
    const char* orders = bytes.data() + sizeof head;
    const char* figures = orders + 8 * size_t(head[0]);
    for (size_t i = 0; i < head[0]; ++i) {
      uint64_t order = 0;
      std::memcpy(&order, orders + 8 * i, 8);
      std::memcpy(values.data(), figures + 8 * columns * i, 8 * columns);
      row(order, values);
    }
  }
}

}  // namespace helio::data
