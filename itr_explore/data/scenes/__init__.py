"""The embedded collection: rendered scenes whose words and relations are known."""
