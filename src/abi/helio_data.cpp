#include "abi/helio_data.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/version.h"
#include "data/chunk.h"
#include "data/steps.h"

using helio::Error;
using helio::ErrorKind;

struct helio_steps {
  std::vector<helio::data::Step> steps = {};
};

namespace {

void tell(const std::exception& error, char* to, size_t size) {
  if (!to || size == 0) return;
  const size_t length = std::min(std::strlen(error.what()), size - 1);
  std::memcpy(to, error.what(), length);
  to[length] = '\0';
}

// A column of texts in a batch that somebody else owns.
class TextColumn {
 public:
  TextColumn() = default;
  TextColumn(const ArrowSchema& schema, const ArrowArray& array, int64_t parent_offset)
      : offset_(array.offset + parent_offset), wide_(std::strcmp(schema.format, "U") == 0) {
    if (!wide_ && std::strcmp(schema.format, "u") != 0)
      throw Error(ErrorKind::invalid, std::string("column '") + schema.name +
                                          "' is neither utf8 nor large_utf8 but '" + schema.format +
                                          "'");
    if (array.n_buffers != 3)
      throw Error(ErrorKind::invalid, std::string("column '") + schema.name + "' has no 3 buffers");
    validity_ = static_cast<const uint8_t*>(array.buffers[0]);
    offsets_ = array.buffers[1];
    bytes_ = static_cast<const char*>(array.buffers[2]);
  }

  std::string_view at(int64_t row) const {
    if (!offsets_) return {};
    const int64_t i = offset_ + row;
    if (validity_ && !((validity_[i >> 3] >> (i & 7)) & 1)) return {};
    const int64_t begin = start(i), end = start(i + 1);
    if (begin < 0 || end < begin) throw Error(ErrorKind::invalid, "offsets of a column fall");
    return {bytes_ + begin, static_cast<size_t>(end - begin)};
  }

 private:
  int64_t start(int64_t i) const {
    return wide_ ? static_cast<const int64_t*>(offsets_)[i]
                 : static_cast<const int32_t*>(offsets_)[i];
  }
  int64_t offset_ = 0;
  bool wide_ = false;
  const uint8_t* validity_ = nullptr;
  const void* offsets_ = nullptr;
  const char* bytes_ = nullptr;
};

TextColumn column(const ArrowSchema& schema, const ArrowArray& array, const char* name) {
  for (int64_t i = 0; i < schema.n_children; ++i)
    if (std::strcmp(schema.children[i]->name ? schema.children[i]->name : "", name) == 0)
      return {*schema.children[i], *array.children[i], array.offset};
  return {};
}

// What an exported schema or array owns; freed by its release callback.
struct SchemaOwner {
  std::string name = {};
  std::vector<ArrowSchema> children = {};
  std::vector<ArrowSchema*> pointers = {};
};
struct ArrayOwner {
  std::vector<int64_t> offsets = {};
  std::string bytes = {};
  std::vector<double> numbers = {};
  std::vector<uint8_t> bits = {};
  std::vector<const void*> buffers = {};
  std::vector<ArrowArray> children = {};
  std::vector<ArrowArray*> pointers = {};
};

template <class Owner, class Exported>
void release(Exported* exported) {
  auto* owner = static_cast<Owner*>(exported->private_data);
  for (auto& child : owner->children)
    if (child.release) child.release(&child);
  delete owner;
  exported->release = nullptr;
}

ArrowSchema make_schema(const char* format, const char* name, std::vector<ArrowSchema> children) {
  auto owner = std::make_unique<SchemaOwner>();
  owner->name = name;
  owner->children = std::move(children);
  for (ArrowSchema& child : owner->children) owner->pointers.push_back(&child);
  ArrowSchema schema{};
  schema.format = format;
  schema.name = owner->name.c_str();
  schema.n_children = int64_t(owner->children.size());
  schema.children = owner->pointers.data();
  schema.release = release<SchemaOwner, ArrowSchema>;
  schema.private_data = owner.release();
  return schema;
}

ArrowArray make_array(std::unique_ptr<ArrayOwner> owner, int64_t length) {
  for (ArrowArray& child : owner->children) owner->pointers.push_back(&child);
  ArrowArray array{};
  array.length = length;
  array.n_buffers = int64_t(owner->buffers.size());
  array.buffers = owner->buffers.data();
  array.n_children = int64_t(owner->children.size());
  array.children = owner->pointers.data();
  array.release = release<ArrayOwner, ArrowArray>;
  array.private_data = owner.release();
  return array;
}

ArrowArray texts(const std::vector<std::string>& rows) {
  auto owner = std::make_unique<ArrayOwner>();
  owner->offsets.push_back(0);
  for (const std::string& row : rows) {
    owner->bytes += row;
    owner->offsets.push_back(int64_t(owner->bytes.size()));
  }
  owner->buffers = {nullptr, owner->offsets.data(), owner->bytes.data()};
  return make_array(std::move(owner), int64_t(rows.size()));
}

struct Rows {
  explicit Rows(size_t count)
      : id(count),
        text(count),
        language(count),
        scores(count),
        step(count),
        reason(count),
        kept(count, 0),
        value(count, 0) {}
  std::vector<std::string> id, text, language, scores, step, reason;
  std::vector<uint8_t> kept;
  std::vector<double> value;

  void put(helio::data::Document& document) {
    const size_t row = document.order;
    id[row] = std::move(document.id), text[row] = std::move(document.text);
    language[row] = std::move(document.language);
    scores[row] = helio::compact(document.scores);
  }
};

void export_rows(Rows& rows, ArrowSchema* schema, ArrowArray* array) {
  const auto count = int64_t(rows.id.size());
  auto kept = std::make_unique<ArrayOwner>();
  kept->bits.assign(size_t(count + 7) / 8 + 1, 0);
  for (int64_t i = 0; i < count; ++i)
    if (rows.kept[size_t(i)]) kept->bits[size_t(i >> 3)] |= uint8_t(1u << (i & 7));
  kept->buffers = {nullptr, kept->bits.data()};
  auto value = std::make_unique<ArrayOwner>();
  value->numbers = std::move(rows.value);
  value->buffers = {nullptr, value->numbers.data()};

  auto top = std::make_unique<ArrayOwner>();
  top->buffers = {nullptr};
  top->children = {texts(rows.id),
                   texts(rows.text),
                   texts(rows.language),
                   texts(rows.scores),
                   make_array(std::move(kept), count),
                   texts(rows.step),
                   texts(rows.reason),
                   make_array(std::move(value), count)};
  *array = make_array(std::move(top), count);
  *schema = make_schema(
      "+s", "",
      {make_schema("U", "id", {}), make_schema("U", "text", {}), make_schema("U", "language", {}),
       make_schema("U", "scores", {}), make_schema("b", "kept", {}), make_schema("U", "step", {}),
       make_schema("U", "reason", {}), make_schema("g", "value", {})});
}

}  // namespace

extern "C" {

const char* helio_data_version(void) {
  static const std::string version(helio::version());
  return version.c_str();
}

helio_steps* helio_steps_new(const char* steps, char* error, size_t error_size) {
  try {
    auto made = std::make_unique<helio_steps>();
    made->steps = helio::data::read_steps(helio::parse_yaml(steps, "steps"));
    for (const auto& step : made->steps)
      if (step.op->shape == helio::data::Shape::stage)
        throw Error(ErrorKind::invalid, step.name +
                                            " needs all documents at once: run it with "
                                            "helio data run, or let your engine group rows");
    return made.release();
  } catch (const std::exception& problem) {
    tell(problem, error, error_size);
    return nullptr;
  }
}

void helio_steps_free(helio_steps* steps) { delete steps; }

int helio_steps_run(const helio_steps* steps, const struct ArrowSchema* schema,
                    const struct ArrowArray* array, struct ArrowSchema* out_schema,
                    struct ArrowArray* out_array, char* error, size_t error_size) {
  try {
    using namespace helio::data;
    if (std::strcmp(schema->format, "+s") != 0 || schema->n_children != array->n_children)
      throw Error(ErrorKind::invalid, "the batch is no struct array");
    const TextColumn text = column(*schema, *array, "text"), id = column(*schema, *array, "id"),
                     language = column(*schema, *array, "language"),
                     lot = column(*schema, *array, "lot"),
                     partner = column(*schema, *array, "partner");
    std::vector<Document> documents(static_cast<size_t>(array->length));
    for (int64_t row = 0; row < array->length; ++row) {
      Document& document = documents[size_t(row)];
      document.id = id.at(row), document.text = text.at(row), document.language = language.at(row);
      document.lot = lot.at(row), document.partner = partner.at(row);
      document.order = uint64_t(row);
    }
    Rows rows(documents.size());
    ChunkResult result = run_chunk(steps->steps, segments_of(steps->steps).front(), {},
                                   std::move(documents), KeepFigures::none);
    for (Document& document : result.kept) {
      rows.kept[document.order] = 1;
      rows.put(document);
    }
    for (Dropped& dropped : result.dropped) {
      const size_t row = dropped.document.order;
      rows.step[row] = steps->steps[dropped.step].name;
      rows.reason[row] = dropped.verdict.reason;
      rows.value[row] = dropped.verdict.value;
      rows.put(dropped.document);
    }
    export_rows(rows, out_schema, out_array);
    return 0;
  } catch (const std::exception& problem) {
    tell(problem, error, error_size);
    return 1;
  }
}

}  // extern "C"
