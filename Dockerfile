# Two images from one file: the workbench (--target app) and the service (--target service).
# Both run on the CPU, as a user without rights, and write nothing but to /tmp.
FROM python:3.12.12-slim-bookworm AS base
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /fervt
COPY requirements.txt ./
# PyTorch's two first, both from its index of CPU builds, and no GPU libraries: they are gigabytes.
RUN grep -E '^torch(vision)?==' requirements.txt >torch.txt \
    && pip install --index-url "$TORCH_INDEX" -r torch.txt \
    && grep -vE '^(nvidia|cuda|triton)' requirements.txt >rest.txt \
    && pip install -r rest.txt \
    && useradd --system --uid 10001 --create-home fervt
COPY fervt fervt
COPY assets assets
USER 10001

FROM base AS service
EXPOSE 5000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5000/readyz', timeout=4)"]
CMD ["python", "-m", "fervt", "serve", "--host", "0.0.0.0", "--port", "5000"]

FROM base AS app
COPY .streamlit .streamlit
COPY pages pages
COPY streamlit_app.py ./
EXPOSE 8501
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "fervt", "app", "--host", "0.0.0.0", "--port", "8501"]
