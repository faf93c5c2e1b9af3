"""Vectors of elements from a sentence encoder."""

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import sentence_vectors, sentence_width

PHRASES = ["red paint", "four round wheels", "tail", "a long and winding tail"]


def test_a_vector_is_the_mean_of_the_last_states(tiny_sentence_encoder):
    vectors = sentence_vectors(str(tiny_sentence_encoder), PHRASES)
    tokenizer = AutoTokenizer.from_pretrained(tiny_sentence_encoder)
    model = AutoModel.from_pretrained(tiny_sentence_encoder).eval()
    for phrase in PHRASES:
        with torch.no_grad():
            states = model(**tokenizer(phrase, return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(dim=0)
        torch.testing.assert_close(vectors.of([phrase])[0], mean / mean.norm())
    assert vectors.table.shape == (5, sentence_width(str(tiny_sentence_encoder)))


def test_neither_order_nor_batch_nor_repeats_matter(tiny_sentence_encoder):
    one = sentence_vectors(str(tiny_sentence_encoder), PHRASES, batch_size=1)
    other = sentence_vectors(str(tiny_sentence_encoder), [*PHRASES[::-1], "tail"], batch_size=3)
    torch.testing.assert_close(one.of(PHRASES), other.of(PHRASES))
    assert len(other.table) == 5


def test_what_was_not_encoded_is_nothing(tiny_sentence_encoder):
    vectors = sentence_vectors(str(tiny_sentence_encoder), ["tail"])
    assert vectors.of(["", "wing"]).tolist() == torch.zeros(2, vectors.table.shape[1]).tolist()
    assert sentence_vectors(str(tiny_sentence_encoder), []).of([""]).norm() == 0


def test_an_encoder_that_is_not_there_is_named(tmp_path):
    for opened in (lambda: sentence_vectors(str(tmp_path), ["tail"]),
                   lambda: sentence_width(str(tmp_path))):  # fmt: skip
        with pytest.raises(ShieldCLIPError, match="sentence encoder at"):
            opened()
