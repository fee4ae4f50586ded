"""The kernel without domain words: ids, crypto, time, paging, HTMX, template tags."""
