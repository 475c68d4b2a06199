"""Whether a metric or a score is better when it is higher or when it is lower.

A name must say so beyond doubt: a gate that fails a build asks here, and an unknown direction costs
a person one option, while a wrong one passes what is worse. So the last word that says anything
decides (`bbox_loss`, `train/f1_macro`), whatever follows it must be known to change nothing, and a
word that may turn the meaning (`loss_scale`, `accuracy_drop`, `false_recall`) leaves it unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache


class Direction(StrEnum):
    """In which direction a metric or a score is better."""

    HIGHER = "higher"
    LOWER = "lower"


UNDIRECTED = "none"
"""What a person chooses for a name that has no direction, whatever it says."""
CHOICES = (*Direction, UNDIRECTED)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOWER = _words(
    "loss losses logloss error errors err mae mse rmse rmsle msle mape smape mase wer cer ter fid"
    " fvd lpips ppl perplexity nll crossentropy bpb bpc regret latency ttft brier eer fpr fnr"
    " fdr hd95"
)
_HIGHER = _words(
    "accuracy accuracies acc precision recall f1 f2 fbeta auc auroc auprc aupr prauc iou miou giou"
    " dice jaccard bleu sacrebleu rouge meteor chrf bertscore cider reward rewards rew psnr ssim r2"
    " mrr ndcg kappa mcc specificity sensitivity tpr tnr correctness faithfulness groundedness"
    " factuality helpfulness relevancy throughput loglik elbo"
)
_HIGHER_ALONE = _words(
    "ap map score pass passed correct success win hits em top1 top5 return returns similarity"
    " relevance quality"
)
_LOWER_ALONE = _words("cost kid kl")
"""Words that say it only where nothing unknown stands before them, as in `toxicity_score`."""
_SUBJECTS = _words("answer cosine semantic context judge llm human overall episode episodic ep")
"""Words before those that leave them as they are."""

_QUALIFIERS = _words(
    "train training trn val valid validation test tst testing eval evaluation dev holdout heldout"
    " ood metric metrics epoch step iter iteration batch mean avg average averaged median ema"
    " smooth smoothed running total sum micro macro weighted samples binary multiclass all raw"
    " final last current best worst min max global local top at ms s sec seconds usd l lsum"
)
"""Words that change nothing: splits, means and extremes, units."""
_LOSS_PARTS = _words(
    "cls bbox box obj dfl mask rpn ce bce kl mse mae focal rec recon reconstruction adv gen disc"
    " generator discriminator policy value actor critic aux contrastive triplet"
)
"""Words that may follow `loss`, of which each names a part of it."""
_BROKEN_DOWN = _words("accuracy acc precision recall f1 auc auroc iou dice ap bleu rouge wer cer")
"""Measures that are logged for a class, a set or a language, whose name follows: `f1/PERSON`."""
_TURNING = _words(
    "scale scaler scaled scaling weight weights coef coeff coefficient factor lambda alpha beta"
    " gamma temperature lr grad gradient norm std stdev stddev stderr var variance sem ci count num"
    " n number size threshold target goal baseline limit tolerance patience delta diff difference"
    " gap change improvement increase decrease drop reduction ratio id index rank since until to"
    " per and or vs versus no not non none never without anti un false wrong bad neg negative minus"
    " inverse inv forget attack adversarial lost missed random chance shuffled schedule scheduler"
    " rate"
)
_BAD = re.compile(
    r"false|fail|wrong|incorrect|hallucinat|toxic|unsafe|harm|violat|leak|bias|jailbreak|refus"
    r"|crash|timeout|timed|missing|broken|invalid|unsupported|contradict|hate|abus|spam|flagged"
    r"|overflow|duplicate|nan"
)
"""The beginnings of words that name something bad: such a score may be better when false."""
_NEGATING = _words("no not non none never without free")
"""Words with which the name of something bad says that there is none of it."""
_PHRASES = (
    (r"\b(?:error count|num errors|n errors)\b", "errors"),
    (r"\b(?:false (?:positive|negative|discovery)|error|err) rate\b", "error"),
    (r"\btrue (?:positive|negative) rate\b", "accuracy"),
    (r"\b(?:pass|success|win|hit) rate\b", "success"),
    (r"\bneg(?:ative)? log likelihood\b", "nll"),
    (r"\blog likelihood\b", "loglik"),
    (r"\bcross entropy\b", "crossentropy"),
    (r"\bexact match\b", "em"),
    (r"\bacc norm\b", "acc"),
    (r"\bbits per (?:byte|char|character|token|dim)\b", "bpb"),
    (r"\btime to first token\b", "ttft"),
    (r"\br squared\b", "r2"),
)
_ABBREVIATIONS = (("mAP", " map "), ("mIoU", " miou "), ("GIoU", " giou "), ("IoU", " iou "),
                  ("nDCG", " ndcg "), ("NDCG", " ndcg "), ("²", "2"))  # fmt: skip
_AT = re.compile(r"@(?:[0-9.:,-]+|[kKnN]\b|\[[0-9.:,-]*\])|\([BMP%]\)")
"""At which depth or threshold it was measured (`recall@10`), and which kind of box or mask."""
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+|[^\W\d_]+")
_NEUTRAL_NUMBER = re.compile(r"p?[0-9]+")
_MOST_CHARS = 200
"""Longer names are no names, and are not read."""


def direction(
    name: str,
    chosen: Mapping[str, str] | None = None,
    *,
    is_pass_fail: bool = False,
) -> Direction | None:
    """Return in which direction a metric or a score is better, None if that is not known.

    Args:
        name: The name of the metric or the score.
        chosen: What a person has chosen by name: a `Direction`, or `UNDIRECTED`. It wins.
        is_pass_fail: Whether its values are true or false; true is better then, unless the name
            has a word for what is bad, such as `error` or `toxic`: nobody can know whether
            true says that there is one, or that there is none.
    """
    choice = (chosen or {}).get(name)
    if choice is not None and choice in CHOICES:
        return None if choice == UNDIRECTED else Direction(choice)
    said = by_name(name)
    if is_pass_fail:
        is_doubtful = said is Direction.LOWER or _names_something_bad(name)
        return None if is_doubtful else Direction.HIGHER
    return said


@lru_cache(maxsize=4096)
def by_name(name: str) -> Direction | None:
    """Return the direction that a name says, None if it says none beyond doubt."""
    if len(name) > _MOST_CHARS:
        return None
    words = _split(name)
    if not _TURNING.isdisjoint(words):
        return None
    if (measure := _broken_down(name)) is not None:
        return measure if {_says(word) for word in words} <= {measure, None} else None
    rest = _without_qualifiers(words)
    if rest and rest[-1] == "score" and any(map(_says, rest[:-1])):
        # An `f1_score` is an f1, and a `brier_score` a brier.
        rest = _without_qualifiers(rest[:-1])
    if not rest:
        return None
    head, before = rest[-1], rest[:-1]
    if head in _LOSS_PARTS and "loss" in before:
        head, before = "loss", rest[: rest.index("loss")]
        if not set(rest[len(before) + 1 :]) <= _LOSS_PARTS:
            return None
    said = _says(head)
    if said is None:
        return None
    if head in _HIGHER_ALONE or head in _LOWER_ALONE:
        known = all(_says(word) is said or word in _SUBJECTS for word in before)
        return said if known else None
    # A loss or an error of anything is one: `iou_loss` is not an IoU.
    others = {_says(word) for word in before} - {None, said}
    return None if others and head not in ("loss", "error") else said


def _broken_down(name: str) -> Direction | None:
    """Return the direction of a measure that stands alone before a slash, and what it is of."""
    parts = [_without_qualifiers(_split(part)) for part in name.split("/")]
    named = [part for part in parts if part]
    is_one = len(named) > 1 and len(named[0]) == 1 and named[0][0] in _BROKEN_DOWN
    return _says(named[0][0]) if is_one else None


def _split(name: str) -> list[str]:
    """Return the words of a name in lower case, with one word for each phrase."""
    name = _AT.sub(" ", name)
    for written, meant in _ABBREVIATIONS:
        name = name.replace(written, meant)
    text = " ".join(word.lower() for word in _WORD.findall(name))
    for phrase, word in _PHRASES:
        text = re.sub(phrase, word, text)
    return [_known(word) for word in text.split()]


def _names_something_bad(name: str) -> bool:
    words = _split(name[:_MOST_CHARS])
    if not _NEGATING.isdisjoint(words):
        return False
    return any(_says(word) is Direction.LOWER or _BAD.match(word) for word in words)


def _without_qualifiers(words: Sequence[str]) -> list[str]:
    return [
        word for word in words if word not in _QUALIFIERS and not _NEUTRAL_NUMBER.fullmatch(word)
    ]


def _known(word: str) -> str:
    """Return a word without the number that it ends with, if only that one is known: `acc1`."""
    if _says(word) is not None:
        return word
    short = word.rstrip("0123456789")
    return short if short and _says(short) is not None else word


def _says(word: str) -> Direction | None:
    if word in _LOWER or word in _LOWER_ALONE:
        return Direction.LOWER
    return Direction.HIGHER if word in _HIGHER or word in _HIGHER_ALONE else None
