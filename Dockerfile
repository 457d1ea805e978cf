# The course in a container. README.md has the two commands; tests/test_image.py builds and runs it.
#
# With a registry of your own, build with --build-arg PIP_INDEX_URL=... and --build-arg UV_DEFAULT_INDEX=...; behind a
# proxy that has certificates of its own, with --secret id=certificates,src=FILE. None of these stays in the image.
ARG BASE_IMAGE=debian:trixie-slim

# --- The environment: Debian's Python and the locked packages, compiled. -------------------------------------------
FROM ${BASE_IMAGE} AS environment

# Debian's stable release is the pin: its versions change for security only.
# hadolint ignore=DL3008
RUN apt-get update -q && \
    apt-get install -y -q --no-install-recommends ca-certificates python3 python3-venv && \
    rm -rf /var/lib/apt/lists/*

ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never

WORKDIR /srv/locks
COPY requirements.txt requirements-dev.txt ./
# uv is locked among the developers' packages. Given certificates take the place of Debian's for this step alone.
RUN --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements-dev.txt >uv.txt && \
    python3 -m venv /srv/tools && \
    /srv/tools/bin/pip install --no-cache-dir --progress-bar=off --require-hashes -r uv.txt && \
    /srv/tools/bin/uv venv -q --python /usr/bin/python3 /srv/python && \
    /srv/tools/bin/uv pip install --python /srv/python --no-progress --require-hashes -r requirements.txt

# --- The image: the same Python, the environment, the course. ------------------------------------------------------
FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="corewise" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Executive Development Programme in Efficient Data Processing with Python Multiprocessing" \
      org.opencontainers.image.licenses="BSD-3-Clause AND CC-BY-4.0"

# hadolint ignore=DL3008
RUN apt-get update -q && \
    apt-get install -y -q --no-install-recommends python3 tini && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/*

COPY --from=environment /srv/python /srv/python

WORKDIR /srv/corewise
COPY pyproject.toml README.md LICENSE ./
COPY grader grader
COPY course course
COPY labs labs
# JupyterLab listens on all of the container's addresses: who reaches them is for `docker run -p` to say. It asks for
# its token as everywhere.
RUN --mount=type=bind,from=environment,source=/srv/tools,target=/mnt \
    chmod -R a+rX . && \
    /mnt/bin/uv pip install --python /srv/python --no-cache --offline --no-deps --no-build-isolation -e . && \
    /srv/python/bin/python -m compileall -q grader course labs && \
    echo '{"ServerApp": {"ip": "0.0.0.0"}}' >/srv/python/etc/jupyter/jupyter_server_config.json

# repo2docker gives these two.
ARG NB_USER=jovyan
ARG NB_UID=1000
# The workspace is there, and the learner's, so that a volume put on it is the learner's too.
RUN useradd --create-home --shell /bin/bash --uid ${NB_UID} ${NB_USER} && \
    install -d -o ${NB_USER} -g ${NB_USER} /home/${NB_USER}/corewise
ENV USER=${NB_USER} HOME=/home/${NB_USER} PATH=/srv/python/bin:${PATH} LANG=C.UTF-8
WORKDIR /home/${NB_USER}
USER ${NB_UID}

EXPOSE 8888
# Below 500: a hub's server answers under another path.
HEALTHCHECK --start-period=60s --timeout=5s CMD ["python", "-I", "-c", "\
from http.client import HTTPConnection; \
jupyter = HTTPConnection('127.0.0.1', 8888, timeout=4); \
jupyter.request('GET', '/api'); \
raise SystemExit(jupyter.getresponse().status >= 500)"]
ENTRYPOINT ["tini", "--"]
CMD ["corewise", "learn", "--no-browser", "--port=8888"]
