"""Tensors in, tensors out: the mathematics that models share."""
