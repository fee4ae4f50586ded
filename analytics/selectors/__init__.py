"""Reads of numbers: of one post, of an account, of all accounts."""
