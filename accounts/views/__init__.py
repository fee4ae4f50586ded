"""Pages of organizations, people and social accounts, by subject."""
