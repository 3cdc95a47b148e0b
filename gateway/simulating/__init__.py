"""`dom simulate`: ways of routing side by side, over orders of the past or orders that might come."""

from gateway.simulating.grounds import Ground, Untried, made_up_ground, recorded_ground
from gateway.simulating.picture import picture
from gateway.simulating.telling import tell

__all__ = ["Ground", "Untried", "made_up_ground", "picture", "recorded_ground", "tell"]
