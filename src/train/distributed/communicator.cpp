// The one file that sees c10d. ProcessGroupGloo is in libtorch_cpu.so; its header asks for Gloo's,
// which the wheel does not carry: gloo/ beside this file declares what it needs of them.
#define USE_C10D_GLOO
#include "train/distributed/communicator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/error.h"

namespace helio::train::distributed {
namespace {

constexpr std::chrono::minutes kMeeting{5}, kCollective{30};
constexpr std::chrono::seconds kOthersFirst{1};
constexpr int64_t kShortText = 4096;  // bytes: sent at once, its length included

// What went wrong, without the place in Gloo's sources before it and the advice after it.
std::string reason(const std::exception& error) {
  std::string text = error.what();
  text.resize(std::min({text.size(), text.find('\n'), text.find(". ")}));
  const size_t place = text.starts_with('[') ? text.find("] ") : std::string::npos;
  return place == std::string::npos ? text : text.substr(place + 2);
}

std::shared_ptr<::gloo::transport::Device> device_of(const Placement& placement) {
  using c10d::ProcessGroupGloo;
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME"); interface && *interface)
    return ProcessGroupGloo::createDeviceForInterface(interface);
  if (placement.local_size == placement.size)
    return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

struct Communicator::Backend {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group;
};

Communicator::Communicator(const Placement& placement)
    : placement_(placement), backend_(std::make_unique<Backend>()) {
  try {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(placement.port);
    options.isServer = placement.leads() && !placement.store_is_launchers;
    if (!placement.store_is_launchers) options.numWorkers = static_cast<size_t>(placement.size);
    options.waitWorkers = false;
    options.timeout = kMeeting;
    backend_->store = c10::make_intrusive<c10d::PrefixStore>(
        placement.prefix, c10::make_intrusive<c10d::TCPStore>(placement.address, options));
    const auto gloo = c10d::ProcessGroupGloo::Options::create(kCollective);
    gloo->devices.push_back(device_of(placement));
    gloo->threads = 2;
    backend_->group = c10::make_intrusive<c10d::ProcessGroupGloo>(
        backend_->store, static_cast<int>(placement.rank), static_cast<int>(placement.size), gloo);
    barrier();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(
        ErrorKind::failed,
        fmt::format("rank {} of {} does not reach the others through {}:{}: {}", placement.rank,
                    placement.size, placement.address, placement.port, reason(error)))
        .with_hint("is rank 0 there, and the port free? GLOO_SOCKET_IFNAME chooses a network");
  }
}

Communicator::~Communicator() = default;

Communicator::Pending Communicator::pending(const std::function<std::function<void()>()>& begin,
                                            std::string doing) {
  const auto guarded = [rank = rank(), size = size(), doing](const std::function<void()>& body) {
    try {
      body();
    } catch (const std::exception& error) {
      const std::string why = reason(error);
      std::this_thread::sleep_for(kOthersFirst);
      throw Error(ErrorKind::failed,
                  fmt::format("another process of this run ended or cannot be reached (rank {} of "
                              "{}, {}): {}",
                              rank, size, doing, why))
          .with_hint("the last checkpoint stays: start all of them again with --resume");
    }
  };
  std::function<void()> wait;
  guarded([&] { wait = begin(); });
  return [guarded, wait = std::move(wait)] { guarded(wait); };
}

Communicator::Pending Communicator::begin_sum(const at::Tensor& tensor) {
  return pending(
      [&] {
        std::vector<at::Tensor> tensors{tensor};
        return [work = backend_->group->allreduce(tensors)] { work->wait(); };
      },
      "adding up");
}

Communicator::Pending Communicator::begin_sum_at(const at::Tensor& tensor, int64_t root) {
  return pending(
      [&] {
        std::vector<at::Tensor> tensors{tensor};
        c10d::ReduceOptions options;
        options.rootRank = root;
        return [work = backend_->group->reduce(tensors, options)] { work->wait(); };
      },
      "adding up");
}

Communicator::Pending Communicator::begin_broadcast(const at::Tensor& tensor, int64_t root) {
  return pending(
      [&] {
        std::vector<at::Tensor> tensors{tensor};
        c10d::BroadcastOptions options;
        options.rootRank = root;
        return [work = backend_->group->broadcast(tensors, options)] { work->wait(); };
      },
      "sending weights");
}

std::vector<std::string> Communicator::gather(const std::string& text) {
  const c10::AutoGradMode no_grad(false);
  const auto bytes = at::TensorOptions(at::kByte);
  const auto exchange = [&](at::Tensor mine) {
    std::vector<std::vector<at::Tensor>> all(1);
    for (int64_t r = 0; r < size(); ++r) all[0].push_back(at::empty(mine.sizes(), bytes));
    std::vector<at::Tensor> one{std::move(mine)};
    pending([&] { return [work = backend_->group->allgather(all, one)] { work->wait(); }; },
            "exchanging figures")();
    return std::move(all[0]);
  };
  // The length, then what fits; what is longer goes again as a whole.
  constexpr auto kRoom = kShortText - static_cast<int64_t>(sizeof(int64_t));
  const auto length = static_cast<int64_t>(text.size());
  at::Tensor head = at::zeros({kShortText}, bytes);
  std::memcpy(head.mutable_data_ptr<uint8_t>(), &length, sizeof length);
  std::memcpy(head.mutable_data_ptr<uint8_t>() + sizeof length, text.data(),
              static_cast<size_t>(std::min(length, kRoom)));
  auto parts = exchange(head);
  std::vector<int64_t> lengths;
  for (const at::Tensor& part : parts) {
    lengths.push_back(0);
    std::memcpy(&lengths.back(), part.const_data_ptr<uint8_t>(), sizeof(int64_t));
  }
  size_t skip = sizeof(int64_t);
  if (const int64_t longest = *std::max_element(lengths.begin(), lengths.end()); longest > kRoom) {
    at::Tensor whole = at::zeros({longest}, bytes);
    std::memcpy(whole.mutable_data_ptr<uint8_t>(), text.data(), text.size());
    parts = exchange(whole);
    skip = 0;
  }
  std::vector<std::string> texts;
  for (size_t r = 0; r < parts.size(); ++r)
    texts.emplace_back(reinterpret_cast<const char*>(parts[r].const_data_ptr<uint8_t>()) + skip,
                       static_cast<size_t>(lengths[r]));
  return texts;
}

void Communicator::barrier() {
  pending([&] { return [work = backend_->group->barrier()] { work->wait(); }; }, "waiting")();
}

}  // namespace helio::train::distributed
