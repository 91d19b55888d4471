"""Something to hear and to see in the demo, made here so that nothing is downloaded."""

from __future__ import annotations

import io
import math
import wave
from array import array

__all__ = ["MEDIA", "Media"]

Media = tuple[str, bytes]
"""A media type and the content."""

_RATE = 16_000
_NOTES = (392.0, 440.0, 523.25, 440.0, 587.33, 523.25)
_NOTE_S = 0.6


def _sound() -> bytes:
    """Return a short tune as a WAV file."""
    samples = array("h")
    for note in _NOTES:
        count = round(_RATE * _NOTE_S)
        for n in range(count):
            loudness = math.exp(-4 * n / count)
            samples.append(round(12_000 * loudness * math.sin(2 * math.pi * note * n / _RATE)))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return content.getvalue()


_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" viewBox="0 0 640 400">
<rect width="640" height="400" fill="#bfe3f5"/><rect y="280" width="640" height="120" fill="#9bc48a"/>
<circle cx="560" cy="70" r="36" fill="#f7d154"/>
<g fill="#8a5a36"><ellipse cx="210" cy="270" rx="95" ry="45"/><circle cx="310" cy="225" r="38"/>
<rect x="140" y="290" width="18" height="60"/><rect x="180" y="295" width="18" height="58"/>
<rect x="240" y="295" width="18" height="58"/><rect x="275" y="290" width="18" height="60"/>
<path d="M290 195l-8 45 26-20zM118 262q-40-20-46-60 20 40 56 44z"/></g>
<circle cx="322" cy="218" r="5"/><circle cx="346" cy="232" r="7"/>
<g fill="#d9822b"><ellipse cx="470" cy="318" rx="48" ry="24"/><circle cx="520" cy="296" r="20"/></g>
<circle cx="526" cy="292" r="3"/></svg>
"""

MEDIA: dict[str, Media] = {
    "/tune.wav": ("audio/wav", _sound()),
    "/dogs.svg": ("image/svg+xml", _PICTURE.encode()),
}
"""What the demo's receiver also serves, by path."""
