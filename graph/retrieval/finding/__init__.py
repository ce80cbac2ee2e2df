"""Finding the candidates of one namespace: by the store's channels, and by a walk from the best of them."""
