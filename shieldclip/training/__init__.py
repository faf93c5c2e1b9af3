"""Training: recipes, defences and their losses, over one loop."""
