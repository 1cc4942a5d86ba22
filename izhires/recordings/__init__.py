"""What a run left: the recording, its schema, and the works that it is built on."""
