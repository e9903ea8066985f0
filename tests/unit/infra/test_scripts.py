"""The small scripts that the image is built and started with."""

import os
import shutil
import subprocess
import sys
import tempfile
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


@pytest.mark.parametrize(("streaming", "client"), [("true", "engine.aws.runtime"), ("false", "awslambdaric")])
def test_streams_have_a_client_of_their_own(programs, streaming, client):
    env = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001", "STREAMING": streaming}
    assert run("entrypoint.sh", "a.b", programs=programs, **env) == f"python3.11 -m {client} a.b"


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


PINNED = "@sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def registry(tmp_path):
    """A docker that knows one digest, and copies of the files that name images."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho {PINNED[1:]}\n")
    docker.chmod(0o755)
    for name in ("Dockerfile", "docker-compose.yml"):
        shutil.copy(IMAGE.parents[1] / name, tmp_path)
    return tmp_path


def pin(registry):
    env = {"PATH": f"{registry}:{os.environ['PATH']}"}
    return subprocess.run([IMAGE / "pin.sh", registry], env=env, capture_output=True, text=True, check=False)


def test_images_of_others_get_their_digests(registry):
    for _ in range(2):
        assert pin(registry).returncode == 0
        dockerfile, compose = ((registry / name).read_text() for name in ("Dockerfile", "docker-compose.yml"))
        assert f"ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.11{PINNED}\n" in dockerfile
        assert f"${{BASE_IMAGE:-public.ecr.aws/lambda/python:3.11{PINNED}}}" in compose
        assert f"image: amazon/dynamodb-local:2.5.2{PINNED}\n" in compose
        assert "image: snack-misaki-backend:development\n" in compose
        assert (dockerfile + compose).count(PINNED) == 3


def test_what_is_no_digest_is_not_written(registry):
    (registry / "docker").write_text("#!/bin/sh\necho not found\n")
    before = (registry / "Dockerfile").read_text()
    assert pin(registry).returncode == 1
    assert (registry / "Dockerfile").read_text() == before


@pytest.fixture
def source():
    """A folder that everybody may look into, with a program in the place of Python that tells who runs it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "python3.11").write_text("#!/bin/sh\nid -u\n")
        (folder / "python3.11").chmod(0o755)
        yield folder


def may_be_anybody():
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chown(folder, 1, 1)
        except PermissionError:
            return False
    return True


@pytest.mark.parametrize("owner", [1234, 0] if may_be_anybody() else [os.getuid()])
def test_python_in_the_image_of_development_runs_as_the_owner_of_the_source(source, owner):
    if owner != os.getuid():
        os.chown(source, owner, owner)
    env = {"PATH": f"{source}:{os.environ['PATH']}", "LAMBDA_TASK_ROOT": str(source)}
    script = [sys.executable, IMAGE / "python.py", "-c", "pass"]
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(owner), "")
