"""From a model's insides to records of numpy arrays."""
