"""A tiny random language model, a WordNet of ten nouns, and a server on this machine."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))

NOUNS = {
    "banana": ["00000001", "00000002"],
    "bird": ["00000004"],
    "owl": ["00000003"],
    "wing": ["00000005"],
    "wheel": ["00000006"],
    "truck": ["00000007"],
    "idea": ["00000008"],
    "vehicle": ["00000009"],
    "fruit": ["00000010"],
    "corn": ["00000011"],
    "ear": ["00000012"],
    "ear_of_the_sea": ["00000012"],
}
SENSES = (
    "00000001 20 n 01 banana 0 001 @ 00000010 n 0000 | a tropical herb with a crown of leaves  ",
    "00000002 13 n 01 banana 0 001 @ 00000010 n 0000 | elongated yellow fruit with soft flesh; "
    '"red bananas (with green peel) are rare"  ',
    "00000003 05 n 02 owl 0 bird_of_Minerva 0 001 @ 00000004 n 0000 | bird of prey with hawk-like "
    "beak and large head and no horns, like a hairy mouse  ",
    "00000004 05 n 01 bird 0 001 %p 00000005 n 0000 | an egg-laying animal  ",
    "00000005 05 n 01 wing 0 000 | a limb used for flying  ",
    "00000006 06 n 02 wheel 0 steering_wheel 0 000 | a round thing  ",
    "00000007 06 n 01 truck 0 002 @ 00000009 n 0000 %p 00000006 n 0000 | a motor vehicle  ",
    "00000008 09 n 01 idea 0 000 | a thought  ",
    "00000009 06 n 01 vehicle 0 000 | something that moves  ",
    "00000010 13 n 01 fruit 0 000 | a sweet thing  ",
    "00000011 13 n 01 corn 0 000 | yellow seeds  ",
    "00000012 08 n 01 ear 0 000 | an organ  ",
)


@pytest.fixture(scope="session")
def small_wordnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in WordNet's format."""
    folder = tmp_path_factory.mktemp("wordnet")
    licence = "  1 A licence of many lines.  \n"
    index = [
        f"{noun} n {len(offsets)} 1 @ {len(offsets)} 0 {' '.join(offsets)}  \n"
        for noun, offsets in NOUNS.items()
    ]
    (folder / "index.noun").write_text(licence + "".join(index))
    (folder / "index.adj").write_text(licence + "yellow a 1 0 1 0 00000001  \n")
    (folder / "noun.exc").write_text("oxen ox\nmice mouse\n")
    (folder / "data.noun").write_text(licence + "".join(f"{line}\n" for line in SENSES))
    return folder


CHAT_TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer random Llama with a byte-level tokenizer and a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(["<eos>", *alphabet])}
    bytes_only = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token="<eos>")
    tokenizer.chat_template = CHAT_TEMPLATE
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.4,
        eos_token_id=0,
        bos_token_id=None,
        pad_token_id=None,
    )
    folder = tmp_path_factory.mktemp("tiny-lm")
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass
class ChatServer:
    """What a test tells the server to say, and what it was asked."""

    url: str = ""
    reply: str = "red skin, round shape"
    refuses: set[str] = field(default_factory=set)
    """Last messages that get an error."""
    requests: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def chat_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """Speaks /v1/chat/completions on a free port."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    state = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append({"path": self.path, **body})
            failed = body["messages"][-1]["content"] in state.refuses
            message = {"role": "assistant", "content": state.reply}
            reply = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
            content = json.dumps({"error": "out of memory"} if failed else reply).encode()
            self.send_response(500 if failed else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
