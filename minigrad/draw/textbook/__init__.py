"""The book's figures: a folded graph is read as a chart and laid out over time."""
