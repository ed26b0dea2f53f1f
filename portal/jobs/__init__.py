"""Work with a status: asked for once, done by a worker, watched live, never lost."""
