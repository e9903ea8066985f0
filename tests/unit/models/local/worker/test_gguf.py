from __future__ import annotations

import contextlib
import random
from functools import partial

import llama_cpp
import pytest

from engine.models.local.worker.forgery import Censor
from engine.models.local.worker.gguf import DamagedFile, read_metadata
from tests.models import CHATML, write_tiny_model


def test_what_a_prompt_needs_is_read(tmp_path):
    metadata = read_metadata(write_tiny_model(tmp_path / "tiny.gguf", chat_template=CHATML))
    assert (metadata.architecture, metadata.name, metadata.context) == ("llama", "Tiny", 512)
    assert metadata.chat_template == CHATML
    assert (metadata.bos, metadata.eos, metadata.adds_bos) == ("<s>", "</s>", True)
    assert metadata.control_tokens == {"<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"}


def test_a_base_model_has_no_template(tiny_path):
    assert read_metadata(tiny_path).chat_template is None


def test_real_models(gemma_path, smollm2_path):
    gemma, smollm2 = read_metadata(gemma_path), read_metadata(smollm2_path)
    assert (gemma.name, gemma.bos, gemma.adds_bos, gemma.chat_template) == ("Gemma 3 270m", "<bos>", True, None)
    assert {"<start_of_turn>", "<end_of_turn>"} <= gemma.control_tokens
    assert smollm2.control_tokens >= {"<|im_start|>", "<|im_end|>"}
    assert "im_start" in (smollm2.chat_template or "")


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(DamagedFile, match="not in GGUF format"):
        read_metadata(path)


def test_damage_is_one_kind_of_error(tmp_path, tiny_path):
    data, dice = tiny_path.read_bytes(), random.Random(7)
    copy = tmp_path / "copy.gguf"
    read = 0
    for _ in range(300):
        broken = bytearray(data[: dice.randrange(5, len(data))])
        for _ in range(dice.randrange(4)):
            broken[dice.randrange(min(len(broken), 8000))] = dice.randrange(256)
        copy.write_bytes(broken)
        with contextlib.suppress(DamagedFile):
            read_metadata(copy)
            read += 1
    assert 0 < read < 300


def test_a_version_from_the_future_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + (99).to_bytes(4, "little") + bytes(16))
    with pytest.raises(DamagedFile, match="version"):
        read_metadata(path)


def test_what_llama_cpp_takes_for_a_command_is_blanked(gemma_path, smollm2_path):
    """By its own vocabulary: some tokens are commands to it by their text, whatever the file says."""
    for path in (gemma_path, smollm2_path):
        censor = Censor(read_metadata(path).control_tokens)
        llama = llama_cpp.Llama(str(path), n_ctx=64, vocab_only=True, verbose=False)
        vocabulary = llama_cpp.llama_model_get_vocab(llama.model)
        tokens = range(llama_cpp.llama_vocab_n_tokens(vocabulary))
        commands = filter(partial(llama_cpp.llama_vocab_is_control, vocabulary), tokens)
        texts = [llama_cpp.llama_vocab_get_text(vocabulary, token).decode() for token in commands]
        assert "</s>" in texts or path == smollm2_path
        assert [text for text in texts if text and text in censor.clean(f"a{text}b")] == []


def test_what_a_file_names_as_its_end_is_a_command_whatever_kind_it_gives_it(tmp_path):
    path = tmp_path / "named.gguf"
    write_tiny_model(path, end="<turn/>")
    assert "<turn/>" in read_metadata(path).control_tokens
    write_tiny_model(path, end="owari")
    assert "owari" not in read_metadata(path).control_tokens
