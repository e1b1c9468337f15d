# What Debian 12 carries. tools/system_packages.txt lists the packages; ./quickstart installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(GUMBO REQUIRED IMPORTED_TARGET gumbo)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.81 REQUIRED)  # headers only: Asio and Beast

add_library(helio_deps_core INTERFACE)
target_link_libraries(helio_deps_core INTERFACE
  fmt::fmt nlohmann_json::nlohmann_json yaml-cpp ZLIB::ZLIB PkgConfig::ZSTD PkgConfig::XXHASH
  OpenSSL::Crypto Threads::Threads)
add_library(helio_deps_text INTERFACE)
target_link_libraries(helio_deps_text INTERFACE
  PkgConfig::UTF8PROC PkgConfig::PCRE2 PkgConfig::GUMBO simdjson::simdjson)
add_library(helio_deps_data INTERFACE)
target_link_libraries(helio_deps_data INTERFACE BZip2::BZip2 LibLZMA::LibLZMA)
