// Writes three steps of metrics for tests/peers/test_tensorboard.py.
#include "core/metrics.h"

int main(int, char** argv) {
  helio::MetricsWriter metrics(argv[1], 0);
  for (int step = 1; step <= 3; ++step)
    metrics.write(step, {{"loss", 10.0 / step}, {"rewards/margins", -0.125 * step}});
}
