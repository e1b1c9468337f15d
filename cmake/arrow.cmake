# libhelio_columnar.so: all that uses Arrow, loaded by data/read/columnar.cpp when a file asks for it,
# so that helio starts without Arrow. Arrow comes from the pyarrow wheel (tools/get_libarrow puts it
# there). Only libarrow and libparquet are linked: libarrow_compute carries an RE2 of its own that
# would replace the system's.
set(HELIO_ARROW_DIR "$ENV{HELIO_ARROW_DIR}" CACHE PATH "Folder with libarrow.so.* and include inside (a pyarrow package)")
if(NOT HELIO_ARROW_DIR)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME})
  else()
    set(cache $ENV{HOME}/.cache)
  endif()
  file(GLOB found ${cache}/heliostack/libarrow-*/pyarrow)
  list(SORT found COMPARE NATURAL ORDER DESCENDING)
  list(GET found 0 HELIO_ARROW_DIR)
endif()
file(GLOB arrow_library ${HELIO_ARROW_DIR}/libarrow.so.*)
file(GLOB parquet_library ${HELIO_ARROW_DIR}/libparquet.so.*)
if(NOT arrow_library OR NOT parquet_library)
  message(FATAL_ERROR "Arrow is not here. Run tools/get_libarrow, set HELIO_ARROW_DIR to an installed "
    "pyarrow package, or configure with -DHELIO_ARROW=OFF for a helio without Parquet, Arrow and S3.")
endif()
message(STATUS "Arrow: ${HELIO_ARROW_DIR}")
file(GLOB columnar_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/columnar/*.cpp)
add_library(helio_columnar_so MODULE ${columnar_sources})
set_target_properties(helio_columnar_so PROPERTIES OUTPUT_NAME helio_columnar
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
target_include_directories(helio_columnar_so SYSTEM PRIVATE ${HELIO_ARROW_DIR}/include)
target_link_libraries(helio_columnar_so PRIVATE helio_core ${parquet_library} ${arrow_library} ${CMAKE_DL_LIBS})
# Its own copy of helio_core stays inside; what it throws is caught by name.
target_link_options(helio_columnar_so PRIVATE -Wl,--as-needed -Wl,--exclude-libs,ALL
  -Wl,--disable-new-dtags -Wl,-rpath,${HELIO_ARROW_DIR})
add_dependencies(helio_data helio_columnar_so)
