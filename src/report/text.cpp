#include "report/text.h"

#include <map>

#include "core/error.h"

namespace helio::report {
namespace {

// Sentences of the page, by section. tests/unit/report checks that each has both languages and the
// same places, and that each is used.
const std::vector<Message> kMessages = {
    {"page.report", "Run report", "실행 보고서"},
    {"page.language", "Language of this page", "페이지 언어"},
    {"page.sections", "Sections", "차례"},
    {"page.skip", "Skip to the numbers", "본문으로 건너뛰기"},
    {"page.not_run", "not run", "실행하지 않음"},
    {"page.nothing", "Not run in this workspace.", "이 작업 공간에서는 실행하지 않았습니다."},
    {"page.foot",
     "Written by helio {0} from the files of the workspace alone. One file, no network, no script "
     "from outside. "
     "“—” means not run or not known; it never stands for zero.",
     "helio {0}이(가) 작업 공간의 파일만으로 만든 보고서입니다. 파일 하나로 완결되며 네트워크나 "
     "외부 스크립트를 쓰지 않습니다. "
     "‘—’는 실행하지 않았거나 알 수 없다는 뜻이며 0을 뜻하지 않습니다."},
    {"page.numbers", "The numbers as a table", "수치를 표로 보기"},
    {"page.other", "other", "기타"},

    {"head.time", "Time of all stages", "전체 단계 시간"},
    {"head.machine", "Machine", "실행 환경"},
    {"head.stages", "Stages", "단계"},
    {"head.version", "helio", "helio"},
    {"head.documents", "Documents kept", "남은 문서"},
    {"head.documents_of", "of {0} that came in ({1})", "들어온 {0}건 가운데 ({1})"},
    {"head.tokens", "Tokens trained on", "학습한 토큰"},
    {"head.tokens_sub", "pre-training {0} · continued {1}", "사전학습 {0} · 추가 사전학습 {1}"},
    {"head.tokens_runs", "in pre-training", "사전학습에서"},
    {"head.parameters", "Parameters", "매개변수"},
    {"head.parameters_sub", "{0} before depth up-scaling", "심층 확장 전 {0}"},
    {"head.loss", "Held-out loss, recovered", "회복 후 검증 손실"},
    {"head.loss_sub", "base {0} → right after DUS {1}", "기반 {0} → DUS 직후 {1}"},
    {"head.preference", "Held-out preference", "검증 선호"},
    {"head.preference_alone", "Held-out preference, model alone", "검증 선호, 모델 단독"},
    {"head.preference_against", "Held-out preference, against the reference",
     "검증 선호, 참조 모델 대비"},
    {"head.preference_sub", "95% interval {0} to {1} · {2} pairs · chance 50%",
     "95% 구간 {0}–{1} · {2}쌍 · 무작위 50%"},
    {"head.preference_both",
     "against its reference {0} · alone 95% interval {1} to {2} · {3} pairs",
     "참조 모델 대비 {0} · 단독 95% 구간 {1}–{2} · {3}쌍"},
    {"head.bits", "Bits per byte, {0}", "바이트당 비트, {0}"},
    {"head.bits_sub", "base {0} · lower is better", "기반 {0} · 낮을수록 좋음"},
    {"head.partners", "Partners' lots", "파트너 데이터 묶음"},
    {"head.partners_sub", "from {0} partners", "파트너 {0}곳"},

    {"pipeline.title", "Pipeline", "파이프라인"},
    {"pipeline.lead",
     "Every stage in the order it runs. Time and memory are those of the run that made the result.",
     "실행 순서대로 나열한 단계입니다. 시간과 메모리는 해당 결과를 만든 실행의 값입니다."},
    {"pipeline.share", "Share of the total time by stage", "단계별 시간 비중"},
    {"pipeline.time", "time", "시간"},
    {"pipeline.memory", "peak memory", "최대 메모리"},
    {"status.up_to_date", "up to date", "최신"},
    {"status.stale", "out of date", "갱신 필요"},
    {"status.unfinished", "unfinished", "미완료"},
    {"status.not_run", "not run", "실행 전"},

    {"fact.lots", "lots", "묶음"},
    {"fact.partners", "partners", "파트너"},
    {"fact.documents", "documents", "문서"},
    {"fact.in", "documents in", "입력 문서"},
    {"fact.kept", "kept", "남음"},
    {"fact.dropped", "dropped", "제외"},
    {"fact.vocabulary", "vocabulary", "어휘"},
    {"fact.tokens", "tokens", "토큰"},
    {"fact.parameters", "parameters", "매개변수"},
    {"fact.layers", "layers", "층"},
    {"fact.steps", "steps", "스텝"},
    {"fact.loss", "training loss", "학습 손실"},
    {"fact.heldout", "held-out loss", "검증 손실"},
    {"fact.margin", "last margin", "마지막 마진"},
    {"fact.accuracy", "held-out accuracy", "검증 정확도"},
    {"fact.models", "models", "모델"},
    {"fact.tasks", "tasks run", "실행한 과제"},
    {"fact.pool", "pool", "분배 총액"},

    {"data.title", "Data", "데이터"},
    {"data.lead",
     "What came in, what each step took away and why. Nothing is dropped without a reason.",
     "들어온 문서와 각 단계에서 빠진 문서, 그 이유입니다. 이유 없이 빠진 문서는 없습니다."},
    {"data.funnel", "Documents left after each step", "단계별로 남은 문서 수"},
    {"data.step", "step", "단계"},
    {"data.documents", "documents", "문서"},
    {"data.left", "left", "남음"},
    {"data.dropped", "dropped", "제외"},
    {"data.changed", "changed", "수정"},
    {"data.why", "why", "이유"},
    {"data.came_in", "came in", "입력"},
    {"data.lots", "By lot", "묶음별"},
    {"data.lot", "lot", "묶음"},
    {"data.partner", "partner", "파트너"},
    {"data.language", "language", "언어"},
    {"data.licence", "license", "라이선스"},
    {"data.documents_in", "documents in", "입력 문서"},
    {"data.documents_out", "kept", "남은 문서"},
    {"data.words_in", "words in", "입력 어절"},
    {"data.words_out", "words kept", "남은 어절"},
    {"data.share", "share kept", "남은 비율"},
    {"data.main_reason", "mostly dropped for", "주된 제외 이유"},
    {"data.languages", "Languages of what is kept", "남은 문서의 언어"},
    {"data.pii", "Personal data masked", "가린 개인정보"},
    {"data.pii_none", "none found", "발견되지 않음"},
    {"data.duplicates", "Duplicate clusters", "중복 군집"},
    {"data.splits", "Splits", "분할"},
    {"data.split_row", "{0} documents · {1} words · {2}", "문서 {0} · 어절 {1} · {2}"},
    {"data.total", "all lots", "전체"},

    {"dataset.eyebrow", "Dataset report", "데이터셋 보고서"},
    {"dataset.about", "What came in, what each step dropped and why, and what is left.",
     "들어온 문서, 단계마다 제외한 문서와 그 이유, 그리고 남은 문서입니다."},
    {"dataset.kept", "Documents kept", "남은 문서"},
    {"dataset.kept_of", "of {0} that came in ({1})", "들어온 {0}건 가운데 ({1})"},
    {"dataset.words", "Words kept", "남은 어절"},
    {"dataset.words_of", "of {0} ({1})", "{0} 가운데 ({1})"},
    {"dataset.bytes", "Bytes kept", "남은 용량"},
    {"dataset.bytes_of", "of {0} as given", "받은 {0} 가운데"},
    {"dataset.gone", "Duplicates dropped", "제외한 중복 문서"},
    {"dataset.gone_of", "in {0} clusters", "군집 {0}개"},
    {"dataset.checks", "Figures and limits", "측정값과 기준"},
    {"dataset.checks_lead",
     "Each panel counts the documents that reached the step, by what the step measured. Dashed: "
     "the "
     "limit. Documents in the other color are beyond it and were dropped.",
     "단계에 들어온 문서를 측정값에 따라 센 그림입니다. 점선은 기준이며, 다른 색은 기준을 벗어나 "
     "제외한 문서입니다."},
    {"dataset.no_figures", "No figures were kept with this dataset.",
     "이 데이터셋에는 측정값이 없습니다."},
    {"dataset.spread", "median {0} · from {1} to {2} · {3} documents",
     "중앙값 {0} · 최소 {1}, 최대 {2} · 문서 {3}"},
    {"dataset.dropped_here", "{0} of {1} dropped", "{1} 가운데 {0} 제외"},
    {"dataset.switched_off", "no limit", "기준 없음"},
    {"dataset.samples", "Samples of what was dropped", "제외한 문서의 예"},
    {"dataset.samples_lead",
     "Documents drawn by a hash of their ids. Of each, at most its first {0} characters are "
     "quoted.",
     "문서 아이디의 해시로 뽑은 예입니다. 각 문서의 앞 {0}자까지만 인용합니다."},
    {"dataset.samples_none", "This report quotes no texts.",
     "이 보고서는 원문을 인용하지 않습니다."},
    {"dataset.reason_count", "{0} documents · {1} words · {2}", "문서 {0} · 어절 {1} · {2}"},
    {"dataset.partners", "By partner", "파트너별"},
    {"dataset.partners_lead",
     "What each partner gave, what is left of it, and what the rest was dropped for.",
     "파트너가 준 데이터와 남은 데이터, 나머지를 제외한 이유입니다."},
    {"dataset.lots_count", "lots", "묶음 수"},
    {"dataset.bytes_in", "bytes in", "입력 용량"},
    {"dataset.bytes_out", "bytes kept", "남은 용량"},
    {"dataset.duplicates", "Duplicates", "중복"},
    {"dataset.duplicates_lead",
     "Documents that are copies of one another. One of each cluster stays, the others were "
     "dropped.",
     "서로 같거나 거의 같은 문서입니다. 군집마다 하나만 남기고 나머지는 제외했습니다."},
    {"dataset.no_duplicates", "No step of this pipeline found duplicates.",
     "이 파이프라인에서 찾은 중복이 없습니다."},
    {"dataset.sizes", "Clusters by how many documents they have", "문서 수에 따른 군집"},
    {"dataset.by_step", "Found by", "찾은 단계"},
    {"dataset.clusters", "clusters", "군집"},
    {"dataset.overlap", "Copies dropped, by who gave them and whose copy stayed",
     "제외한 중복: 준 파트너와 남은 사본의 파트너"},
    {"dataset.stays", "copy that stays ↓ · dropped →", "남은 사본 ↓ · 제외 →"},
    {"dataset.largest", "Largest clusters", "가장 큰 군집"},
    {"dataset.first", "copy that stays", "남은 사본"},
    {"dataset.members", "documents", "문서"},
    {"dataset.partner_count", "partners", "파트너 수"},
    {"dataset.figure", "figure {0}", "측정값 {0}"},
    {"dataset.foot",
     "Written by helio {0} from the dataset alone. One file, no network, no script from outside.",
     "helio {0}이(가) 데이터셋만으로 만든 보고서입니다. 파일 하나로 완결되며 네트워크나 외부 "
     "스크립트를 쓰지 않습니다."},

    {"loss.title", "Training", "학습"},
    {"loss.lead",
     "Loss in nats per token. The line is the training loss of each logged step, the dots the loss "
     "on held-out documents.",
     "토큰당 손실(nat)입니다. 선은 기록된 스텝의 학습 손실, 점은 검증 문서에서 잰 손실입니다."},
    {"loss.chain", "Pre-training{0}", "사전학습{0}"},
    {"loss.chain_dus", ", depth up-scaling, continued pre-training", ", 심층 확장, 추가 사전학습"},
    {"loss.chain_continued", ", continued", ", 추가 사전학습"},
    {"loss.sft", "Instruction tuning", "지시 학습"},
    {"loss.step", "optimizer step", "최적화 스텝"},
    {"loss.loss", "loss", "손실"},
    {"loss.lr", "learning rate", "학습률"},
    {"loss.training", "training", "학습"},
    {"loss.heldout", "held out", "검증"},
    {"loss.run", "run", "실행"},
    {"loss.steps", "steps", "스텝"},
    {"loss.tokens", "tokens", "토큰"},
    {"loss.first", "first loss", "처음 손실"},
    {"loss.last", "last loss", "마지막 손실"},
    {"loss.heldout_first", "held out, start", "검증, 시작"},
    {"loss.heldout_last", "held out, end", "검증, 끝"},

    {"dus.title", "Depth up-scaling", "심층 확장 (DUS)"},
    {"dus.lead",
     "Two copies of the base model, the last {0} layers taken off the first and the first {0} off "
     "the second, put on top of each other.",
     "기반 모델을 둘로 복사해 첫 번째의 마지막 {0}개 층과 두 번째의 처음 {0}개 층을 떼어 내고 이어 "
     "붙였습니다."},
    {"dus.lead_one",
     "Two copies of the base model, the last layer taken off the first and the first layer off the "
     "second, put on top of each other.",
     "기반 모델을 둘로 복사해 첫 번째의 마지막 층과 두 번째의 첫 층을 떼어 내고 이어 붙였습니다."},
    {"dus.copy1", "copy 1", "사본 1"},
    {"dus.copy2", "copy 2", "사본 2"},
    {"dus.new", "new model", "새 모델"},
    {"dus.source", "base", "기반 모델"},
    {"dus.any_map",
     "{0} layers become {1}. Each new layer hangs from the base layer it is a copy of; repeated "
     "layers are green, gray boxes were left out. {2} new layers began as identities.",
     "{0}개 층이 {1}개 층이 됩니다. 새 층마다 원본이 된 기반 층이 이어져 있습니다. 반복된 층은 "
     "초록색, 제거한 층은 회색이며, 항등 사상으로 시작한 새 층은 {2}개입니다."},
    {"dus.seam", "seam", "이음매"},
    {"dus.map",
     "{0} layers become {1}. Gray boxes are the dropped layers; the dashed line is the seam, where "
     "layer {2} is followed by layer {3}.",
     "{0}개 층이 {1}개 층이 됩니다. 회색 칸은 제거한 층이고, 점선은 {2}번 층 다음에 {3}번 층이 "
     "이어지는 이음매입니다."},
    {"dus.no_map", "The model's manifest has no layer map.",
     "모델 매니페스트에 층 지도가 없습니다."},
    {"dus.losses", "Held-out loss of the same documents", "같은 문서에서 잰 검증 손실"},
    {"dus.base", "base", "기반"},
    {"dus.after", "right after DUS", "DUS 직후"},
    {"dus.recovered", "recovered", "회복 후"},
    {"dus.model", "model", "모델"},
    {"dus.lower", "Lower is better.", "낮을수록 좋습니다."},

    {"align.title", "Preference alignment", "선호 정렬"},
    {"align.lead",
     "Stepwise DPO: each step starts from the model of the step before and is measured against it. "
     "A margin is how much more the model prefers the chosen answer than its reference does.",
     "단계별 DPO입니다. 각 단계는 앞 단계의 모델에서 출발하고 그 모델을 참조로 삼습니다. "
     "마진은 선택된 답을 참조 모델보다 얼마나 더 선호하는지를 나타냅니다."},
    {"align.margins", "Reward margin by step", "단계별 보상 마진"},
    {"align.margin", "reward margin", "보상 마진"},
    {"align.accuracy", "accuracy", "정확도"},
    {"align.accuracies", "Share of training pairs with a positive margin",
     "마진이 양수인 학습 쌍의 비율"},
    {"align.step", "step", "단계"},
    {"align.start", "starts from", "출발 모델"},
    {"align.reference", "reference", "참조 모델"},
    {"align.pairs", "pairs", "쌍"},
    {"align.heldout", "held-out accuracy", "검증 정확도"},
    {"align.interval", "95% interval", "95% 구간"},
    {"align.before", "margin, before", "마진, 전"},
    {"align.after", "margin, after", "마진, 후"},
    {"align.heldout_margin", "held-out margin", "검증 마진"},
    {"align.preference", "model alone", "모델 단독"},
    {"align.against", "Held-out accuracy against the reference", "참조 모델 대비 검증 정확도"},
    {"align.alone", "Held-out preference of the model alone", "모델 단독의 검증 선호"},
    {"align.wilson",
     "Whiskers are 95% intervals (Wilson), the dashed line is 50%: an interval that crosses it "
     "does not show a preference learned. "
     "Against the reference, a pair counts when its margin is positive; alone, when the chosen "
     "answer is the likelier per token.",
     "수염은 95% 구간(Wilson), 점선은 50%입니다. 구간이 점선을 지나면 선호를 배웠다고 볼 수 "
     "없습니다. "
     "참조 모델 대비 값은 마진이 양수인 쌍을, 단독 값은 선택된 답의 토큰당 확률이 더 높은 쌍을 "
     "셉니다."},
    {"align.step_name", "step {0}, reference {1}", "{0}단계, 참조 {1}"},

    {"eval.title", "Evaluation", "평가"},
    {"eval.lead",
     "Every model on the same items. Whiskers and brackets are 95% intervals; the dashed line is "
     "chance.",
     "모든 모델을 같은 문항으로 평가했습니다. 수염과 괄호는 95% 구간, 점선은 무작위 수준입니다."},
    {"eval.radar", "The same scores as a radar", "같은 점수의 방사형 그림"},
    {"eval.radar_note",
     "Only scores from 0 to 1 where higher is better; the dashed ring is chance. A task that did "
     "not run leaves its corner open.",
     "0에서 1 사이이며 높을수록 좋은 점수만 그렸습니다. 점선 고리는 무작위 수준이고, 실행하지 않은 "
     "과제의 꼭짓점은 비어 있습니다."},
    {"eval.table", "Scores with their standard errors", "점수와 표준오차"},
    {"eval.model", "model", "모델"},
    {"eval.items", "items", "문항"},
    {"eval.chance", "chance", "무작위"},
    {"eval.at_chance", "at chance", "무작위 수준"},
    {"eval.at_chance_note",
     "at chance: no further than two standard errors from what guessing scores.",
     "무작위 수준: 찍어서 얻는 점수와의 차이가 표준오차의 두 배 이내입니다."},
    {"eval.k_of_n", "{0} of {1}", "{1} 중 {0}"},
    {"eval.lower", "lower is better", "낮을수록 좋음"},
    {"eval.tasks", "What each task is", "과제 설명"},
    {"eval.not_run_note", "{0} did not run for {1}: {2}", "{1}에서 {0} 실행 안 함: {2}"},
    {"eval.not_run_all", "{0} did not run: {1}", "{0} 실행 안 함: {1}"},
    {"eval.reproduces", "after {0}", "{0} 기준"},

    {"club.title", "Partners' statement", "파트너 정산서"},
    {"club.lead",
     "What each partner gave, what survived, what the models were trained on, and its part of a "
     "sample pool, divided by tokens trained on.",
     "각 파트너가 제공한 데이터, 남은 데이터, 학습에 쓰인 토큰, 그리고 학습 토큰에 따라 나눈 예시 "
     "분배금입니다."},
    {"club.partner", "partner", "파트너"},
    {"club.documents_in", "documents in", "입력 문서"},
    {"club.words_in", "words in", "입력 어절"},
    {"club.surviving", "documents kept", "남은 문서"},
    {"club.tokens", "tokens", "토큰"},
    {"club.trained", "trained on", "학습에 사용"},
    {"club.credited", "credited", "인정 토큰"},
    {"club.share", "share", "비율"},
    {"club.amount", "amount ({0})", "금액 ({0})"},
    {"club.total", "sum", "합계"},
    {"club.adds_up", "The amounts add up to the pool of {0} {1} exactly.",
     "금액의 합은 분배 총액 {0} {1}과 정확히 일치합니다."},
    {"club.does_not", "The amounts do not add up to the pool of {0} {1}.",
     "금액의 합이 분배 총액 {0} {1}과 일치하지 않습니다."},

    {"lineage.title", "Lineage", "계보"},
    {"lineage.lead",
     "Every artefact, what it was made from and by which command. The hash names the content: "
     "equal content, equal hash.",
     "모든 산출물과 그 재료, 만든 명령입니다. 해시는 내용의 이름이며, 내용이 같으면 해시도 "
     "같습니다."},
    {"lineage.graph", "From lots on the left to scores and the statement on the right",
     "왼쪽의 데이터 묶음에서 오른쪽의 평가와 정산서까지"},
    {"lineage.artefact", "artefact", "산출물"},
    {"lineage.kind", "kind", "종류"},
    {"lineage.content", "content", "내용 해시"},
    {"lineage.made_by", "made by", "만든 명령"},
    {"lineage.from", "made from", "재료"},
    {"lineage.size", "size", "크기"},
};

}  // namespace

const std::vector<Message>& messages() { return kMessages; }

Text same(std::string text) { return {.en = text, .ko = std::move(text)}; }

Text say(std::string_view key, std::initializer_list<std::string> values) {
  static const auto by_key = [] {
    std::map<std::string_view, const Message*> map;
    for (const Message& message : kMessages) map[message.key] = &message;
    return map;
  }();
  const auto found = by_key.find(key);
  HELIO_CHECK(found != by_key.end(), "no message '" + std::string(key) + "'");
  const auto fill = [&](std::string text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '0' &&
          text[i + 1] <= '9') {
        const auto index = static_cast<size_t>(text[i + 1] - '0');
        HELIO_CHECK(index < values.size(), "message '" + std::string(key) + "' wants more values");
        out += *(values.begin() + index);
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  };
  return {.en = fill(found->second->en), .ko = fill(found->second->ko)};
}

}  // namespace helio::report
