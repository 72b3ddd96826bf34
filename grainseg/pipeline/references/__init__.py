"""The classical references: tuning and prediction."""
