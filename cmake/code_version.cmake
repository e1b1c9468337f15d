# code_hash("train") is the hash of the sources of that module and of all it stands on: a stage runs
# again when its code changed, and only then. Computed at build time, rewritten only on change.
add_custom_target(helio_code_version_gen
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -DOUT=${CMAKE_BINARY_DIR}/gen/code_version.cpp
          -DVERSION=${HELIO_VERSION} -P ${CMAKE_SOURCE_DIR}/cmake/write_code_version.cmake
  BYPRODUCTS ${CMAKE_BINARY_DIR}/gen/code_version.cpp
  COMMENT "Hashing module sources")
add_library(helio_code_version STATIC ${CMAKE_BINARY_DIR}/gen/code_version.cpp)
add_dependencies(helio_code_version helio_code_version_gen)
# core declares what is generated here, and this uses core's errors: a cycle of static libraries.
target_link_libraries(helio_core PUBLIC helio_code_version)
target_link_libraries(helio_code_version PRIVATE helio_core)
