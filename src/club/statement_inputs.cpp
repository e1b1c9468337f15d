#include "club/statement_inputs.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"

namespace helio::club {
namespace {

Error differs(const std::string& message) {
  return Error(ErrorKind::check, message)
      .with_hint("give the dataset, token shards and runs that were made from these lots");
}

// Reads `body` with JSON's own complaints turned into ours.
template <class Body>
decltype(auto) reading(const std::filesystem::path& file, Body&& body) {
  return in_context([&] { return "reading " + file.string(); },
                    [&]() -> decltype(auto) {
                      try {
                        return body();
                      } catch (const Json::exception& error) {
                        throw Error(ErrorKind::invalid,
                                    "'" + file.string() +
                                        "' is not as it should be: " + std::string(error.what()));
                      }
                    });
}

// When `dir`'s manifest names inputs of `from`'s kind, one of them must be `from`.
void check_made_from(const std::filesystem::path& dir, const std::filesystem::path& from) {
  if (!has_manifest(dir) || !has_manifest(from)) return;
  const Manifest made = load_manifest(dir), source = load_manifest(from);
  const auto of_kind = [&](const ArtefactInput& input) { return input.kind == source.kind; };
  if (std::none_of(made.inputs.begin(), made.inputs.end(), of_kind)) return;
  const bool found =
      std::any_of(made.inputs.begin(), made.inputs.end(), [&](const ArtefactInput& input) {
        return of_kind(input) && input.content == source.content;
      });
  if (!found)
    throw differs("'" + dir.string() + "' was not made from '" + from.string() + "' as it is now");
}

// "models/base/" as "models/base".
std::filesystem::path last_folder(const std::filesystem::path& given) {
  const std::filesystem::path path = given.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

class Gatherer {
 public:
  explicit Gatherer(const Roster& roster) {
    for (const LotEntry& lot : roster.lots)
      uses_[lot.info.lot] = {.lot = lot.info.lot,
                             .partner = lot.info.partner,
                             .language = lot.info.language,
                             .licence = lot.info.licence,
                             .documents_in = lot.counts.documents,
                             .words_in = lot.counts.words};
  }

  // The lot a row speaks of; its partner must be the one the lots name.
  LotUse& use(const Json& row) {
    const auto lot = row.at("lot").get<std::string>();
    const auto partner = row.at("partner").get<std::string>();
    const auto found = uses_.find(lot);
    if (found == uses_.end()) throw differs("the lot '" + lot + "' is none of these lots");
    if (found->second.partner != partner)
      throw differs("the lot '" + lot + "' is said to be of '" + partner + "', but '" +
                    found->second.partner + "' gave it");
    return found->second;
  }

  void dataset(const std::filesystem::path& file) {
    reading(file, [&] {
      const Json json = load_json(file);
      for (const Json& row : json.at("lots")) {
        LotUse& lot = use(row);
        const auto came = row.at("documents_in").get<int64_t>();
        if (came != lot.documents_in)
          throw differs("the dataset read " + std::to_string(came) + " documents of the lot '" +
                        lot.lot + "', which has " + std::to_string(lot.documents_in));
        lot.documents_surviving += row.at("documents_out").get<int64_t>();
        lot.words_surviving += row.at("words_out").get<int64_t>();
      }
    });
  }

  int64_t tokens(const std::filesystem::path& file) {
    return reading(file, [&] {
      const Json json = load_json(file);
      for (const Json& row : json.at("lots")) use(row).tokens += row.at("tokens").get<int64_t>();
      return json.at("tokens").get<int64_t>();
    });
  }

  RunUse run(const std::filesystem::path& given) {
    const std::filesystem::path file = find_run_lots(given);
    const std::string name = last_folder(given).filename().string();
    if (!runs_.insert(std::filesystem::weakly_canonical(file)).second)
      throw Error(ErrorKind::invalid, "the run '" + name + "' is given twice")
          .with_hint("a run's folder and the model it made stand for the same tokens");
    return reading(file, [&] {
      const Json json = load_json(file);
      int64_t sum = 0;
      for (const Json& row : json.at("lots")) {
        const auto tokens = row.at("tokens").get<int64_t>();
        use(row).trained += tokens;
        sum += tokens;
      }
      const auto total = json.at("total").get<int64_t>();
      if (sum != total)
        throw Error(ErrorKind::check, "the lots' tokens sum to " + std::to_string(sum) +
                                          ", the run trained on " + std::to_string(total));
      check_against_model(given, json);
      return RunUse{.name = name, .tokens = total};
    });
  }

  void holders(const std::filesystem::path& dataset) {
    for (auto& [lot, weights] : shared_holders(dataset)) {
      const auto found = uses_.find(lot);
      if (found == uses_.end()) throw differs("the lot '" + lot + "' is none of these lots");
      found->second.holders = std::move(weights);
    }
  }

  std::vector<LotUse> lots() {
    std::vector<LotUse> out;
    for (auto& [name, lot] : uses_) out.push_back(std::move(lot));
    return out;
  }

 private:
  // The model's manifest repeats the run's figures; an edited lots.json shows there.
  static void check_against_model(const std::filesystem::path& given, const Json& lots) {
    if (!has_manifest(given)) return;
    const Json facts = load_manifest(given).facts;
    if (facts.contains("tokens_by_lot") && facts.at("tokens_by_lot") != lots.at("lots"))
      throw Error(ErrorKind::check,
                  "its tokens by lot are not those in the manifest of '" + given.string() + "'")
          .with_hint("one of the two was changed after training, or they are of different runs");
  }

  std::map<std::string, LotUse> uses_ = {};
  std::set<std::filesystem::path> runs_ = {};
};

}  // namespace

std::filesystem::path find_run_lots(const std::filesystem::path& given) {
  const std::filesystem::path run = last_folder(given);
  const std::filesystem::path own = run / "lots.json";
  if (std::filesystem::exists(own)) return own;
  const std::filesystem::path beside =
      run.parent_path().parent_path() / "runs" / run.filename() / "lots.json";
  if (std::filesystem::exists(beside)) return beside;
  throw Error(ErrorKind::not_found, "no lots.json in '" + run.string() + "', nor in '" +
                                        beside.parent_path().string() + "'")
      .with_hint(
          "give the folder of a pre-training run (runs/NAME) or of the model it made; only "
          "those count tokens by lot");
}

StatementInputs gather_statement_inputs(const StatementSources& sources, SharedText shared_text) {
  check_made_from(sources.dataset, sources.lots);
  check_made_from(sources.tokens, sources.dataset);
  StatementInputs inputs{.shared_text = shared_text};
  Gatherer gatherer(load_roster(sources.lots));
  gatherer.dataset(sources.dataset / "dataset.json");
  inputs.tokens_total = gatherer.tokens(sources.tokens / "tokens.json");
  for (const auto& run : sources.runs) {
    check_made_from(run, sources.tokens);
    inputs.runs.push_back(gatherer.run(run));
  }
  if (shared_text == SharedText::split) gatherer.holders(sources.dataset);
  inputs.lots = gatherer.lots();
  return inputs;
}

}  // namespace helio::club
