"""Which pairs are trusted, over visits."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.training.defences.trust import Trust, TrustRule

RULE = TrustRule(first_share=0.4, competent=0.2, most=0.8, spread=0.05, fewest=1.0)
NAN = float("nan")
PAIRS = torch.arange(10)


def ranks(*values: float) -> torch.Tensor:
    return torch.tensor(values)


def judge(trust: Trust, pairs: torch.Tensor, pictures: torch.Tensor, ranks: torch.Tensor):
    """All captions mean different things."""
    return trust.judge(pairs, pictures, pairs[:, None], ranks)


def test_an_unsure_judge_sets_the_worst_share_aside():
    trusted = judge(Trust(RULE), PAIRS, PAIRS, torch.linspace(0.1, 1, 10))
    assert trusted.tolist() == [True] * 6 + [False] * 4


def test_pairs_are_set_aside_where_all_of_them_look_random():
    hopeless = replace(RULE, spread=0.02)
    trusted = judge(Trust(hopeless), PAIRS, PAIRS, torch.linspace(0.6, 1, 10))
    assert trusted.tolist() == [True] * 6 + [False] * 4


def test_another_judge_may_change_how_many_an_unsure_one_sets_aside():
    trust, restored = Trust(RULE), Trust(RULE)
    trust.set_aside(0.1)
    restored.load_state_dict(trust.state_dict())
    for relieved in (trust, restored):
        trusted = judge(relieved, PAIRS, PAIRS, torch.linspace(0.1, 1, 10))
        assert trusted.tolist() == [True] * 9 + [False]


def test_an_unsure_judge_suspects_captions_of_one_meaning_first():
    generator = torch.Generator().manual_seed(0)
    values = 0.3 * torch.rand(200, generator=generator) + 0.1
    values[:40] += 0.05
    pairs, meanings = torch.arange(200), torch.arange(200)
    meanings[:40] = 0  # captions without elements, which are no excess
    apart = judge(Trust(RULE), pairs, pairs, values)
    together = Trust(RULE)
    for _ in range(3):
        trusted = together.judge(pairs, pairs, meanings[:, None], values)
    assert trusted.sum() == apart.sum() == 120
    assert trusted[:40].sum() < apart[:40].sum() / 2


def test_captions_are_negatives_as_ever_until_the_judge_is_competent():
    generator = torch.Generator().manual_seed(0)
    pairs, meanings = torch.arange(200), torch.arange(200) % 20
    trust = Trust(RULE)
    trust.judge(pairs, pairs, meanings[:, None], torch.rand(200, generator=generator))
    assert (trust.frequencies(meanings[:, None]) == 1).all()
    for _ in range(20):
        trust.judge(pairs, pairs, meanings[:, None], (meanings < 2) * 0.8)
    assert (trust.frequencies(meanings[:, None])[meanings < 2] < 0.2).all()
    assert (trust.frequencies(meanings[:, None])[meanings >= 2] > 0.9).all()


def test_what_a_judge_found_that_could_not_judge_is_soon_outweighed():
    generator = torch.Generator().manual_seed(0)
    pairs, meanings = torch.arange(200), torch.arange(200) % 4
    trust = Trust(RULE)
    for _ in range(30):
        trust.judge(
            pairs, pairs, meanings[:, None], 0.3 + 0.7 * torch.rand(200, generator=generator)
        )
    new, good = pairs + 1000, torch.zeros(200)
    for _ in range(25):  # the limit looks at means over some batches
        trust.judge(new, new, meanings[:, None], good)
    assert trust.frequencies(meanings[:, None]).min() > 0.8


def test_a_competent_judge_loses_no_pair_that_ranks_well():
    trust = Trust(RULE)
    trusted = judge(trust, PAIRS, PAIRS, ranks(*[0.0] * 8, 0.04, 0.5))
    assert trusted.tolist() == [True] * 9 + [False]


def test_among_captions_that_mean_one_thing_a_middling_rank_is_not_believed():
    values = ranks(*[0.0] * 34, *[0.6] * 5, 0.12)
    pairs = torch.arange(40)
    alone = Trust(RULE).judge(pairs, pairs, pairs[:, None], values)
    together = Trust(RULE).judge(
        pairs, pairs, torch.cat([pairs[:34], torch.full((6,), 99)])[:, None], values
    )
    assert alone[39]
    assert not together[34:].any()
    assert alone[:34].all()
    assert together[:34].all()


def test_a_judge_that_knows_is_competent_though_most_pairs_are_poisoned():
    noise = torch.Generator().manual_seed(0)
    values = torch.cat([torch.zeros(160), torch.rand(240, generator=noise)])
    meanings = torch.cat([torch.arange(160), torch.full((240,), 999)])
    pairs = torch.arange(400)
    wary, naive = (
        Trust(replace(RULE, fewest=fewest)).judge(pairs, pairs, meanings[:, None], values)
        for fewest in (0.3, 1.0)
    )
    assert wary[:160].all()
    assert naive[:160].all()
    assert wary[160:].float().mean() < 0.1
    assert naive[160:].float().mean() > 0.3


def test_a_few_pairs_that_rank_well_do_not_make_a_judge():
    """A model that has learned a quarter of the concepts looks the same as one among poisons."""
    values = torch.cat([torch.zeros(100), torch.linspace(0.3, 1, 300)])
    trusted = judge(Trust(replace(RULE, fewest=0.5)), *[torch.arange(400)] * 2, values)
    assert trusted.sum() == 240


def test_once_competent_always_competent():
    trust = Trust(RULE)
    judge(trust, PAIRS, PAIRS, torch.zeros(10))
    trusted = judge(trust, PAIRS + 10, PAIRS + 10, torch.full((10,), 0.9))
    assert not trusted.any()


def test_one_lucky_visit_does_not_clear_a_pair():
    trust = Trust(RULE)
    others = [0.0] * 9
    for _ in range(3):
        judge(trust, PAIRS, PAIRS, ranks(*others, 0.6))
    assert not judge(trust, PAIRS, PAIRS, ranks(*others, 0.0))[9]
    assert judge(Trust(RULE), PAIRS, PAIRS, ranks(*others, 0.0))[9]


def test_what_cannot_be_judged_is_trusted_and_not_remembered():
    trust = Trust(RULE)
    assert judge(trust, PAIRS[:2], PAIRS[:2], ranks(NAN, NAN)).all()
    trusted = judge(trust, PAIRS[:3], PAIRS[:3], ranks(0.0, 0.0, NAN))
    assert trusted.all()
    assert trust.state_dict()["pairs.visits"].tolist() == [1, 1]


@given(st.lists(st.lists(st.floats(0, 1), min_size=10, max_size=10), min_size=2, max_size=5))
def test_a_restored_memory_judges_as_the_original(visits):
    original, restored = Trust(RULE), Trust(RULE)
    for values in visits[:-1]:
        judge(original, PAIRS, PAIRS, torch.tensor(values))
    restored.load_state_dict(original.state_dict())
    last = torch.tensor(visits[-1])
    assert torch.equal(judge(original, PAIRS, PAIRS, last), judge(restored, PAIRS, PAIRS, last))
    for name, value in original.state_dict().items():
        assert torch.equal(value, restored.state_dict()[name])


def test_large_identifiers_of_streams_fit_the_memory():
    trust = Trust(RULE)
    pairs = torch.tensor([2**62 + 5, 7])
    judge(trust, pairs, pairs, ranks(0.0, 0.1))
    assert len(trust.state_dict()["pairs.means"]) <= 1 << 22


def test_a_picture_that_was_wrong_with_other_captions_is_not_believed():
    one_picture = torch.zeros(10, dtype=torch.int64)
    others = torch.arange(10)
    trust = Trust(RULE)
    for _ in range(3):
        judge(trust, others, others, torch.zeros(10))
    judge(trust, others + 10, one_picture, torch.full((10,), 0.5))
    assert not judge(trust, others + 20, one_picture, torch.zeros(10)).any()
    assert judge(trust, others + 30, others + 30, torch.zeros(10)).all()


def test_an_unsure_judge_sets_aside_what_exceeds_a_usual_meaning():
    meanings = torch.cat([torch.arange(1, 11).repeat(5), torch.full((50,), 99)])
    pairs = torch.arange(100)
    values = torch.linspace(0.5, 1, 50)
    trust = Trust(replace(RULE, first_share=0.0))
    trusted = trust.judge(pairs, pairs, meanings[:, None], torch.cat([values, values]))
    assert trusted[:50].all()
    assert 1 <= trusted[50:].sum() < 25
