"""What surrounds a training: what came before it, what its validation says, what is told of it later."""
