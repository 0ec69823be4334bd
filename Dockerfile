# The game in an image: no compiler, no package manager, not root, nothing writable but /data and /tmp.
#   docker build -t amazonia .
#   docker run --read-only --tmpfs /tmp -v amazonia:/data -e SECRET_KEY=… -p 8000:8000 --stop-timeout 35 amazonia

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/amazonia

# What the game needs changes seldom: this layer stays until the lock file changes.
COPY requirements-scale.lock ./
RUN python -m pip --python /opt/amazonia/bin/python install --only-binary=:all: --require-hashes -r requirements-scale.lock

COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY cases ./cases
RUN python -m pip --python /opt/amazonia/bin/python install --no-index --no-deps --no-build-isolation .

# What is learned from the cases (some twenty seconds) is learned here; `entrypoint` hands it on.
COPY --chmod=0755 deploy/entrypoint deploy/healthcheck.py deploy/learn.py /opt/amazonia/deploy/
RUN AMAZONIA_DATA=/opt/amazonia /opt/amazonia/bin/python /opt/amazonia/deploy/learn.py \
 && chmod -R a+rX /opt/amazonia/learned

FROM python:3.13-slim-trixie
ENV PATH=/opt/amazonia/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AMAZONIA_ENV=production \
    AMAZONIA_DATA=/data \
    PORT=8000
RUN groupadd --system --gid 10001 amazonia \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin amazonia \
 && install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /opt/amazonia /opt/amazonia

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

# Asked to stop, the game answers the turns under way, which takes TURN_DEADLINE + 7 s at most:
# whoever stops it must wait longer than that (--stop-timeout, stop_grace_period).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "/opt/amazonia/deploy/healthcheck.py"]
ENTRYPOINT ["/opt/amazonia/deploy/entrypoint"]
CMD ["amazonia", "serve", "--host", "0.0.0.0"]
