"""Around a training: resuming it, its validation and partition, and what is known of it later."""
