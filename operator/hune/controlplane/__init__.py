"""The operator: it watches the kinds, plans their children and applies them."""
