"""Clients of social networks: pure Python, one file per network, no Django."""
