# One image for Airflow's parts, their tasks, localaws and the set-up; nothing in it runs as root.
FROM python:3.12.11-slim-bookworm AS installed
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/sluice
COPY . .
RUN make install

FROM python:3.12.11-slim-bookworm
# What reading pictures needs.
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sluice && useradd --uid 10001 --gid 10001 --create-home sluice \
    && install -d -o sluice -g sluice /var/lib/sluice /var/lib/sluice/airflow \
       /var/lib/sluice/state /var/lib/sluice/corpora /var/lib/localaws
COPY --from=installed /opt/sluice /opt/sluice
WORKDIR /opt/sluice
ENV PATH=/opt/sluice/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
