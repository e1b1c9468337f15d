#include "text/fertility.h"

#include "core/error.h"
#include "text/unicode.h"

namespace helio::text {
namespace {

bool is_kana(char32_t c) { return c >= 0x3041 && c <= 0x30FF; }
bool is_latin(char32_t c) {
  return (c < 0x250 || (c >= 0x1E00 && c <= 0x1EFF) || (c >= 0xFF21 && c <= 0xFF5A)) &&
         is_letter(c);
}

TokenScript script_of(std::string_view bytes) {
  if (!is_valid_utf8(bytes)) return TokenScript::parts;
  bool hangul = false, cjk = false, latin = false, letters = false, digits = false;
  for_each_code_point(bytes, [&](char32_t c, std::string_view) {
    hangul = hangul || is_hangul(c);
    cjk = cjk || is_han(c) || is_kana(c);
    latin = latin || is_latin(c);
    letters = letters || is_letter(c);
    digits = digits || is_number(c);
  });
  if (hangul) return TokenScript::hangul;
  if (cjk) return TokenScript::cjk;
  if (latin) return TokenScript::latin;
  if (letters) return TokenScript::other_letters;
  return digits ? TokenScript::digits : TokenScript::symbols;
}

}  // namespace

void TextSize::add(const TextSize& other) {
  documents += other.documents;
  bytes += other.bytes;
  characters += other.characters;
  words += other.words;
}

void TokenCount::add(const TokenCount& other) {
  tokens += other.tokens;
  parts += other.parts;
  unknown += other.unknown;
}

TextSize size_of(std::string_view document) {
  return {.documents = 1,
          .bytes = int64_t(document.size()),
          .characters = count_code_points(document),
          .words = count_words(document)};
}

const char* name_of(TokenScript script) {
  static constexpr std::array<const char*, kTokenScripts> names = {
      "hangul", "latin", "cjk", "other_letters", "digits", "symbols", "parts", "special", "unused"};
  return names[size_t(script)];
}

TokenCounter::TokenCounter(const Tokenizer& tokenizer, std::optional<TokenId> unknown)
    : tokenizer_(tokenizer), unknown_(unknown) {
  is_part_.resize(size_t(tokenizer.vocab_size()));
  std::vector<bool> special(is_part_.size());
  for (const AddedToken& token : tokenizer.added_tokens())
    if (token.special) special[size_t(token.id)] = true;
  for (size_t id = 0; id < is_part_.size(); ++id) {
    TokenScript script = TokenScript::special;
    if (!special[id]) try {
        script = script_of(tokenizer.token_bytes(TokenId(id)));
      } catch (const Error&) {
        script = TokenScript::unused;  // a gap between the ids
      }
    is_part_[id] = script == TokenScript::parts;
    ++scripts_[size_t(script)];
  }
}

TokenCount TokenCounter::count(std::string_view document) const {
  TokenCount count;
  for (const TokenId id : tokenizer_.encode(document, SpecialTokens::skip)) {
    ++count.tokens;
    count.parts += is_part_[size_t(id)];
    count.unknown += unknown_ == id;
  }
  return count;
}

const std::array<Sample, 3>& fertility_samples() {
  static constexpr std::array<Sample, 3> samples = {{
      {"korean",
       R"(도서관은 아침 아홉 시에 문을 연다. 문 앞에는 벌써 몇 사람이 줄을 서 있었고, 그 가운데 한 아이는 어제 다 읽지 못한 책의 쪽수를 손가락으로 꼽고 있었다.
사서는 열쇠를 돌리며 "오늘은 비가 온다니 오래 있어도 괜찮아요." 하고 말했다. 이층 창가에서는 강이 보인다. 봄이면 둑을 따라 벚꽃이 피고, 가을이면 갈대가 바람에 눕는다.
우리 회사가 만드는 언어 모형은 이런 문장을 읽고 배운다. 2023년 12월에 공개된 첫 판은 매개변수가 107억 개였으며, 학습에는 그래픽 처리 장치 64대를 썼다.
띄어쓰기를 기준으로 자른 토막을 어절이라 부르는데, 한국어에서는 조사와 어미가 붙어 같은 낱말도 여러 꼴로 나타난다. 먹다, 먹었고, 먹으니까, 먹었겠지만!
문의: 서울특별시 마포구 가상로 12길 3, 3층. 전화는 평일 10:00~18:00에 받습니다. 주말에는 쉽니다 ㅠㅠ 감사합니다 ^^
)"},
      {"english",
       R"(The library opens at nine in the morning. A few people were already waiting at the door, and one of them, a child, was counting on her fingers the pages that she had not finished the day before.
"They say it will rain today, so stay as long as you like," said the librarian as he turned the key. From the window on the second floor you can see the river.
A language model learns from sentences like these. The first version, published in December 2023, had 10.7 billion parameters; it was trained on 64 accelerators for about three weeks.
Whatever stands between two spaces is called a word here, although "don't", "state-of-the-art" and "e.g." show how rough that rule is. Prices ran from $3.50 to $1,299.99.
Please write to the address on the back of the card (2nd floor, 12 Imaginary Road). We answer on weekdays, usually within a day or two.
)"},
      {"code",
       R"(#include <vector>

// The k largest values, in falling order; all of them when there are fewer.
template <class T>
std::vector<T> largest(std::vector<T> values, size_t k) {
  k = std::min(k, values.size());
  std::partial_sort(values.begin(), values.begin() + k, values.end(), std::greater<T>());
  values.resize(k);
  return values;
}

def read_rows(path, *, limit=None):
    """Rows of a CSV file as dicts."""
    with open(path, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            if limit is not None and number > limit:
                return
            yield {key.strip().lower(): value for key, value in row.items()}

SELECT city, COUNT(*) AS orders, AVG(price) FROM orders WHERE created_at >= '2024-01-01' GROUP BY city HAVING COUNT(*) > 10;

const total = items.filter((item) => !item.hidden).reduce((sum, { price, count }) => sum + price * count, 0);
)"},
  }};
  return samples;
}

}  // namespace helio::text
