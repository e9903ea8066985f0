# One image for Lambda and for the desk: the base only has to hold Python 3.11, pip and the Runtime Interface Emulator.
# Compiler and packages come as wheels with hashes, so that every base gives the same result and none needs its own
# package manager. Plain Dockerfile syntax throughout: docker, buildah and `sam build` all read it.
# `tools/image/pin.sh` puts the digest behind the name; until then a build takes what the name stands for that day.
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.11

# --- llama.cpp, compiled once: nothing that changes often stands above it -----------------------------------------------

FROM ${BASE_IMAGE} AS native
WORKDIR /build
COPY requirements/toolchain.txt ./
RUN python3.11 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary :all: \
    --target /build/toolchain --requirement toolchain.txt
COPY tools/image/compiler.sh ./bin/cc
RUN ln -s cc bin/c++ && ln -s cc bin/ar && ln -s cc bin/ranlib
COPY requirements/native.txt ./
ENV PYTHONPATH=/build/toolchain \
    PATH=/build/toolchain/bin:$PATH \
    CC=/build/bin/cc \
    CXX=/build/bin/c++ \
    CFLAGS=-g0 \
    CXXFLAGS=-g0 \
    LDFLAGS=-s \
    CMAKE_ARGS="-DCMAKE_AR=/build/bin/ar -DCMAKE_RANLIB=/build/bin/ranlib -DGGML_NATIVE=OFF -DGGML_CCACHE=OFF -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_OPENSSL=OFF"
# GGML names each x86 instruction set, and has its own threads where there is no OpenMP.
RUN if [ "$(uname -m)" = x86_64 ]; then \
        export CMAKE_ARGS="$CMAKE_ARGS -DGGML_SSE42=ON -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON"; \
    fi \
    && python3.11 -m pip wheel --no-cache-dir --no-deps --no-build-isolation --require-hashes \
        --wheel-dir /build/wheels --requirement native.txt

# --- every Python package, with its bytecode ----------------------------------------------------------------------------

FROM ${BASE_IMAGE} AS packages
WORKDIR /build
COPY requirements/runtime.txt ./
RUN python3.11 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary :all: \
    --target /opt/python --requirement runtime.txt
COPY --from=native /build/wheels ./wheels
COPY tools/image/trim.sh ./
# Packages are never edited in place, so their bytecode is trusted without a look at the source.
RUN python3.11 -m pip install --quiet --no-cache-dir --no-deps --no-index --target /opt/python wheels/*.whl \
    && sh trim.sh /opt/python \
    && python3.11 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/python

# --- the bot: validated here, so that a bad pipeline never becomes an image ------------------------------------------------

FROM packages AS application
WORKDIR /var/task
ENV PYTHONPATH=/opt/python
COPY lambda_function.py ./
COPY engine ./engine
COPY replies ./replies
COPY kinds ./kinds
COPY pipelines ./pipelines
# Checked against the source's hash: a file mounted over one of these takes effect, and times play no part.
RUN python3.11 -m engine validate \
    && for pipeline in pipelines/*.yml; do python3.11 -m engine build --plan-only --pipeline "$pipeline" || exit 1; done \
    && find . -name __pycache__ -prune -exec rm -r {} + \
    && python3.11 -m compileall -q --invalidation-mode checked-hash .

# --- what runs: no compiler, no build files, no root ------------------------------------------------------------------------

FROM ${BASE_IMAGE} AS runtime
LABEL org.opencontainers.image.title="snack-misaki-backend" \
      org.opencontainers.image.description="A config-driven engine for persona chatbots on AWS Lambda" \
      org.opencontainers.image.licenses="MIT"
ENV PYTHONPATH=/opt/python \
    PYTHONDONTWRITEBYTECODE=1 \
    LAMBDA_TASK_ROOT=/var/task \
    HOME=/tmp \
    OPENBLAS_NUM_THREADS=1
WORKDIR /var/task
COPY --from=packages /opt/python /opt/python
COPY tools/image/entrypoint.sh /usr/local/bin/lambda-entrypoint
COPY --from=application /var/task ./
COPY LICENSE NOTICE ./
USER 1000:1000
# A library that this base cannot load fails the build, not the first turn.
RUN ["python3.11", "-c", "import awslambdaric, boto3, llama_cpp, openai, rapidfuzz, re2, sudachidict_small, sudachipy, yaml"]
ENTRYPOINT ["/usr/local/bin/lambda-entrypoint"]
CMD ["lambda_function.lambda_handler"]

# --- the same with a model inside: --build-arg MODEL=path/in/the/repository.gguf ---------------------------------------------

FROM runtime AS warm
ARG MODEL=.models/gemma3-270m-q4_k_m.gguf
ARG PIPELINE=pipelines/snack_misaki.yml
USER 0:0
COPY ${MODEL} /opt/model/model.gguf
ENV LOCAL_LLM_MODEL=/opt/model/model.gguf \
    MISAKI_PIPELINE=${PIPELINE}
# Reads the unchanging beginning of the prompts once, and keeps what came of it beside the model.
RUN python3.11 -m engine build
USER 1000:1000

FROM runtime AS runtime-with-model
ARG PIPELINE=pipelines/snack_misaki.yml
COPY --from=warm /opt/model /opt/model
ENV LOCAL_LLM_MODEL=/opt/model/model.gguf \
    MISAKI_PIPELINE=${PIPELINE}

# --- the same with the tools of development; the source is mounted over /var/task -----------------------------------------------

FROM runtime AS development
USER 0:0
COPY requirements/development.txt /tmp/development.txt
RUN python3.11 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary :all: \
        --target /opt/python --requirement /tmp/development.txt \
    && rm /tmp/development.txt
COPY tools/image/python.py /usr/local/bin/python
COPY pyproject.toml constraints.txt Makefile README.md ./
COPY tests ./tests
COPY tools ./tools
COPY benchmarks ./benchmarks
COPY docs ./docs
COPY examples ./examples
# The mounted source may belong to another user, so that caches go where everyone may write.
ENV HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    MYPY_CACHE_DIR=/tmp/mypy \
    PYTEST_ADDOPTS="--override-ini=cache_dir=/tmp/pytest" \
    RUFF_CACHE_DIR=/tmp/ruff
USER 1000:1000
ENTRYPOINT ["python", "-m", "tools.dev", "--host", "0.0.0.0", "--port", "8080", "--chat-port", "8081"]
CMD []

# --- what `docker build .` gives: the image that runs in production ------------------------------------------------------------

FROM runtime AS production
