# docker build -t vmfdlint . && docker run --rm -v "$PWD:/src" vmfdlint
FROM python:3.11-slim AS build
COPY . /vmfdlint
RUN python -m venv /opt/vmfdlint && /opt/vmfdlint/bin/pip install --no-cache-dir /vmfdlint

FROM python:3.11-slim
# For --baseline-commit, --diff-base and what a SARIF report says of the commit. A mounted tree belongs to somebody
# else than the user in here, which git refuses to read without this.
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
COPY --from=build /opt/vmfdlint /opt/vmfdlint
ENV PATH="/opt/vmfdlint/bin:$PATH"
WORKDIR /src
ENTRYPOINT ["vmfdlint"]
CMD ["check"]
