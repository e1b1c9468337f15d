// Stand-ins for personal data that keep its form: the same value gets the same stand-in wherever it
// stands, for one key.
//
// A stand-in can be nobody's. Numbers with a check digit get a wrong one (resident, card, business,
// corporate), others lie where none are given out (telephone exchanges that begin with 0, regions
// that do not exist, addresses reserved for documentation, domains reserved by RFC 2606).
#pragma once

#include "data/pii/pii.h"

namespace helio::data {

// Deterministic: SHA-256 over the key, the kind and the value without its separators decides. A key
// that is not known outside keeps others from trying values until one fits.
std::string surrogate(Pii kind, std::string_view value, std::string_view key);

// Letters, digits and Hangul become '*', the rest stays; the last `keep_last` of them stay as well.
std::string starred(std::string_view value, size_t keep_last = 0);

}  // namespace helio::data
