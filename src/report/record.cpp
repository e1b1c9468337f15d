#include "report/record.h"

#include <cmath>

#include "core/error.h"

namespace helio::report {

const Json* Record::find(const char* key) const {
  if (!json_->is_object()) return nullptr;
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

bool Record::has(const char* key) const { return find(key) != nullptr; }

void Record::damaged(const char* key, const char* expected) const {
  throw Error(ErrorKind::invalid, source_ + ": '" + key + "' must be " + expected)
      .with_hint("the file is damaged or of another version; make it again");
}

std::optional<double> Record::number(const char* key) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) damaged(key, "a number");
  return value->get<double>();
}

std::optional<int64_t> Record::count(const char* key) const {
  const Json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) damaged(key, "a whole number");
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX))
    damaged(key, "a number below 2^63");
  if (!value->is_number_float()) return value->get<int64_t>();
  const double number = value->get<double>();
  if (number != std::floor(number) || std::abs(number) > 9e15) damaged(key, "a whole number");
  return static_cast<int64_t>(number);
}

std::string Record::text(const char* key) const {
  const Json* value = find(key);
  if (!value) return {};
  if (!value->is_string()) damaged(key, "a text");
  return value->get<std::string>();
}

void Record::each_member(const char* key,
                         const std::function<void(const std::string&, const Json&)>& member) const {
  const Json* value = find(key);
  if (!value) return;
  if (!value->is_object()) damaged(key, "an object");
  for (const auto& [name, one] : value->items()) member(name, one);
}

void Record::each_row(const char* key, const std::function<void(const Record&)>& row) const {
  const Json* value = find(key);
  if (!value) return;
  if (!value->is_array()) damaged(key, "a list");
  for (size_t i = 0; i < value->size(); ++i) {
    const Record record((*value)[i], source_ + ": " + key + "[" + std::to_string(i) + "]");
    if (!record.json().is_object())
      throw Error(ErrorKind::invalid, record.source() + " must be an object")
          .with_hint("the file is damaged or of another version; make it again");
    row(record);
  }
}

Record Record::below(const char* key) const {
  static const Json nothing = Json::object();
  const Json* value = find(key);
  if (!value) return {nothing, source_ + ": " + key};
  if (!value->is_object()) damaged(key, "an object");
  return {*value, source_ + ": " + key};
}

Json load_object(const std::filesystem::path& path) {
  Json json = load_json(path);
  if (!json.is_object())
    throw Error(ErrorKind::invalid, path.string() + ": must hold a JSON object")
        .with_hint("the file is damaged; make it again");
  return json;
}

}  // namespace helio::report
