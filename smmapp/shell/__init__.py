"""What surrounds every page: navigation, Today, brand switch, notifications, language."""
