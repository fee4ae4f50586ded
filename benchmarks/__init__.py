"""Measurements: ``uv run python -m benchmarks NAME [--json]``. docs/performance.md says what they showed."""
