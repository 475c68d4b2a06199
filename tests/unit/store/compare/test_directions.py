"""Which way a metric or a score is better: known by its name beyond doubt, chosen, or unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.compare.directions import CHOICES, Direction, by_name, direction

LOWER = """
loss train/loss val_loss valLoss eval.loss LOSS loss_epoch train_loss_step train-loss-mean
bbox_loss loss_bbox loss_rpn_cls loss/bbox Loss(train) iou_loss accuracy_loss mse_loss error
error_rate word_error_rate n_errors error_count max_error best_loss perplexity ppl wer val-rmse mae
latency latency_ms latency_p95 p95_latency brier_score nll negative_log_likelihood log_loss
cross_entropy false_positive_rate bits_per_byte ttft cost cost_usd kl loss_1
""".split()
HIGHER = """
accuracy val/accuracy acc val_acc acc1 acc@5 mmlu_acc top1 top5_acc top_1_accuracy f1 F1Score
f1_score eval.f1_macro f1-weighted auc roc_auc AUROC BLEU bleu-4 rouge1 rougeL rougeLsum recall@10
nDCG precision@5 ndcg@10 MRR@10 mAP mAP@0.5:0.95 mAP@[.5:.95] metrics/mAP50-95(B)
metrics/precision(B) mIoU IoU reward mean_reward ep_rew_mean rewards/accuracies R² r2 r2_score pass
pass@1 pass_rate success_rate correct exact_match score test_score llm_judge_score log_likelihood
answer_similarity mean_return throughput math/accuracy faithfulness f1/PERSON val/f1/職種
accuracy/math
""".split()
UNKNOWN = """
loss_scale lossScale loss/scale loss_weight loss_ratio loss_iou lr learning_rate epoch step
grad_norm gradNorm grad_acc neg_loss neg_mean_squared_error errorHandling error_handling
accuracy_drop time_to_accuracy steps_since_loss false_recall forget_accuracy attack_success_rate
toxicity_score anomaly_score z_score rewards/rejected rewards/chosen reward_std tokens_per_second
feature_map map_size return_code exit_code cost_awareness forward_pass hallucination glossary
lossless sim kl_divergence loss/entropy loss/clipfrac accuracy/latency error/handling f1/drop
f1/false_alarm losses/foo recall@10_scale loss@steps no_error recall_threshold
""".split()


@pytest.mark.parametrize("name", LOWER)
def test_less_of_it_is_better(name: str) -> None:
    assert by_name(name) is Direction.LOWER


@pytest.mark.parametrize("name", HIGHER)
def test_more_of_it_is_better(name: str) -> None:
    assert by_name(name) is Direction.HIGHER


@pytest.mark.parametrize("name", [*UNKNOWN, "", " ", "@", "损失", "loss" * 100])
def test_a_name_that_leaves_a_doubt_has_no_direction(name: str) -> None:
    assert by_name(name) is None


@given(name=st.text(max_size=300) | st.sampled_from([*LOWER, *HIGHER, *UNKNOWN]))
def test_a_persons_choice_wins_over_any_name(name: str) -> None:
    assert direction(name, {name: "higher"}) is Direction.HIGHER
    assert direction(name, {name: "lower"}, is_pass_fail=True) is Direction.LOWER
    assert direction(name, {name: "none"}, is_pass_fail=True) is None
    assert direction(name, {f"{name}x": "lower"}) is by_name(name)
    # What is remembered may be another program's.
    assert direction(name, {name: "sideways"}) is by_name(name)


def test_true_is_better_unless_the_name_says_that_it_is_not() -> None:
    assert direction("follows_policy", is_pass_fail=True) is Direction.HIGHER
    assert direction("correct", is_pass_fail=True) is Direction.HIGHER
    assert direction("no_error", is_pass_fail=True) is Direction.HIGHER
    assert direction("not_toxic", is_pass_fail=True) is Direction.HIGHER
    assert direction("hallucination_free", is_pass_fail=True) is Direction.HIGHER
    assert direction("error", is_pass_fail=True) is None


@given(
    name=st.sampled_from([*LOWER, *HIGHER]),
    word=st.sampled_from(["scale", "weight", "ratio", "std", "drop", "threshold", "change"]),
)
def test_a_word_that_turns_the_meaning_leaves_it_unknown(name: str, word: str) -> None:
    assert by_name(f"{name}_{word}") is None
    assert by_name(f"{word}/{name}") is None


def test_what_can_be_chosen() -> None:
    assert [str(choice) for choice in CHOICES] == ["higher", "lower", "none"]
