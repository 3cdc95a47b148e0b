"""Which acknowledgments a source's own numbers surely show, where it shows them late.

A source may take our order into its books now and count it in what it tells us only ``delay_s`` later. No clocks are compared:
what counts is since when *this process* has known of an acknowledgment, by its own clock that never jumps. The acknowledgment is
older than our knowledge of it, so a read that starts ``delay_s`` after we saw epoch n contains every acknowledgment up to n.

A process that has just started has seen nothing and claims nothing. Other gateways may know more: what they took off our promises,
they took off because a read of theirs surely contained it. The delay was over then, and so it is for every read that starts later.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

SLOTS: Final = 16
"""Into how many parts the delay is divided: an epoch counts at most one part later than it could, and two are kept per part."""


@dataclass(slots=True, kw_only=True)
class Sightings:
    """What this process has seen of one source's epoch. ``delay_s`` is the source's visibility delay."""

    delay_s: float
    _shown: int = 0
    _ripening: deque[tuple[float, int]] = field(default_factory=deque)

    def see(self, epoch: int, at_s: float) -> None:
        """Note that so many acknowledgments had been committed before that instant. ``at_s`` never goes back."""
        newest = self._ripening[-1][1] if self._ripening else self._shown
        if epoch <= newest:
            return
        if len(self._ripening) > 1 and at_s - self._ripening[-2][0] < self.delay_s / SLOTS:
            self._ripening.pop()
        self._ripening.append((at_s, epoch))

    def prove(self, epoch: int) -> None:
        """Note that a read of somebody's contained them all up to that epoch."""
        self._shown = max(self._shown, epoch)

    def shown(self, at_s: float) -> int:
        """Up to which epoch a read that starts then contains all acknowledgments. ``at_s`` never goes back."""
        while self._ripening and at_s - self._ripening[0][0] >= self.delay_s:
            self.prove(self._ripening.popleft()[1])
        return self._shown
