"""What tests/bench/run is made of: the servers, the works, the rounds, the figures, the pictures."""
