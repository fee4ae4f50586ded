"""A small social network with a real HTTP API, for demonstration, tests and load (docs/sandbox.md).

It runs as its own process (``python -m sandbox``) and imports nothing of the application; the
application knows it only through ``connectors/sandbox.py``.
"""
