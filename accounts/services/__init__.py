"""What people and workers do with organizations, members and social accounts, by subject."""
