// The page's style sheet and its few lines of script, as literals.
#pragma once

#include "report/markup.h"

namespace helio::report {

inline constexpr char kStyleText[] =
#include "report/style.css.inc"
    ;
inline constexpr Trusted kStyle{kStyleText};

// Without it the page is in English until the reader chooses; with it, it begins in the language
// asked for (?lang=ko) or else the browser's, and the document says which it is in.
inline constexpr char kScriptText[] = R"js((function(){
var ko=document.getElementById('lang-ko'),en=document.getElementById('lang-en');
function tell(){document.documentElement.lang=ko.checked?'ko':'en'}
var asked=(/[?&]lang=(en|ko)\b/.exec(location.search)||[])[1]||((navigator.language||'').indexOf('ko')===0?'ko':'en');
(asked==='ko'?ko:en).checked=true;tell();ko.onchange=en.onchange=tell;
})())js";
inline constexpr Trusted kScript{kScriptText};

}  // namespace helio::report
