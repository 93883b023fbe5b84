"""Forgetting a person, and giving a person what is known of them: each app says what it holds."""
