"""The check of rows against a data contract, and a contract inferred from rows; numpy only."""
