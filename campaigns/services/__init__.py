"""What can be done with campaigns, links and conversions; one module per subject."""
