"""Two kinds of SVG pictures, drawn by hand: bars side by side, and lines over a logarithmic axis. No library needed."""
from html import escape

WIDTH, LEFT, RIGHT, ROW = 760, 190, 90, 20
OURS, FLOOR, PEER = "#1f6feb", "#9aa4af", "#d08770"


def colour(name):
    return OURS if name.startswith("tftpkit") else FLOOR if name.startswith("floor") else PEER


def frame(height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            f'font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
            f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>\n' + "\n".join(body) +
            "\n</svg>\n")


def bars(title, groups, form="{:.2f}"):
    """`groups`: [(heading, [(name, Spread)])]; each group has a scale of its own; whiskers from least to most."""
    body, y = [], 40
    for heading, lines in groups:
        scale = (WIDTH - LEFT - RIGHT) / max(spread.most for _, spread in lines)
        body.append(f'<text x="12" y="{y + 14}" font-style="italic">{escape(heading)}</text>')
        y += 22
        for name, spread in lines:
            x = LEFT + spread.median * scale
            body.append(f'<text x="{LEFT - 6}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
                        f'<rect x="{LEFT}" y="{y + 3}" width="{max(spread.median * scale, 1):.1f}" height="14" '
                        f'fill="{colour(name)}"/>'
                        f'<path d="M{LEFT + spread.least * scale:.1f} {y + 10}H{LEFT + spread.most * scale:.1f}" '
                        f'stroke="black"/>'
                        f'<text x="{max(x, LEFT + spread.most * scale) + 5:.1f}" y="{y + 14}">'
                        f'{form.format(spread.median)}</text>')
            y += ROW
        y += 10
    return frame(y + 6, title, body)


def lines(title, x_title, y_title, series):
    """`series`: [(name, [(x, Spread)])]; x is on a logarithmic axis."""
    height, bottom, top = 320, 270, 46
    xs = sorted({x for _, points in series for x, _ in points})
    most = max(spread.most for _, points in series for _, spread in points) * 1.1
    step = (WIDTH - LEFT - RIGHT) / max(len(xs) - 1, 1)
    place = {x: LEFT + at * step for at, x in enumerate(xs)}

    def high(value):
        return bottom - value / most * (bottom - top)

    body = [f'<path d="M{LEFT} {top}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="black"/>',
            f'<text x="{WIDTH / 2}" y="{height - 12}" text-anchor="middle">{escape(x_title)}</text>',
            f'<text x="12" y="{top}">{escape(y_title)}</text>']
    body += [f'<text x="{place[x]}" y="{bottom + 18}" text-anchor="middle">{x}</text>' for x in xs]
    body += [f'<text x="{LEFT - 6}" y="{high(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>'
             for value in (0, most / 2.2, most / 1.1)]
    for name, points in series:
        path = "L".join(f"{place[x]:.1f} {high(spread.median):.1f}" for x, spread in points)
        body.append(f'<path d="M{path}" fill="none" stroke="{colour(name)}" stroke-width="2"/>')
        body += [f'<path d="M{place[x]:.1f} {high(spread.least):.1f}V{high(spread.most):.1f}" stroke="{colour(name)}"/>'
                 f'<circle cx="{place[x]:.1f}" cy="{high(spread.median):.1f}" r="3" fill="{colour(name)}"/>'
                 for x, spread in points]
        x, spread = points[-1]
        body.append(f'<text x="{place[x] + 6:.1f}" y="{high(spread.median) + 4:.1f}">{escape(name)}</text>')
    return frame(height, title, body)
