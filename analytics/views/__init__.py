"""Pages of numbers and goals."""
