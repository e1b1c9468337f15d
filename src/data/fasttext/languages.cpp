#include "data/fasttext/languages.h"

namespace helio::data::fasttext {
namespace {

// ISO 639-3 and 639-1 side by side, for all languages that have both and, where models name the
// members of a group apart (Mandarin, Standard Arabic), for the commonest member.
constexpr std::string_view kCodes =
    "aaraa abkab afraf akaak amham araar arbar argan asmas avaav aveae aymay azeaz azjaz "
    "bakba bambm belbe benbn bisbi bodbo bosbs brebr bulbg catca cescs chach chece chucu chvcv "
    "cmnzh corkw cosco crecr cymcy danda deude divdv dzodz ellel engen epoeo estet euseu eweee "
    "faofo fasfa pesfa fijfj finfi frafr fryfy fulff glagd glega glggl glvgv grngn gujgu hatht "
    "hauha hebhe herhz hinhi hmoho hrvhr hunhu hyehy iboig idoio iiiii ikuiu ileie inaia indid "
    "ipkik islis itait javjv jpnja kalkl kankn kasks katka kaukr kazkk khmkm kikki kinrw kirky "
    "komkv konkg korko kuakj kurku laolo latla lavlv lvslv limli linln litlt ltzlb lublu luglg "
    "malml marmr mkdmk mltmt monmn khkmn mrimi msams zsmms myamy nauna navnv nblnr ndend ndong "
    "nepne npine nldnl nnonn nobnb norno nyany ocioc ojioj orior oryor ormom ossos panpa plipi "
    "polpl porpt pusps pbtps quequ rohrm ronro runrn rusru sagsg sansa sinsi slksk slvsl smese "
    "smosm snasn sndsd somso sotst spaes sqisq alssq srdsc srpsr sswss sunsu swesv swasw swhsw "
    "tahty tamta tattt telte tgktg tgltl thath tirti tonto tsntn tsots tuktk turtr twitw uigug "
    "ukruk urdur uzbuz uznuz venve vievi volvo wlnwa wolwo xhoxh yidyi ydiyi yoryo zhaza zhozh "
    "zulzu";

}  // namespace

std::string language_code(std::string_view label) {
  const std::string_view code = label.substr(0, label.find_first_of("_-"));
  if (code.size() != 3) return std::string(code);
  for (size_t at = 0; at + 5 <= kCodes.size(); at += 6)
    if (kCodes.substr(at, 3) == code) return std::string(kCodes.substr(at + 3, 2));
  return std::string(code);
}

}  // namespace helio::data::fasttext
