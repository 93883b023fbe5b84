"""How numbers are written: rates with their interval, signed changes, counts; pure functions, plain text."""

from decimal import ROUND_HALF_UP, Decimal

FEW = 40  # below this many leads a rate is shown in grey italics: too few to lean on
MINUS = "−"
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def rounded(value, places=1):
    """`value` with `places` decimals, halves away from zero, and never "−0.0"."""
    number = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{abs(number) if number == 0 else number:f}".replace("-", MINUS)


def percent(share, places=1):
    """A share of 1 as a percentage: 0.193 → "19.3%"."""
    return f"{rounded(100 * share, places)}%"


def interval(low, high, places=1):
    """Two shares of 1 as a range: (0.164, 0.226) → "16.4–22.6"; with a minus on either side the dash becomes "to"."""
    a, b = rounded(100 * low, places), rounded(100 * high, places)
    return f"{a} to {b}" if MINUS in a + b else f"{a}–{b}"


def signed(number, places=1):
    """A change with its sign: 11 → "+11", −2.1 → "−2.1" (a true minus); whole numbers keep no decimals."""
    text = thousands(number) if isinstance(number, int) else rounded(number, places)
    return f"+{text}" if number > 0 and text.strip("0.") else text


def points(share, places=1):
    """A difference of two shares of 1 in percentage points: −0.021 → "−2.1 points"."""
    return f"{signed(100.0 * share, places)} points"


def thousands(number):
    """A count: 1234 → "1,234"."""
    return f"{number:,}".replace("-", MINUS)


def money(amount, currency=""):
    """An amount with its currency: 1200 → "EUR 1,200", 1200.5 → "EUR 1,200.50"; whole numbers keep no decimals."""
    number = Decimal(repr(amount) if isinstance(amount, float) else amount)
    number = number.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    digits = f"{number:,.0f}" if number == number.to_integral_value() else f"{number:,.2f}"
    return f"{currency} {digits.replace('-', MINUS)}".strip()


def leads(number):
    """ "1 lead", "1,234 leads" """
    return f"{thousands(number)} lead{'' if number == 1 else 's'}"


def in_words(number):
    """Small counts as words in a sentence: 7 → "seven"; from thirteen on as digits."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else thousands(number)
