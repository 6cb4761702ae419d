"""Plots as SVG, by hand: lines, steps and shaded spans over two axes, for docs/voice."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 300, 56, 290, 30, 44
COLOURS = ("#1b6ca8", "#c8553d", "#4d8b31", "#7b4b94", "#b8860b", "#555555", "#0aa39a", "#d17ab0")


def ticks(low, high, about=6):
    span = (high - low) or 1
    step = 10 ** math.floor(math.log10(span / about))
    step *= next(m for m in (1, 2, 5, 10) if span / (step * m) <= about)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, int(math.floor(high / step + 1e-9)) + 1)]


class Plot:
    def __init__(self, title, x_name, y_name):
        self.title, self.x_name, self.y_name = title, x_name, y_name
        self.series, self.spans, self.levels = [], [], []

    def line(self, name, points, dots=False):
        self.series.append((name, list(points), dots))

    def span(self, name, begin, end):
        self.spans.append((name, begin, end))

    def level(self, name, value):
        self.levels.append((name, value))

    def distribution(self, name, values):
        """How many of a hundred are at most so large."""
        ordered = sorted(values)
        points, n = [], len(ordered)
        for i, value in enumerate(ordered):
            points += [(value, 100 * i / n), (value, 100 * (i + 1) / n)]
        self.line(name, points[::max(1, len(points) // 800)] + points[-1:])

    def svg(self, x_range=None, y_range=None):
        points = [p for _, series, _ in self.series for p in series]
        x0, x1 = x_range or (min(p[0] for p in points), max(p[0] for p in points))
        y0, y1 = y_range or (min(0, *(p[1] for p in points)), max([p[1] for p in points] + [v for _, v in self.levels]) * 1.05)

        def x(value):
            return LEFT + (min(max(value, x0), x1) - x0) / ((x1 - x0) or 1) * (WIDTH - LEFT - RIGHT)

        def y(value):
            return HEIGHT - BOTTOM - (min(max(value, y0), y1) - y0) / ((y1 - y0) or 1) * (HEIGHT - TOP - BOTTOM)

        out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11" fill="#333">'
               % (WIDTH, HEIGHT), '<rect width="%d" height="%d" fill="#fff"/>' % (WIDTH, HEIGHT),
               '<text x="%d" y="18" font-size="13">%s</text>' % (LEFT, self.title)]
        for name, begin, end in self.spans:
            out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#eee"/><text x="%.1f" y="%d" fill="#888">%s</text>'
                       % (x(begin), TOP, x(end) - x(begin), HEIGHT - TOP - BOTTOM, x(begin) + 3, TOP + 11, name))
        for value in ticks(x0, x1):
            out.append('<path d="M%.1f %dv5" stroke="#999"/><text x="%.1f" y="%d" text-anchor="middle">%g</text>'
                       % (x(value), HEIGHT - BOTTOM, x(value), HEIGHT - BOTTOM + 16, round(value, 6)))
        for value in ticks(y0, y1):
            out.append('<path d="M%d %.1fH%d" stroke="#e4e4e4"/><text x="%d" y="%.1f" text-anchor="end">%g</text>'
                       % (LEFT, y(value), WIDTH - RIGHT, LEFT - 5, y(value) + 4, round(value, 6)))
        out.append('<path d="M%d %dV%dH%d" stroke="#999" fill="none"/>' % (LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT))
        out.append('<text x="%d" y="%d" text-anchor="middle">%s</text>' % ((LEFT + WIDTH - RIGHT) // 2, HEIGHT - 8, self.x_name))
        out.append('<text transform="translate(13 %d) rotate(-90)" text-anchor="middle">%s</text>'
                   % ((TOP + HEIGHT - BOTTOM) // 2, self.y_name))
        row = 0
        for name, value in self.levels:
            out.append('<path d="M%d %.1fH%d" stroke="#555" stroke-dasharray="5 4"/><text x="%d" y="%.1f">%s</text>'
                       % (LEFT, y(value), WIDTH - RIGHT, WIDTH - RIGHT + 4, y(value) + 4, name))
        for (name, series, dots), colour in zip(self.series, COLOURS * 3):
            if dots:
                out.append('<g fill="%s">%s</g>' % (colour, "".join('<circle cx="%.1f" cy="%.1f" r="2"/>' % (x(a), y(b))
                                                                    for a, b in series)))
            elif series:
                out.append('<polyline fill="none" stroke="%s" stroke-width="1.6" points="%s"/>'
                           % (colour, " ".join("%.1f,%.1f" % (x(a), y(b)) for a, b in series)))
            out.append('<path d="M%d %dh14" stroke="%s" stroke-width="3"/><text x="%d" y="%d">%s</text>'
                       % (WIDTH - RIGHT + 10, TOP + 24 + 16 * row, colour, WIDTH - RIGHT + 28, TOP + 28 + 16 * row, name))
            row += 1
        return "\n".join(out) + "\n</svg>\n"

    def write(self, path, **ranges):
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg(**ranges))
