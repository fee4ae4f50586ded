"""What can be done in the inbox; one module per subject."""
