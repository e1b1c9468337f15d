// Files and errors for the tests of this module.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "../support/temp_dir.h"
#include "checkpoint/safetensors.h"
#include "core/error.h"
#include "core/fs.h"

namespace helio::checkpoint::testing {

inline void write_bytes(const fs::path& path, const std::string& bytes) {
  make_dirs(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A safetensors file from a header written by hand.
inline std::string file_of(const std::string& header, size_t data_bytes) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(uint64_t(header.size()) >> (8 * i));
  return out + header + std::string(data_bytes, 'x');
}

// The whole text of the Error that `body` ends with, or "no error".
inline std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}
inline ErrorKind kind_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.kind();
  }
  throw std::runtime_error("no error");
}

inline void expect_same_tensors(const SafeTensors& got, const SafeTensors& want) {
  ASSERT_EQ(got.tensors().size(), want.tensors().size());
  for (const auto& tensor : want.tensors()) {
    const auto* mine = got.find(tensor.name);
    ASSERT_NE(mine, nullptr) << tensor.name;
    EXPECT_EQ(mine->dtype, tensor.dtype) << tensor.name;
    EXPECT_EQ(mine->shape, tensor.shape) << tensor.name;
    const auto a = got.data(*mine), b = want.data(tensor);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << tensor.name;
  }
}

}  // namespace helio::checkpoint::testing
