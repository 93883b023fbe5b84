"""What the browser journeys share."""

# true once no colour fades from one theme to the other; a spinner that never ends does not count
STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""
