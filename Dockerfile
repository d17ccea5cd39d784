# serctl on a CPU, without PyTorch: classify, report, scan and merge. docs/install.md says how to run it.
#     docker build -t serctl .
#     docker run --rm --read-only --tmpfs /tmp -v "$PWD:/data" -u "$(id -u)" serctl classify recordings
FROM python:3.11-slim

COPY requirements-lean.txt pyproject.toml README.md LICENSE /src/
COPY serctl /src/serctl
COPY train /src/train
COPY weights /src/weights
# The doctor compiles numba's kernels into the image.
RUN pip install --no-cache-dir --no-deps -r /src/requirements-lean.txt /src \
    && rm -r /src \
    && NUMBA_CACHE_DIR=/opt/serctl/kernels serctl doctor \
    && chmod -R a+rX /opt/serctl

ENV NUMBA_CACHE_DIR=/tmp/serctl-kernels SERCTL_CACHE_DIR=/tmp/serctl-cache TMPDIR=/tmp
WORKDIR /data
USER 1000
# The root file system may be read-only: numba needs its kernels where it could write.
ENTRYPOINT ["sh", "-c", "cp -r /opt/serctl/kernels \"$NUMBA_CACHE_DIR\" && exec serctl \"$@\"", "serctl"]
