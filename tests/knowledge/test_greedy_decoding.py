"""Reading the shared prefix once changes nothing but the time."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.knowledge.sources.generation import common_prefix, decode_greedily, read_prefix

TOKENS = st.lists(st.integers(1, 256), min_size=1, max_size=9)


@pytest.fixture(scope="module")
def model(tiny_lm: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_lm, use_safetensors=True).eval()


def reference(model, prompt: list[int], stops: set[int], limit: int) -> list[int]:
    """One prompt, no cache, no padding: the whole text again for every token."""
    text = list(prompt)
    while len(text) < len(prompt) + limit:
        with torch.inference_mode():
            token = int(model(input_ids=torch.tensor([text])).logits[0, -1].argmax())
        if token in stops:
            break
        text.append(token)
    return text[len(prompt) :]


@settings(deadline=None, max_examples=15)
@given(start=TOKENS, ends=st.lists(TOKENS, min_size=1, max_size=4), stop=st.integers(0, 256))
def test_equal_with_and_without_prefix_and_cache(model, start, ends, stop):
    prompts = [start + end for end in ends]
    prefix = read_prefix(model, start)
    plain = decode_greedily(model, prompts, None, {0, stop}, 6)
    assert decode_greedily(model, prompts, prefix, {0, stop}, 6) == plain
    assert decode_greedily(model, prompts, prefix, {0, stop}, 6) == plain  # left as it was
    assert plain == [reference(model, prompt, {0, stop}, 6) for prompt in prompts]


def test_continuations_differ_and_end_at_stops(model):
    prompts = [[1, 2, 3], [9, 8]]
    free = decode_greedily(model, prompts, None, {-1}, 6)
    assert free[0] != free[1]
    assert list(map(len, free)) == [6, 6]
    stop = free[0][2]
    cut = decode_greedily(model, prompts, None, {stop}, 6)
    assert cut[0] == free[0][: free[0].index(stop)]


@given(st.lists(TOKENS, min_size=2, max_size=4))
def test_common_prefix_is_the_longest_that_leaves_a_token(sequences):
    shared = list(common_prefix(sequences))
    assert all(sequence[: len(shared)] == shared for sequence in sequences)
    assert all(len(sequence) > len(shared) for sequence in sequences)
    room = all(len(sequence) > len(shared) + 1 for sequence in sequences)
    assert not room or len({sequence[len(shared)] for sequence in sequences}) > 1
