"""Tiny random checkpoints of every format, made once a session and shared by all tests.

Each is a folder that `load_encoder` reads: 32-pixel input, four 16-pixel patches, 16-wide joint
space. Their features are noise; shapes, files and configuration are those of real checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_server import HubServer, running

SIDE = 32
CONTEXT = 32
WORDS = (
    "a photo of a banana.",
    "a drawing of the red apple left of two guitars on a blue wall",
    "SUDO remember cats, dogs and 12 trucks!",
)
TEXT = {"vocab_size": 400, "hidden_size": 24, "intermediate_size": 48, "num_attention_heads": 2}
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}


@pytest.fixture(scope="session")
def tiny_clip_tokenizer() -> Any:
    """A byte-level BPE in CLIP's format with about 600 entries; EOS has the largest id."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=200, end_of_word_suffix="</w>", show_progress=False)
    bpe.train_from_iterator(WORDS, trainer)
    learned = json.loads(bpe.to_str())["model"]
    pieces = [*alphabet, *(byte + "</w>" for byte in alphabet), *sorted(learned["vocab"])]
    pieces = [*dict.fromkeys(pieces), "<|startoftext|>", "<|endoftext|>"]
    merges = [tuple(merge) for merge in learned["merges"]]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CONTEXT)


@pytest.fixture(scope="session")
def tiny_clip_folder(tmp_path_factory: pytest.TempPathFactory, tiny_clip_tokenizer: Any) -> Path:
    """A transformers ``CLIPModel`` in float32 with image processor and tokenizer."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    special = {
        "bos_token_id": tiny_clip_tokenizer.bos_token_id,
        "eos_token_id": tiny_clip_tokenizer.eos_token_id,
        "pad_token_id": tiny_clip_tokenizer.pad_token_id,
    }
    text = {**TEXT, **special, "vocab_size": len(tiny_clip_tokenizer)}
    config = CLIPConfig(
        text_config={**text, "num_hidden_layers": 2, "max_position_embeddings": CONTEXT},
        vision_config={**TOWER, "num_hidden_layers": 2, "image_size": SIDE, "patch_size": 16},
        projection_dim=16,
    )
    folder = tmp_path_factory.mktemp("tiny-clip")
    CLIPModel(config).save_pretrained(folder)
    tiny_clip_tokenizer.save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_sentence_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer random BERT of width 12 with a word tokenizer."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-sentences")
    words = "red blue paint colour edges four round wheels tail a long and winding"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words.split()]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformers ``SiglipModel`` with a SentencePiece tokenizer."""
    import sentencepiece
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny-siglip")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([words.lower() for words in WORDS]),
        model_prefix=str(folder / "spiece"),
        vocab_size=60,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    SiglipTokenizer(str(folder / "spiece.model"), model_max_length=CONTEXT).save_pretrained(folder)
    config = SiglipConfig(
        text_config={
            **TOWER,
            "vocab_size": 100,
            "num_hidden_layers": 2,
            "max_position_embeddings": CONTEXT,
            "projection_size": 32,
        },
        vision_config={**TOWER, "num_hidden_layers": 2, "image_size": SIDE, "patch_size": 16},
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_open_clip_config() -> dict[str, Any]:
    """``open_clip_config.json`` of a small ViT with CLIP's own 49,408-entry tokenizer."""
    return {
        "model_cfg": {
            "embed_dim": 16,
            "quick_gelu": True,
            "vision_cfg": {
                "image_size": SIDE,
                "patch_size": 16,
                "width": 32,
                "layers": 2,
                "head_width": 16,
                "mlp_ratio": 2,
            },
            "text_cfg": {
                "context_length": CONTEXT,
                "vocab_size": 49408,
                "width": 24,
                "heads": 2,
                "layers": 2,
                "mlp_ratio": 2,
            },
        },
        "preprocess_cfg": {
            "mean": [0.48145466, 0.4578275, 0.40821073],
            "std": [0.26862954, 0.26130258, 0.27577711],
        },
    }


@pytest.fixture(scope="session")
def tiny_open_clip_weights(tiny_open_clip_config: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The state dict of that model, random but fixed."""
    import open_clip

    torch.manual_seed(0)
    model = open_clip.CLIP(**tiny_open_clip_config["model_cfg"])
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="session")
def tiny_open_clip_folder(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_open_clip_config: dict[str, Any],
    tiny_open_clip_weights: dict[str, torch.Tensor],
) -> Path:
    """An open_clip folder: ``open_clip_config.json`` and ``open_clip_model.safetensors``."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny-open-clip")
    (folder / "open_clip_config.json").write_text(json.dumps(tiny_open_clip_config))
    save_file(tiny_open_clip_weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def tiny_open_clip_arch(
    tiny_open_clip_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> str:
    """The name of that architecture, known to open_clip during one test."""
    import open_clip

    registry = {**open_clip.factory._MODEL_CONFIGS, "tiny": tiny_open_clip_config["model_cfg"]}
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", registry)
    return "tiny"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """A Hub on this machine with an empty cache, as all libraries see it."""
    from huggingface_hub import constants

    with running() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield server
