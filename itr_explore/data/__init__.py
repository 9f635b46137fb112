"""Collections, words and batches: where images, captions, boxes and truth come from."""
