"""Models for tests: tiny ones with random weights, made in milliseconds, and a real one in a form for gpt4all."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML

CONTROL = ("<|im_start|>", "<|im_end|>")
_SPACE = "▁".encode()
"""Without a token for it a blank takes three, and gpt4all counts on no text having more tokens than bytes."""

_WIDTH, _HIDDEN, _HEADS, _CONTEXT = 32, 64, 4, 512


def write_tiny_model(
    path: Path,
    *,
    chat_template: str | None = None,
    context: int = _CONTEXT,
    end: str | None = None,
    control: tuple[str, ...] = CONTROL,
) -> Path:
    """A model of one layer over bytes that loads in both engines and writes nonsense; `end` is an ordinary token that
    the file names as the end of a turn.
    """
    tokens = [b"<unk>", b"<s>", b"</s>", *(b"<0x%02X>" % byte for byte in range(256))]
    tokens += [*map(str.encode, control), _SPACE]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    kinds += [TokenType.BYTE] * 256 + [TokenType.CONTROL] * len(control) + [TokenType.NORMAL]
    if end is not None:
        tokens.append(end.encode())
        kinds.append(TokenType.NORMAL)
    writer = GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    if end is not None:
        writer.add_eot_token_id(len(tokens) - 1)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for name, shape in _shapes(len(tokens)).items():
        writer.add_tensor(name, _weights(name, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    square, up = (_WIDTH, _WIDTH), (_HIDDEN, _WIDTH)
    attention = {f"blk.0.attn_{part}.weight": square for part in ("q", "k", "v", "output")}
    feed_forward = {"blk.0.ffn_gate.weight": up, "blk.0.ffn_up.weight": up, "blk.0.ffn_down.weight": (_WIDTH, _HIDDEN)}
    norms = dict.fromkeys(("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"), (_WIDTH,))
    ends = {"token_embd.weight": (vocabulary, _WIDTH), "output.weight": (vocabulary, _WIDTH)}
    return {**ends, **attention, **feed_forward, **norms}


def _weights(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if "norm" in name:
        return np.ones(shape, dtype=np.float32)
    return np.random.default_rng(len(name)).normal(0, 0.3, shape).astype(np.float32)


def for_gpt4all(source: Path, target: Path) -> Path:
    """SmolLM2 for an engine that is older than its tokenizer's name; `starcoder` splits text by the same rule.

    The name is three bytes longer, so the model's title gives up three: everything behind them stays where it was.
    """
    data = source.read_bytes()
    longer = with_value(data, "tokenizer.ggml.pre", b"starcoder")
    title = _value(longer, "general.name")
    target.write_bytes(with_value(longer, "general.name", title[: len(data) - len(longer)]))
    return target


def _value_at(data: bytes, key: str) -> int:
    """Where the string value of `key` begins with its length; between them stands the type."""
    name = key.encode()
    return data.index(struct.pack("<Q", len(name)) + name) + 8 + len(name) + 4


def _value(data: bytes, key: str) -> bytes:
    at = _value_at(data, key)
    (length,) = struct.unpack_from("<Q", data, at)
    return data[at + 8 : at + 8 + length]


def with_value(data: bytes, key: str, value: bytes) -> bytes:
    at = _value_at(data, key)
    end = at + 8 + len(_value(data, key))
    return data[:at] + struct.pack("<Q", len(value)) + value + data[end:]
