"""What workers do: collecting counts, keeping the partitions."""
