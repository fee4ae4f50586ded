# One image for every part: web, worker, dispatch, beat. Each starts with `python -m smmapp.run <part>`.

FROM node:24-slim AS frontend
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
# The build collects the icons that templates and views name.
COPY . /app
RUN node build.mjs

FROM python:3.12-slim AS packages
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml uv.lock ./
# Servers, Node and tools of development stay out.
RUN uv sync --frozen --no-default-groups

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home smmapp \
    && mkdir -p /var/lib/smmapp /secrets \
    && chown smmapp:smmapp /var/lib/smmapp /secrets
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SMM_VAR_DIR=/var/lib/smmapp \
    SMM_STATIC_ROOT=/app/collected
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY . .
COPY --from=frontend /app/static/dist static/dist
# The keys are for these commands only, which encrypt and sign nothing.
RUN python -m core.messages compile \
    && SMM_SECRET_KEY=unused SMM_FIELD_KEYS=unused python manage.py collectstatic --no-input --verbosity=0
USER smmapp
EXPOSE 8000
CMD ["python", "-m", "smmapp.run", "web"]
