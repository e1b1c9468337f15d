// Writes three steps of metrics and two samples of text for tests/peers/test_tensorboard.py.
#include "core/metrics.h"

int main(int, char** argv) {
  helio::MetricsWriter metrics(argv[1], 0);
  for (int step = 1; step <= 3; ++step)
    metrics.write(step, {{"loss", 10.0 / step}, {"rewards/margins", -0.125 * step}});
  metrics.write(
      3, std::vector<helio::TextSample>{{"Once upon", " a time\nthere"}, {"옛날", " 옛적에"}});
}
