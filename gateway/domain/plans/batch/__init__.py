"""All orders of a wave at once: prices of what is scarce, the most certain orders first, then again and again some of them anew."""

from gateway.domain.plans.batch.together import WAITING, BatchPlan, plan_together
from gateway.domain.plans.batch.waves import Wave, wave_of, wave_of_orders

__all__ = ["WAITING", "BatchPlan", "Wave", "plan_together", "wave_of", "wave_of_orders"]
