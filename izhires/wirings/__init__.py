"""Who is connected with whom: one rule a file."""
