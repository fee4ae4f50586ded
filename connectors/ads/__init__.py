"""What was spent on advertising, read from the ad accounts of networks: a family of connectors of its own."""
