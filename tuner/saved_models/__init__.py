"""What is done with saved models: predict with one, verify them all."""
