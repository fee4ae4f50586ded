"""``make run``: every part of the application under one supervisor."""
