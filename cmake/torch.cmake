# LibTorch from the PyPI wheel (tools/get_libtorch puts it there), linked directly: the wheel's own
# CMake package insists on a CUDA toolkit. Versions 2.11 to 2.15.
set(HELIO_TORCH_DIR "$ENV{HELIO_TORCH_DIR}" CACHE PATH "Folder with torch/lib and torch/include inside, or an installed torch package")
if(NOT HELIO_TORCH_DIR)
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME})
  else()
    set(cache $ENV{HOME}/.cache)
  endif()
  file(GLOB found ${cache}/heliostack/libtorch-*/torch)
  list(SORT found COMPARE NATURAL ORDER DESCENDING)
  list(GET found 0 HELIO_TORCH_DIR)
endif()
if(EXISTS ${HELIO_TORCH_DIR}/torch/lib/libtorch_cpu.so)
  set(HELIO_TORCH_DIR ${HELIO_TORCH_DIR}/torch)
endif()
if(NOT EXISTS ${HELIO_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch is not here. Run tools/get_libtorch, set HELIO_TORCH_DIR to an "
    "installed torch package, or configure with -DHELIO_TORCH=OFF for helio without the engine.")
endif()
message(STATUS "LibTorch: ${HELIO_TORCH_DIR}")
set(torch_cuda_libs ${HELIO_TORCH_DIR}/../nvidia/cu13/lib)

add_library(helio_torch INTERFACE)
target_include_directories(helio_torch SYSTEM INTERFACE
  ${HELIO_TORCH_DIR}/include ${HELIO_TORCH_DIR}/include/torch/csrc/api/include)
# The wheel's include folder carries a newer fmt than the system's and comes first; used header-only
# (its inline namespace keeps it apart from the system's in the torch-free libraries).
target_compile_definitions(helio_torch INTERFACE AT_PER_OPERATOR_HEADERS FMT_HEADER_ONLY=1)
target_link_libraries(helio_torch INTERFACE
  ${HELIO_TORCH_DIR}/lib/libtorch_cpu.so ${HELIO_TORCH_DIR}/lib/libc10.so)
# DT_RPATH, unlike DT_RUNPATH, also serves libtorch_cpu.so's own needs: no LD_LIBRARY_PATH.
target_link_options(helio_torch INTERFACE
  -Wl,--disable-new-dtags -Wl,-rpath,${HELIO_TORCH_DIR}/lib -Wl,-rpath,${torch_cuda_libs}
  -Wl,-rpath-link,${torch_cuda_libs} -Wl,-rpath-link,${HELIO_TORCH_DIR}/lib)
