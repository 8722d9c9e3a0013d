"""The web door: health, one-click unsubscribe and preferences."""
