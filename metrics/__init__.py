"""What each number means and how it is computed: pure Python, no Django, no network."""
