"""Small trained weights for the embedded collection."""
