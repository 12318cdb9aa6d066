"""What runs beside and around a model."""
