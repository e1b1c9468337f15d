#include "eval/endpoint/endpoint_identity.h"

#include "core/hash.h"
#include "eval/endpoint/endpoint_client.h"

namespace helio::eval {

Json listed_model(const Json& models, const std::string& name) {
  const auto data = models.is_object() ? models.find("data") : models.end();
  if (!models.is_object() || data == models.end() || !data->is_array()) return nullptr;
  for (const Json& model : *data)
    if (model.is_object() && model.contains("id") && model["id"] == name) return model;
  return nullptr;
}

std::string endpoint_content(const std::string& url, const std::string& name,
                             const std::string& listed_content) {
  return sha256_hex("endpoint\n" + url + "\n" + name + "\n" + listed_content + "\n");
}

std::optional<std::string> look_at_endpoint(const std::string& model,
                                            const std::string& key_variable) {
  EndpointClient client({.model = model, .key_variable = key_variable, .timeout_s = 10},
                        [] { return false; });
  const auto models = client.look("/v1/models");
  if (!models) return std::nullopt;
  const Json listed = listed_model(*models, client.name());
  const bool says =
      listed.is_object() && listed.contains("content") && listed["content"].is_string();
  return endpoint_content(client.url(), client.name(),
                          says ? listed["content"].get<std::string>() : "");
}

}  // namespace helio::eval
