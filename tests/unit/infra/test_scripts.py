"""The small scripts that the image is built and started with."""

import os
import subprocess
from pathlib import Path

import pytest

IMAGE = Path(__file__).parents[3] / "tools" / "image"


@pytest.fixture
def programs(tmp_path):
    """A folder of programs that say how they were called."""
    for name in ("python3.11", "aws-lambda-rie"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o755)
    return tmp_path


def run(script, *arguments, programs, name=None, **env):
    path = IMAGE / script
    if name is not None:
        path = programs / name
        path.symlink_to(IMAGE / script)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", **env}
    return subprocess.run(
        [path, *arguments], env=env, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_on_lambda_the_runtime_client_is_started_alone(programs):
    said = run("entrypoint.sh", "a.b", programs=programs, AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")
    assert said == "python3.11 -m awslambdaric a.b"


def test_elsewhere_the_emulator_stands_in(programs):
    expected = "aws-lambda-rie --runtime-interface-emulator-address {} python3.11 -m awslambdaric a.b"
    assert run("entrypoint.sh", "a.b", programs=programs) == expected.format("0.0.0.0:8080")
    address = "127.0.0.1:9000"
    assert run("entrypoint.sh", "a.b", programs=programs, EMULATOR_ADDRESS=address) == expected.format(address)


def test_the_compiler_builds_for_lambda_s_processors_and_an_old_libc(programs):
    said = run("compiler.sh", "-c", "x.cpp", programs=programs, name="c++")
    assert said.startswith("python3.11 -m ziglang c++ -target ")
    assert "-linux-gnu.2.17 -mcpu=" in said
    assert said.endswith(" -c x.cpp")
    assert run("compiler.sh", "crs", "x.a", programs=programs, name="ar") == "python3.11 -m ziglang ar crs x.a"


def test_what_lambda_never_loads_is_taken_out(tmp_path):
    kept = [
        "gpt4all/llmodel_DO_NOT_MODIFY/build/libllmodel.so",
        "gpt4all/llmodel_DO_NOT_MODIFY/build/libllamamodel-mainline-kompute.so",
        "llama_cpp/lib/libllama.so.0",
        "re2/__init__.py",
    ]
    gone = [
        "bin/openai",
        "lib/libllama.so",
        "include/llama.h",
        "gpt4all/llmodel_DO_NOT_MODIFY/build/libllamamodel-mainline-cuda.so",
        "gpt4all/llmodel_DO_NOT_MODIFY/build/libllamamodel-mainline-kompute-avxonly.so",
        "llama_cpp/lib/libllama.so.0.5.0",
        "numpy/core/x.h",
    ]
    for name in [*kept, *gone, "llama_cpp/lib/libllama.so"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    subprocess.run([IMAGE / "trim.sh", tmp_path], check=True)
    assert all((tmp_path / name).read_text() == name for name in kept)
    assert not any((tmp_path / name).exists() for name in gone)
    assert (tmp_path / "llama_cpp/lib/libllama.so").readlink() == Path("libllama.so.0")
