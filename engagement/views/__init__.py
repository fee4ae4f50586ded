"""Pages of the inbox; one module per subject."""
