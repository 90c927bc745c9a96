# One image, three roles: web (the default), worker, scheduler. Needs DATABASE_URL, REDIS_URL, SECRET_KEY, ALLOWED_HOSTS.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin countersign \
    && install -d -o countersign -g countersign /app /data /data/checkpoints
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY . .
RUN chmod 0755 docker/role
# The static files are part of the image; the key serves this one command and is kept nowhere.
RUN SECRET_KEY=only-for-collecting-the-static-files python manage.py prepare --static-only

USER countersign
EXPOSE 8000
ENTRYPOINT ["docker/role"]
CMD ["web"]
