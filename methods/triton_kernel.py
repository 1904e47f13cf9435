"""The kernel behind `triton_polyphase`, in Triton's language; importing this module needs Triton.

A program makes a strip of one plane: `block` neighbouring columns of all output rows that lie in `cells`
neighbouring cells (a cell is the gap between two input rows, `scale` output rows). It reads each input row and
blends it along x once, keeps the result in registers for every output row that needs it, and stores whole rows,
phases side by side. Weights are compile-time constants; at the border they follow `filters.taps`.
"""
# In a kernel, names stand for pointers and blocks, whatever Python takes them for:
# mypy: ignore-errors
# ruff: noqa: RUF005 - Triton's language can join tuples and cannot unpack one within another

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError("needs Triton, which is for Linux: pip install upbench[triton]") from error


@triton.jit
def _inside(pixel, size):
    """The nearest index that an axis of that size has."""
    return tl.minimum(tl.maximum(pixel, 0), size - 1)


@triton.jit
def _weight(phase, tap: tl.constexpr, table: tl.constexpr, scale: tl.constexpr):
    """Each output's weight for a tap, `filters.cell` by its phase; `table` has it at `tap * scale + phase`."""
    weight = table[tap * scale]
    for candidate in tl.static_range(1, scale):
        weight = tl.where(phase == candidate, table[tap * scale + candidate], weight)
    return weight


@triton.jit
def _renormalised(weights, cell, size, taps: tl.constexpr):
    """The weights without those of taps beyond the border, divided by what remains (`filters.Kernel.clamp`)."""
    kept = ()
    total = 0.0
    for tap in tl.static_range(taps):
        pixel = cell + (tap - taps // 2)
        weight = tl.where((pixel >= 0) & (pixel < size), weights[tap], 0.0)
        total += weight
        kept = kept + (weight,)
    total = tl.where(total == 0.0, 1.0, total)  # outputs far beyond the border, which are never stored
    shares = ()
    for tap in tl.static_range(taps):
        shares = shares + (kept[tap] / total,)
    return shares


@triton.jit
def _rounded(values, dtype: tl.constexpr):
    """From float32 to the image's dtype, rounded once, to nearest and ties to even.

    uint8 is clamped first. At 1.5 * 2**23 a float32 has no bits left for a fraction, so that adding it rounds.
    """
    if dtype == tl.uint8:
        values = tl.minimum(tl.maximum(values, 0.0), 255.0)
        values = (values + 12582912.0) - 12582912.0
    return values.to(dtype)


@triton.jit
def upsample_strip(
    low,
    high,
    height,
    width,
    high_width,
    table: tl.constexpr,
    scale: tl.constexpr,
    taps: tl.constexpr,
    clamp: tl.constexpr,
    cells: tl.constexpr,
    block: tl.constexpr,
):
    """`low` `(P, height, width)` to `high` `(P, scale * height, high_width)`, both contiguous.

    Launch `P * ceil((height + 1) / cells) * ceil(high_width / block)` programs. Offsets of planes and rows are
    64-bit, those within a row 32-bit. `high_width` is handed in, not calculated, so that Triton sees whether rows
    are aligned.
    """
    first: tl.constexpr = scale - scale // 2  # the phase of output 0, whose cell lies before pixel 0
    blocks = tl.cdiv(high_width, block)
    strips = tl.cdiv(height + 1, cells)
    program = tl.program_id(0)
    top = (program // blocks) % strips * cells
    plane = (program // (blocks * strips)).to(tl.int64)

    column = program % blocks * block + tl.arange(0, block)
    cell = (column + first) // scale
    places = ()
    across = ()
    for tap in tl.static_range(taps):
        places = places + (_inside(cell + (tap - taps // 2), width),)
        across = across + (_weight((column + first) % scale, tap, table, scale),)
    if not clamp:
        across = _renormalised(across, cell, width, taps)

    rows = ()
    for row in tl.static_range(cells + taps - 1):
        start = low + (plane * height + _inside(top + (row - taps // 2), height)) * width
        blend = 0.0
        for tap in tl.static_range(taps):
            blend += across[tap] * tl.load(start + places[tap]).to(tl.float32)
        rows = rows + (blend,)

    for step in tl.static_range(cells):
        for phase in tl.static_range(scale):
            y = (top + step) * scale + (phase - first)
            down = ()
            for tap in tl.static_range(taps):
                down = down + (table[tap * scale + phase],)
            if not clamp:
                down = _renormalised(down, top + step, height, taps)
            blend = 0.0
            for tap in tl.static_range(taps):
                blend += down[tap] * rows[step + tap]
            end = tl.where((y >= 0) & (y < scale * height), high_width, 0)
            place = high + (plane * (scale * height) + y) * high_width + column
            tl.store(place, _rounded(blend, high.dtype.element_ty), mask=column < end)


INTERPRETED = not isinstance(upsample_strip, triton.JITFunction)  # TRITON_INTERPRET decides, as a kernel is defined
