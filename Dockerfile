# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /venv
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY connectors connectors
RUN /venv/bin/pip install --no-cache-dir '.[postgres,sftp]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home dom
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER dom
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
# Mount the configuration at /data/dom.toml, with server.host = "0.0.0.0"; the promises are kept in /data as well.
ENTRYPOINT ["dom"]
CMD ["serve", "--config", "/data/dom.toml"]
