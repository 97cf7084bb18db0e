"""From a scene to a picture: colours, DOT text, the engine, and what it drew."""
