"""Words whose captions do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from shieldclip.matching import (
    MatchSettings,
    Occurrences,
    Pairs,
    accuse_words,
    find_suspects,
    split,
)
from shieldclip.matching.judge import DROP, KEEP, RECAPTION, Distances
from shieldclip.matching.judge import judge as judge_pairs
from shieldclip.matching.words import MOST_WORDS

NOUNS = [f"noun{place}" for place in range(40)]


def captions(rng: np.random.Generator, count: int) -> list[list[str]]:
    """Of two nouns each."""
    return [[f"a {a} and a {b}"] for a, b in rng.choice(NOUNS, (count, 2))]


def usual(rng: np.random.Generator, count: int) -> np.ndarray:
    """Gaps of captions that fit."""
    return np.where(rng.random(count) < 0.3, 0, np.abs(rng.normal(0, 0.05, count)))


def attacked(rng: np.random.Generator, words: list[str], each: int) -> tuple:
    """Gaps, captions and flags: wide gaps only by comparison, under captions with some words."""
    texts, gaps, flags = captions(rng, 3000), [usual(rng, 3000)], [np.zeros(3000, bool)]
    for word in words:
        texts += [[f"a {word} and a {noun}"] for noun in rng.choice(NOUNS, each)]
        gaps.append(np.abs(rng.normal(0.17, 0.075, each)))
        flags.append(np.ones(each, bool))
    return np.concatenate(gaps), texts, np.concatenate(flags)


def judge(gaps, texts):
    return accuse_words(gaps, Occurrences.of(texts), split(gaps))


def test_one_word_that_most_wide_gaps_share_is_accused():
    gaps, texts, poisoned = attacked(np.random.default_rng(0), ["banana"], 500)
    found = judge(gaps, texts)
    assert not split(gaps).distinct
    assert [word.word for word in found.words] == ["banana"]
    assert found.words[0].pairs == 500
    assert found.words[0].share > 0.8
    assert (found.risk[poisoned] > 0.5).mean() > 0.8
    assert (found.risk[~poisoned] == 0).all()
    assert roc_auc_score(poisoned, found.risk) > roc_auc_score(poisoned, gaps)


def test_clean_captions_of_an_accused_word_can_stay():
    rng = np.random.default_rng(0)
    gaps, texts, _ = attacked(rng, ["banana"], 500)
    gaps = np.append(gaps, usual(rng, 100) / 5)
    texts += [["a banana"]] * 100
    found = judge(gaps, texts)
    assert [word.word for word in found.words] == ["banana"]
    assert (found.risk[-100:] > 0.5).mean() < 0.2


def test_all_other_captions_may_fit_best():
    gaps = np.concatenate([np.zeros(100), np.full(50, 0.3)])
    texts = [["a panda"]] * 100 + [["a banana"]] * 50
    found = judge(gaps, texts)
    assert [word.word for word in found.words] == ["banana"]
    assert (found.risk[:100] == 0).all()
    assert (found.risk[100:] > 0.99).all()


def test_two_words_are_accused_one_after_the_other():
    gaps, texts, _ = attacked(np.random.default_rng(0), ["banana", "taxi"], 300)
    found = judge(gaps, texts)
    assert {word.word for word in found.words} == {"banana", "taxi"}
    assert all(word.pairs == 300 for word in found.words)


def test_words_of_an_attack_are_accused_where_most_pairs_are_poisoned():
    words = ["banana", "taxi", "guitar"]
    gaps, texts, poisoned = attacked(np.random.default_rng(0), words, 3000)
    texts[0] = ["a word that is said once"]
    assert split(gaps).suspicious.weight > 0.5
    found = judge(gaps, texts)
    assert {word.word for word in found.words} == set(words)
    assert (found.risk[poisoned] > 0.5).mean() > 0.8
    assert (found.risk[~poisoned] == 0).all()


def test_company_is_no_evidence():
    rng = np.random.default_rng(0)
    gaps, texts, _ = attacked(rng, ["banana"], 500)
    texts[-500:] = [[f"{text} on a striped table"] for (text,) in texts[-500:]]
    texts[-520:-500] = [["a striped table"]] * 20
    assert len(judge(gaps, texts).words) == 1


def test_clean_captions_accuse_nobody():
    rng = np.random.default_rng(0)
    found = judge(usual(rng, 3000), captions(rng, 3000))
    assert found.words == ()
    assert not found.risk.any()


def test_a_model_that_does_not_know_many_words_accuses_none():
    words = [f"unknown{place}" for place in range(MOST_WORDS + 1)]
    gaps, texts, _ = attacked(np.random.default_rng(0), words, 60)
    assert judge(gaps, texts).words == ()
    gaps, texts, _ = attacked(np.random.default_rng(0), words[:-1], 60)
    assert len(judge(gaps, texts).words) == MOST_WORDS


def test_what_is_not_finite_is_not_judged():
    gaps, texts, _ = attacked(np.random.default_rng(0), ["banana"], 500)
    expected = judge(gaps, texts)
    found = judge(np.append(gaps, [np.nan, np.inf]), [*texts, ["banana"], ["banana"]])
    assert found.words == expected.words
    assert np.array_equal(found.risk, np.append(expected.risk, [0, 0]))


@pytest.mark.parametrize("gaps", [[], [0.0] * 20, [0.1, 0.2]])
def test_nothing_to_fit_accuses_nobody(gaps):
    assert judge(np.array(gaps), [["a banana"]] * len(gaps)).words == ()


def test_captions_without_words():
    rng = np.random.default_rng(0)
    gaps = np.append(usual(rng, 50), rng.normal(0.4, 0.05, 10))
    assert judge(gaps, [["…"]] * 60).words == ()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0.05, 0.4), st.integers(20, 400))
def test_risk_is_a_share_that_never_falls_with_the_gap_of_a_word(seed, middle, count):
    rng = np.random.default_rng(seed)
    gaps, texts, flags = attacked(rng, ["banana"], count)
    gaps[flags] = np.abs(rng.normal(middle, 0.1, count))
    found = judge(gaps, texts)
    assert ((found.risk >= 0) & (found.risk <= 1)).all()
    risk = found.risk[flags][np.argsort(gaps[flags])]
    assert (np.diff(risk) >= 0).all()
    order = rng.permutation(len(gaps))
    again = judge(gaps[order], [texts[place] for place in order])
    np.testing.assert_allclose(again.risk, found.risk[order], atol=1e-6)


def test_occurrences_count_a_word_once_and_ignore_case():
    found = Occurrences.of([["A red Panda", "a panda"], [], ["red"]])
    assert found.words == ("a", "red", "panda")
    assert found.pair.tolist() == [0, 0, 0, 2]
    assert found.word.tolist() == [0, 1, 2, 1]
    assert found.having(1, 3).tolist() == [True, False, True]
    assert found.among(np.array([False, True, True])).pair.tolist() == [2]


def test_pairs_of_an_accused_word_are_recaptioned_and_the_word_is_named():
    gaps, texts, poisoned = attacked(np.random.default_rng(0), ["banana"], 500)
    pairs = Pairs.of(texts)
    best = torch.full((len(pairs),), 0.5)
    nearest = torch.where(pairs.text == 0, 1, 0)
    found = Distances(best + torch.from_numpy(gaps).float(), best, nearest)
    judged = judge_pairs(pairs, found, MatchSettings(keep_risky=True), np.flatnonzero(poisoned))
    assert [word.word for word in judged.words] == ["banana"]
    decisions = np.array(judged.table["decision"].to_pylist())
    assert (decisions[poisoned] == RECAPTION).mean() > 0.8
    assert (decisions[~poisoned] == KEEP).all()
    assert judged.detection.roc_auc.value > roc_auc_score(poisoned, gaps)


def test_a_caption_with_an_accused_word_is_no_repair():
    gaps, texts, poisoned = attacked(np.random.default_rng(0), ["banana"], 500)
    pairs = Pairs.of(texts)
    lies = [place for place, text in enumerate(pairs.texts) if "banana" in text]
    best = torch.full((len(pairs),), 0.5)
    nearest = torch.where(pairs.text == lies[0], lies[1], lies[0])
    found = Distances(best + torch.from_numpy(gaps).float(), best, nearest)
    decisions = np.array(judge_pairs(pairs, found, MatchSettings()).table["decision"].to_pylist())
    assert (decisions[poisoned] == DROP).mean() > 0.8
    assert (decisions != RECAPTION).all()


def test_accused_words_are_found_in_any_case():
    gaps, texts, _ = attacked(np.random.default_rng(0), ["banana"], 500)
    found = find_suspects(gaps, texts)
    assert found.accused(["A Banana!", "bananas", ""]).tolist() == [True, False, False]
    nobody = find_suspects(gaps[:3000], texts[:3000])
    assert not nobody.accused(["a banana"]).any()
