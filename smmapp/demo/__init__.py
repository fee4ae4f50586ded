"""The demo: an agency with two brands, its people, sandbox accounts and four weeks of posts."""
