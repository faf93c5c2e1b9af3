"""Pictures composed of icons, with captions and boxes, from a seed."""
