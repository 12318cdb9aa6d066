"""Explanations of a served model's answers: exact ones for trees, sampled ones for the rest."""
