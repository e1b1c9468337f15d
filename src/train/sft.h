// helio sft: supervised fine-tuning of a model on conversations.
#pragma once

#include "core/monitor.h"
#include "train/conversation_rows.h"
#include "train/options.h"
#include "train/run_setup.h"
#include "train/trainer.h"

namespace helio::train {

class SftRun {
 public:
  explicit SftRun(SftOptions options);

  // Hash of everything that decides the result (run_setup.h).
  const std::string& key() const { return setup_.key; }
  OrderedJson plan() const;
  RunSummary run(Monitor& monitor, const StopRequest& stop);

 private:
  SftOptions options_;
  RunSetup setup_;
  checkpoint::DecoderConfig config_;
  std::map<std::string, int64_t> refused_;
  EncodedConversations data_;
  std::string chat_template_;
  TokenId eos_ = -1;  // ends an answer in the template
};

}  // namespace helio::train
