# One static library per line of layers.txt; what it may include is what it links.
file(STRINGS ${CMAKE_SOURCE_DIR}/layers.txt layer_lines REGEX "^[a-z]+ *:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/layers.txt)
foreach(line IN LISTS layer_lines)
  string(REGEX MATCH "^([a-z]+) *:(.*)$" _ "${line}")
  set(module ${CMAKE_MATCH_1})
  string(REGEX REPLACE "#.*" "" deps "${CMAKE_MATCH_2}")
  separate_arguments(deps)
  list(REMOVE_ITEM deps torch)
  set(HELIO_LAYER_${module} ${deps})
  list(APPEND HELIO_MODULES ${module})
endforeach()

# Modules whose headers torch-free code may use but whose library needs LibTorch: including
# train/options.h from jobs must not link LibTorch into helio. columnar is a module loaded at run time
# (cmake/arrow.cmake): its header is all that others see of it.
set(HELIO_HEADER_ONLY_FOR_OTHERS nn model train columnar)

# helio_module(name [LINK targets...]): src/<name>/**.cpp but main.cpp, commands/, ops/, families/.
function(helio_module name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/src/${name}/(main\\.cpp|commands/|ops/|families/)")
  add_library(helio_${name} STATIC ${sources})
  if(NOT sources)
    set_target_properties(helio_${name} PROPERTIES LINKER_LANGUAGE CXX)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen/empty_${name}.cpp CONTENT "namespace helio {}\n")
    target_sources(helio_${name} PRIVATE ${CMAKE_BINARY_DIR}/gen/empty_${name}.cpp)
  endif()
  set(torch_side nn model train engine)
  foreach(dep IN LISTS HELIO_LAYER_${name})
    if(dep IN_LIST HELIO_HEADER_ONLY_FOR_OTHERS AND NOT name IN_LIST torch_side)
      continue()
    endif()
    target_link_libraries(helio_${name} PUBLIC helio_${dep})
  endforeach()
  target_link_libraries(helio_${name} PUBLIC ${arg_LINK})
endfunction()

# libhelio_data.so: the operators behind a C interface (src/abi/helio_data.h), and nothing else visible.
function(helio_data_library)
  add_library(helio_data_abi SHARED ${CMAKE_SOURCE_DIR}/src/abi/helio_data.cpp)
  set_target_properties(helio_data_abi PROPERTIES OUTPUT_NAME helio_data
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/src/abi/exports.map)
  target_link_options(helio_data_abi PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/src/abi/exports.map)
  target_link_libraries(helio_data_abi PRIVATE helio_data helio_code_version)
endfunction()

function(helio_program name main)
  add_executable(${name} ${main})
endfunction()
