"""What can be done with people and their data; one module per subject."""
