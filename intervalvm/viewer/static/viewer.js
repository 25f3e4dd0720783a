/**
 * The window of intervalvm: one module, without a build step, that fetches nothing.
 *
 * As the script of a page it speaks with the server over a websocket; in a notebook it is the
 * `_esm` of an anywidget and speaks over the widget's messages. Both carry the same messages: JSON
 * to the server, and from it a JSON header with a binary payload. Each view that is asked for says
 * all, so that the server keeps nothing of it.
 *
 * Input changes the *state*, which is never written to but replaced. The *pump* asks for the newest
 * state, with at most two views on the way. Meanwhile the *painter* moves the last frame to where
 * the new view will have it. Centres are decimal numbers of any length.
 *
 * Sections: decimals, views, colours, frames, transports, pump, links, elements, style, panels,
 * input, the viewer.
 */

const REST_MS = 120; // after so long without input a frame that is not final is asked for anew
const MOST_IN_FLIGHT = 2;
const SLOW_MS = 40; // views that take longer are asked for one at a time
const MOST_PX = 4096; // a side
const NARROW_PX = 720; // where panels lie below the picture, as in the style
const MARGIN = 1.05; // of a fitted view
const UNKNOWN = [
  [-1, 1],
  [-1, 1],
]; // what is shown of a shape without known bounds
const FARTHEST = 1e7; // pixels: frames beyond are not drawn
const SVG = "http://www.w3.org/2000/svg";

// ---------------------------------------------------------------------------------- decimals

/** An exact decimal number: `units` (a BigInt) times 10^-places. */
export class Decimal {
  constructor(units, places) {
    this.units = units;
    this.places = places;
  }

  /** The number that a text writes, as in "-1.25e-7"; of a JS number its shortest text. */
  static of(value) {
    const found = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(String(value).trim());
    if (!found || !(found[2] || found[3])) throw new RangeError(`no decimal number: ${value}`);
    const [, sign, whole, part, exponent] = found;
    let units = BigInt(sign === "-" ? `-${whole}${part}` : whole + part);
    let places = part.length - Number(exponent ?? 0);
    if (places < 0) {
      units *= 10n ** BigInt(-places);
      places = 0;
    }
    return new Decimal(units, places);
  }

  plus(other) {
    const places = Math.max(this.places, other.places);
    return new Decimal(this.#unitsAt(places) + other.#unitsAt(places), places);
  }

  minus(other) {
    return this.plus(new Decimal(-other.units, other.places));
  }

  /** Rounded to so many places, halves away from 0. */
  to(places) {
    if (places >= this.places) return this;
    const unit = 10n ** BigInt(this.places - places);
    const half = this.units < 0n ? -unit / 2n : unit / 2n;
    return new Decimal((this.units + half) / unit, places);
  }

  toNumber() {
    return Number(this.toString());
  }

  toString() {
    const sign = this.units < 0n ? "-" : "";
    const digits = String(this.units < 0n ? -this.units : this.units).padStart(
      this.places + 1,
      "0",
    );
    const whole = digits.slice(0, digits.length - this.places);
    const part = digits.slice(digits.length - this.places).replace(/0+$/, "");
    return part ? `${sign}${whole}.${part}` : `${sign}${whole}`;
  }

  #unitsAt(places) {
    return this.units * 10n ** BigInt(places - this.places);
  }
}

/** The decimal places that tell points of a pixel of this width apart. */
const placesFor = (pixel) => Math.max(0, Math.ceil(-Math.log10(pixel)) + 2);

/** A number as a reader wants it. */
const brief = (value) => String(Number(value.toPrecision(6)));

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The 1, 2 or 5 times a power of ten next below a number. */
function roundBelow(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Number(((value / power >= 5 ? 5 : value / power >= 2 ? 2 : 1) * power).toPrecision(1));
}

// ------------------------------------------------------------------------------------- views

/** A part of the plane: its middle, and half the length of the shorter side of the picture. */
export class PlaneView {
  static least = 1e-300;
  static most = 1e300;

  constructor(x, y, scale) {
    this.center = [x, y];
    this.scale = scale;
  }

  /** The view of a whole box, in the part of the picture that `insets` (top, bottom) leave. */
  static fit(bounds, size, insets) {
    const box = bounds ?? UNKNOWN;
    const free = [size[0], Math.max(size[1] - insets[0] - insets[1], 1)];
    const pixel = Math.max(...box.map(([low, high], i) => (high - low) / free[i])) * MARGIN;
    const scale = pixel > 0 ? Number(((pixel * Math.min(...size)) / 2).toPrecision(6)) : 1;
    const [x, y] = box.map(([low, high]) => (low + high) / 2);
    const places = placesFor(scale / Math.min(...size));
    const shifted = y + ((insets[0] - insets[1]) / 2) * pixel;
    return new PlaneView(Decimal.of(x).to(places), Decimal.of(shifted).to(places), scale);
  }

  /** The width of a pixel. */
  pixel(size) {
    return (2 * this.scale) / Math.min(...size);
  }

  /** The view in which what is seen has moved by so many pixels. */
  panned(dx, dy, size) {
    const pixel = this.pixel(size);
    return this.#around([-dx * pixel, dy * pixel], this.scale, size);
  }

  /** The view `factor` times as large, in which what is at the pixel `at` stays there. */
  zoomed(factor, at, size) {
    const scale = clamp(this.scale * factor, PlaneView.least, PlaneView.most);
    const kept = (1 - scale / this.scale) * this.pixel(size);
    return this.#around([(at[0] - size[0] / 2) * kept, (size[1] / 2 - at[1]) * kept], scale, size);
  }

  /** Where the frame of another view lies in this one: `k` times as large, its middle at x, y. */
  place(other, otherSize, size) {
    const pixel = this.pixel(size);
    const [x, y] = other.center.map((part, i) => part.minus(this.center[i]).toNumber() / pixel);
    return { k: other.pixel(otherSize) / pixel, x: size[0] / 2 + x, y: size[1] / 2 - y };
  }

  /** The coordinates of a pixel as text, as exact as pixels can be told apart. */
  at(pixel, size) {
    const width = this.pixel(size);
    const places = Math.max(0, Math.ceil(-Math.log10(width)));
    const moved = [(pixel[0] - size[0] / 2) * width, (size[1] / 2 - pixel[1]) * width];
    return this.center.map((part, i) => part.plus(Decimal.of(moved[i])).to(places).toString());
  }

  request() {
    return { plane: { center: this.center.map(String), scale: String(this.scale) } };
  }

  toLink() {
    return [...this.center, this.scale].join(",");
  }

  static fromLink(text) {
    const [x, y, scale, ...more] = text.split(",");
    if (more.length || !(Number(scale) >= PlaneView.least && Number(scale) <= PlaneView.most)) {
      throw new RangeError(`no view of the plane: ${text}`);
    }
    return new PlaneView(Decimal.of(x), Decimal.of(y), Number(scale));
  }

  #around(moved, scale, size) {
    const places = placesFor((2 * Math.min(scale, this.scale)) / Math.min(...size)) + 3;
    const parts = this.center.map((part, i) => part.plus(Decimal.of(moved[i])).to(places));
    return new PlaneView(...parts, scale);
  }
}

/** A camera on a turntable: angles in degrees, the point in the middle, half the shorter side. */
export class SolidView {
  static least = 1e-9;
  static most = 1e9;

  constructor(fields) {
    Object.assign(this, fields);
  }

  static fit(bounds, size, _insets, old) {
    const { yaw = 30, pitch = 25, roll = 0, perspective = 0 } = old ?? {};
    const view = new SolidView({ yaw, pitch, roll, perspective, center: [0, 0, 0], scale: 1.5 });
    if (!bounds) return view;
    const halves = bounds.map(([low, high]) => (high - low) / 2);
    const short = Math.min(...size);
    const [right, up, back] = view.axes();
    const along = (axis, signs) =>
      axis.reduce((sum, part, i) => sum + part * signs[i] * halves[i], 0);
    let scale = (Math.hypot(...halves) * short) / Math.max(...size); // it is whole in its depth, too
    for (let corner = 0; corner < 8; corner += 1) {
      const signs = [0, 1, 2].map((bit) => (corner & (1 << bit) ? 1 : -1));
      const x = (Math.abs(along(right, signs)) * short) / size[0];
      const y = (Math.abs(along(up, signs)) * short) / size[1];
      scale = Math.max(scale, Math.max(x, y) + perspective * along(back, signs));
    }
    const center = bounds.map(([low, high]) => Number(((low + high) / 2).toPrecision(9)));
    scale = scale > 0 ? Number((scale * MARGIN).toPrecision(6)) : 1;
    return new SolidView({ ...view, center, scale });
  }

  pixel(size) {
    return (2 * this.scale) / Math.min(...size);
  }

  /** The directions to the right, up and to the viewer, in the space of the shape. */
  axes() {
    const [yaw, pitch, roll] = [this.yaw, this.pitch, this.roll].map(
      (angle) => (angle * Math.PI) / 180,
    );
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
    const right = [cy, 0, -sy];
    const up = [-sy * sp, cp, -cy * sp];
    const turned = (c, s) => right.map((part, i) => c * part + s * up[i]);
    return [turned(cr, sr), turned(-sr, cr), [sy * cp, sp, cy * cp]];
  }

  orbited(yaw, pitch) {
    const around = (((this.yaw + yaw) % 360) + 360) % 360;
    const angles = { yaw: around, pitch: clamp(this.pitch + pitch, -90, 90) };
    for (const name of ["yaw", "pitch"]) angles[name] = Number(angles[name].toFixed(3));
    return new SolidView({ ...this, ...angles });
  }

  panned(dx, dy, size) {
    const pixel = this.pixel(size);
    return this.#moved(-dx * pixel, dy * pixel, this.scale);
  }

  zoomed(factor, at, size) {
    const scale = clamp(this.scale * factor, SolidView.least, SolidView.most);
    const kept = (1 - scale / this.scale) * this.pixel(size);
    return this.#moved((at[0] - size[0] / 2) * kept, (size[1] / 2 - at[1]) * kept, scale);
  }

  place(other, otherSize, size) {
    const pixel = this.pixel(size);
    const [right, up] = this.axes();
    const moved = other.center.map((part, i) => part - this.center[i]);
    const along = (axis) => axis.reduce((sum, part, i) => sum + part * moved[i], 0) / pixel;
    return {
      k: other.pixel(otherSize) / pixel,
      x: size[0] / 2 + along(right),
      y: size[1] / 2 - along(up),
    };
  }

  at() {
    return null;
  }

  request() {
    const { yaw, pitch, roll, center, scale, perspective } = this;
    return { solid: { yaw, pitch, roll, center, scale, perspective } };
  }

  toLink() {
    const { yaw, pitch, roll, center, scale, perspective } = this;
    return [yaw, pitch, roll, ...center, scale, perspective].join(",");
  }

  static fromLink(text) {
    const numbers = text.split(",").map(Number);
    const [yaw, pitch, roll, x, y, z, scale, perspective] = numbers;
    const known = numbers.length === 8 && numbers.every(Number.isFinite);
    if (!known || !(scale > 0 && perspective >= 0 && perspective < 1)) {
      throw new RangeError(`no view of a solid: ${text}`);
    }
    return new SolidView({ yaw, pitch, roll, center: [x, y, z], scale, perspective });
  }

  #moved(alongRight, alongUp, scale) {
    const [right, up] = this.axes();
    const center = this.center.map((part, i) => {
      return Number((part + alongRight * right[i] + alongUp * up[i]).toPrecision(15));
    });
    return new SolidView({ ...this, center, scale: Number(scale.toPrecision(12)) });
  }
}

const VIEWS = { plane: PlaneView, solid: SolidView };

// ----------------------------------------------------------------------------------- colours

/** What the canvas shows in each theme, as [red, green, blue] or [red, green, blue, alpha]. */
const THEMES = {
  light: {
    paper: [250, 248, 243],
    ink: [31, 41, 62],
    unproven: [224, 122, 32],
    inside: [38, 160, 105, 0.72],
    outside: [92, 122, 160, 0.16],
    ambiguous: [255, 170, 70, 0.7],
    blend: "multiply", // of tiles that are not proven, so that ink stays ink
    line: [20, 35, 60, 0.2],
  },
  dark: {
    paper: [17, 21, 28],
    ink: [233, 228, 216],
    unproven: [255, 159, 67],
    inside: [46, 174, 118, 0.72],
    outside: [108, 140, 184, 0.16],
    ambiguous: [184, 104, 28, 0.75],
    blend: "screen",
    line: [190, 210, 240, 0.18],
  },
};

/** Few clauses to many. */
const HEAT = [
  [53, 42, 120],
  [40, 98, 165],
  [32, 150, 160],
  [84, 190, 110],
  [222, 208, 60],
  [246, 140, 46],
  [206, 44, 48],
];
const HEAT_ALPHA = 0.8;

function heat(part) {
  const at = clamp(part, 0, 1) * (HEAT.length - 1);
  const low = Math.min(Math.floor(at), HEAT.length - 2);
  return HEAT[low].map((from, i) => Math.round(from + (at - low) * (HEAT[low + 1][i] - from)));
}

const css = ([red, green, blue, alpha = 1]) => `rgb(${red} ${green} ${blue} / ${alpha})`;
/** A colour as a pixel of ImageData in a little-endian word. */
const word = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

// ------------------------------------------------------------------------------------ frames

/** For each byte of packed pixels its eight colours. */
function coloursOfBytes(zero, one) {
  const table = new Uint32Array(256 * 8);
  for (let i = 0; i < table.length; i += 1) table[i] = (i >> 3) & (128 >> (i & 7)) ? one : zero;
  return table;
}

/** Write rows of packed bits as colours to `out`, one word a pixel, filled with that of 0. */
function expand(bytes, width, height, table, out) {
  const stride = (width + 7) >> 3;
  const whole = width >> 3;
  const zero = table[0];
  const one = table[255 * 8];
  out.fill(zero);
  for (let row = 0; row < height; row += 1) {
    const from = row * stride;
    let at = row * width;
    for (let i = 0; i < whole; i += 1, at += 8) {
      const byte = bytes[from + i];
      if (byte === 0) continue;
      if (byte === 255) {
        let next = i + 1;
        while (next < whole && bytes[from + next] === 255) next += 1;
        const many = (next - i) << 3;
        out.fill(one, at, at + many);
        at += many - 8;
        i = next - 1;
        continue;
      }
      const first = byte << 3;
      out[at] = table[first];
      out[at + 1] = table[first + 1];
      out[at + 2] = table[first + 2];
      out[at + 3] = table[first + 3];
      out[at + 4] = table[first + 4];
      out[at + 5] = table[first + 5];
      out[at + 6] = table[first + 6];
      out[at + 7] = table[first + 7];
    }
    const last = (bytes[from + whole] ?? 0) << 3;
    for (let i = 0; i < (width & 7); i += 1) out[at + i] = table[last + i];
  }
}

/** Write one colour where rows of packed bits have a 1. */
function stamp(bytes, width, height, colour, out) {
  const stride = (width + 7) >> 3;
  for (let row = 0; row < height; row += 1) {
    for (let i = 0; i < stride; i += 1) {
      const byte = bytes[row * stride + i];
      for (let bit = 0; byte && bit < 8 && i * 8 + bit < width; bit += 1) {
        if (byte & (128 >> bit)) out[row * width + i * 8 + bit] = colour;
      }
    }
  }
}

const OUTSIDE = -1;
const INSIDE = -2;
const EMPTY = -3; // a tile without a pixel

/**
 * What pruning found out: for each smallest tile the clauses left or a verdict, and the level at
 * which it was decided; int32[2^level, 2^level], then as many bytes.
 */
class TileMap {
  constructor(bytes, level) {
    this.level = level;
    this.side = 1 << level;
    this.values = new Int32Array(bytes.buffer, 0, this.side ** 2);
    this.levels = bytes.subarray(4 * this.side ** 2);
    const counts = this.values.filter((value) => value > 0);
    this.least = counts.reduce((a, b) => Math.min(a, b), Infinity);
    this.most = counts.reduce((a, b) => Math.max(a, b), 0);
  }

  /** The value of the tile of a pixel in a picture of this size. */
  at([column, row], [width, height]) {
    // pixels of a tile are those from (i * width) >> level, so this is the last i not beyond it
    const tile = (pixel, pixels) => Math.floor(((pixel + 1) * this.side - 1) / pixels);
    const [i, j] = [tile(column, width), tile(row, height)];
    const known = i >= 0 && j >= 0 && i < this.side && j < this.side;
    return known ? this.values[j * this.side + i] : null;
  }

  /** Where a count lies between the least and the most, by their logarithms: 0 to 1. */
  part(count) {
    return this.most > this.least
      ? Math.log(count / this.least) / Math.log(this.most / this.least)
      : 0;
  }

  /** Call `each(value, column, row, side)` for the tiles of the quadtree; `side` in smallest ones. */
  tiles(each) {
    for (let at = 0; at < this.values.length; at += 1) {
      const [column, row] = [at % this.side, Math.floor(at / this.side)];
      const side = this.side >> this.levels[at];
      const isCorner = column % side === 0 && row % side === 0;
      if (isCorner && this.values[at] !== EMPTY) each(this.values[at], column, row, side);
    }
  }
}

/** A picture from the server and what was asked for, ready to be drawn. */
class Frame {
  constructor(header, payload, asked) {
    this.header = header;
    this.asked = asked;
    this.picture = payload.subarray(0, header.picture_bytes);
    this.map = null;
    if (header.tiles) {
      const bytes = payload.slice(header.picture_bytes); // a copy, aligned to words
      this.map = new TileMap(bytes, header.tiles.level);
    }
  }

  /** Decode what the browser decodes. */
  async load() {
    if (this.header.format.startsWith("bits")) return;
    const blob = new Blob([this.picture], { type: `image/${this.header.format}` });
    this.bitmap = await createImageBitmap(blob);
  }

  get isFinal() {
    return this.header.final;
  }
}

/** Draws frames on the canvas: at once where another view has them, and whole when they come. */
class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.layer = document.createElement("canvas"); // the frame and its overlay
    this.frame = null;
    this.theme = THEMES.light;
  }

  setTheme(name) {
    this.theme = THEMES[name];
    const { paper, ink } = this.theme;
    this.table = coloursOfBytes(word(paper), word(ink));
    if (this.frame) this.compose(this.frame);
  }

  /** Take a frame; what is on the canvas stays as it is. */
  compose(frame) {
    this.frame = frame;
    const [width, height] = frame.header.size;
    if (this.layer.width !== width || this.layer.height !== height) {
      this.layer.width = width;
      this.layer.height = height;
      this.data = null;
    }
    const context = this.layer.getContext("2d");
    if (frame.bitmap) context.drawImage(frame.bitmap, 0, 0, width, height);
    else context.putImageData(this.#decoded(frame, width, height), 0, 0);
    const overlay = OVERLAYS[frame.asked.overlay];
    if (frame.map && overlay) this.#drawTiles(context, frame.map, overlay(frame.map, this.theme));
  }

  #decoded(frame, width, height) {
    this.data ??= new ImageData(width, height);
    const out = new Uint32Array(this.data.data.buffer);
    expand(frame.picture, width, height, this.table, out);
    if (frame.header.format === "bits2") {
      const second = frame.picture.subarray(((width + 7) >> 3) * height);
      stamp(second, width, height, word(this.theme.unproven), out);
    }
    return this.data;
  }

  #drawTiles(context, map, colourOf) {
    const { width, height } = this.layer;
    const lines = [];
    map.tiles((value, column, row, side) => {
      const [x, y] = [(column * width) >> map.level, (row * height) >> map.level];
      const right = ((column + side) * width) >> map.level;
      const low = ((row + side) * height) >> map.level;
      lines.push([x, y, right - x, low - y]);
      fillTile(context, this.theme, value, colourOf(value), lines.at(-1));
    });
    context.fillStyle = css(this.theme.line);
    for (const [x, y, across, down] of lines) {
      context.fillRect(x, y, across, 1);
      context.fillRect(x, y + 1, 1, down - 1);
    }
  }

  /** Draw the frame as a view of the canvas has it. */
  draw(state) {
    const { canvas, context, frame, layer } = this;
    const place = this.#placeOf(state);
    const isWhole =
      place &&
      place.left <= 0 &&
      place.top <= 0 &&
      place.left + place.width >= canvas.width &&
      place.top + place.height >= canvas.height;
    if (!isWhole) {
      context.fillStyle = css(this.theme.paper);
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    if (!place) return;
    context.imageSmoothingEnabled = place.width !== layer.width || place.height !== layer.height;
    if (!isWhole && frame.asked.kind === "solid") {
      // its first column is background: beside the frame, too
      context.drawImage(layer, 0, 0, 1, layer.height, 0, 0, canvas.width, canvas.height);
    }
    context.drawImage(layer, place.left, place.top, place.width, place.height);
  }

  /** The rectangle of the canvas where the frame belongs; null without one, or if it is far off. */
  #placeOf(state) {
    const asked = this.frame?.asked;
    if (!asked || asked.kind !== state.kind) return null;
    const { k, x, y } = state.view.place(asked.view, asked.size, state.size);
    if (!(k < FARTHEST && Math.abs(x) < FARTHEST && Math.abs(y) < FARTHEST)) return null;
    const [width, height] = asked.size.map((side) => side * k);
    const [left, top] = [x - width / 2, y - height / 2];
    if (Math.abs(k - 1) > 1e-9) return { left, top, width, height };
    return {
      left: Math.round(left),
      top: Math.round(top),
      width: asked.size[0],
      height: asked.size[1],
    };
  }
}

/** By the name of an overlay: from a map and a theme to the colour of a tile by its value. */
const OVERLAYS = {
  tiles: (_map, theme) => (value) =>
    value === INSIDE ? theme.inside : value === OUTSIDE ? theme.outside : theme.ambiguous,
  clauses: (map, theme) => (value) => {
    if (value < 0) return value === OUTSIDE ? theme.outside : null;
    return [...heat(map.part(Math.max(value, 1))), HEAT_ALPHA];
  },
};

/** Colour a rectangle as a tile of this value. */
function fillTile(context, theme, value, colour, rectangle) {
  if (!colour) return;
  context.globalCompositeOperation = value < 0 ? "source-over" : theme.blend;
  context.fillStyle = css(colour);
  context.fillRect(...rectangle);
  context.globalCompositeOperation = "source-over";
}

function tileText(value) {
  if (value === null) return "";
  if (value === OUTSIDE) return "tile: proven outside";
  if (value === INSIDE) return "tile: proven inside";
  return value < 0
    ? ""
    : `tile: ${value.toLocaleString("en")} clause${value === 1 ? "" : "s"} left`;
}

// -------------------------------------------------------------------------------- transports

/** Messages over a websocket, which is opened again when the server comes back. */
class SocketTransport {
  static waits_ms = [250, 500, 1000, 2000, 4000];

  constructor(url) {
    this.url = url;
    this.failures = 0;
  }

  /** `on` has `open()`, `closed(failures)` and `message(header, payload)`. */
  start(on) {
    this.on = on;
    this.#connect();
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.socket.close();
  }

  #connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.failures = 0;
      this.on.open();
    };
    this.socket.onmessage = (event) => {
      const length = new DataView(event.data).getUint32(0, true);
      const header = JSON.parse(new TextDecoder().decode(new Uint8Array(event.data, 4, length)));
      this.on.message(header, new Uint8Array(event.data, 4 + length));
    };
    this.socket.onclose = () => {
      if (this.isStopped) return;
      const { waits_ms } = SocketTransport;
      const wait = waits_ms[Math.min(this.failures, waits_ms.length - 1)];
      this.failures += 1;
      this.on.closed(this.failures);
      this.timer = setTimeout(() => this.#connect(), wait);
    };
  }
}

/** Messages of a widget in a notebook. */
class ModelTransport {
  constructor(model) {
    this.model = model;
    this.key = Math.random().toString(36).slice(2); // of this view: a notebook may show several
  }

  start(on) {
    this.heard = (header, buffers) => {
      if (header.to !== this.key) return;
      const [view] = buffers ?? [];
      const payload = view
        ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
        : new Uint8Array();
      on.message(header, payload);
    };
    this.model.on("msg:custom", this.heard);
    on.open();
    this.send({ type: "hello" });
  }

  send(message) {
    this.model.send({ ...message, from: this.key });
  }

  stop() {
    this.send({ type: "bye" });
    this.model.off("msg:custom", this.heard);
  }
}

// -------------------------------------------------------------------------------------- pump

/** Asks for the newest state, with few views on the way; an answer settles all that are older. */
class Pump {
  constructor(send) {
    this.send = send;
    this.last = 0;
    this.reset();
  }

  /** Forget what is on the way: nobody will answer. */
  reset() {
    this.sent = [];
    this.waiting = null;
    this.isSlow = false;
  }

  want(state, moving) {
    const since = performance.now();
    this.waiting = { state, moving, since: this.waiting?.since ?? since };
    this.#go();
  }

  get isIdle() {
    return !this.waiting && this.sent.length === 0;
  }

  /** What was asked for under this number; undefined if something newer was answered. */
  answered(id) {
    const found = this.sent.find((each) => each.id === id);
    if (found) this.isSlow = performance.now() - found.at > SLOW_MS;
    this.sent = this.sent.filter((each) => each.id > id);
    return found;
  }

  /** Ask for what waits, if there is room. */
  next() {
    this.#go();
  }

  #go() {
    if (!this.waiting) return;
    const { state, moving, since } = this.waiting;
    if (this.sent.length >= (this.isSlow && moving ? 1 : MOST_IN_FLIGHT)) return;
    this.waiting = null;
    this.last += 1;
    this.sent.push({ id: this.last, state, moving, since, at: performance.now() });
    this.send({ type: "view", id: this.last, moving, ...requestOf(state) });
  }
}

/** The fields of a view by which the server draws a state. */
function requestOf(state) {
  const { size, show, overlay, variables, view } = state;
  const isolines = state.isolines && show === "value" ? isolinesOf(state) : null;
  const asked = { size, show, overlay, isolines, variables, ...view.request() };
  if (asked.solid) asked.solid.mode = state.mode;
  return asked;
}

/** The step from one iso-line to the next: as given, or fitting to the view. */
function isolinesOf(state) {
  return state.isolines === "auto" ? roundBelow(state.view.scale / 6) : state.isolines;
}

// ------------------------------------------------------------------------------------- links

const SHOWS = { bitmap: "Shape", value: "Value", proven: "Proven" };
const OVERLAY_NAMES = { none: "None", tiles: "Tiles", clauses: "Clauses" };
const MODES = { shaded: "Shaded", normals: "Normals", heightmap: "Height", occlusion: "Occlusion" };

/** A state as the fragment of a link; what is as it is by default is left out. */
export function toLink(state, defaults) {
  const found = new URLSearchParams({ view: state.view.toLink() });
  for (const name of ["show", "overlay", "mode"]) {
    if (state[name] !== defaults[name]) found.set(name, state[name]);
  }
  if (state.isolines) found.set("isolines", state.isolines);
  for (const [name, value] of Object.entries(state.variables)) {
    if (value !== defaults.variables[name]) found.append("set", `${name}:${value}`);
  }
  return found.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
}

/** The parts of a state that a fragment sets, of those that exist. */
export function fromLink(fragment, defaults) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const found = {};
  const choices = { show: SHOWS, overlay: OVERLAY_NAMES, mode: MODES };
  for (const [name, known] of Object.entries(choices)) {
    if (Object.hasOwn(known, given.get(name) ?? "")) found[name] = given.get(name);
  }
  const step = given.get("isolines");
  if (step === "auto" || Number(step) > 0) found.isolines = step === "auto" ? step : Number(step);
  found.variables = { ...defaults.variables };
  for (const [name, value] of given.getAll("set").map((each) => each.split(":"))) {
    const isKnown = Object.hasOwn(found.variables, name) && value !== "";
    if (isKnown && Number.isFinite(Number(value))) found.variables[name] = Number(value);
  }
  try {
    if (given.has("view")) found.view = VIEWS[defaults.kind].fromLink(given.get("view"));
  } catch {
    // a link of another file: the whole shape is shown
  }
  return found;
}

// ---------------------------------------------------------------------------------- elements

/** An element with attributes, listeners (`on…`), and children, which are elements or text. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const ICONS = {
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  why: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4.5 4.5M9.3 9.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.9.7-.9 1.3M11 14.5v.1",
  save: "M12 4v11M7.5 10.5 12 15l4.5-4.5M4 19.5h16",
  link: "M10 14a4 4 0 0 0 5.7 0l3.5-3.5a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.5 3.5a4 4 0 0 0 5.7 5.7l1.5-1.5",
  full: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  help: "M8.5 9a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1.1-1.5 2.3M12 18.4v.1",
  close: "M6 6l12 12M18 6 6 18",
  reset: "M5 5v5h5M5.5 10A7 7 0 1 1 5 13.5",
  copy: "M9 9h10v11H9zM5 15V4h10",
};

function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

function iconButton(name, label, onclick, more = {}) {
  return h(
    "button",
    { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...more },
    icon(name),
  );
}

let groups = 0;

/** Radio buttons in a row: `{element, set(value)}`. */
function segments(label, choices, onchoose) {
  groups += 1;
  const inputs = Object.entries(choices).map(([value, text]) => {
    const input = h("input", {
      type: "radio",
      name: `ivm-${groups}`,
      value,
      onchange: () => onchoose(value),
    });
    return [input, h("label", {}, input, h("span", {}, text))];
  });
  const element = h(
    "fieldset",
    { class: "segments" },
    h("legend", {}, label),
    ...inputs.map(([, row]) => row),
  );
  const set = (value) => inputs.forEach(([input]) => (input.checked = input.value === value));
  return { element, set };
}

// ------------------------------------------------------------------------------------- style

const STYLE = `
.ivm {
  color-scheme: light dark;
  --paper: #faf8f3; --card: #fffffff0; --solid: #fff; --text: #1b2330; --dim: #5c6675; --line: #1423401f;
  --soft: #1423400d; --accent: #2257cc; --on-accent: #fff; --bad: #b3261e; --shadow: #0f1b3326;
  position: relative; overflow: hidden; background: var(--paper); color: var(--text);
  container-type: inline-size; text-align: left;
  font: 13px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: dark) { .ivm {
  --paper: #11151c; --card: #1c222df0; --solid: #1c222d; --text: #e7ebf1; --dim: #9aa5b5; --line: #ffffff21;
  --soft: #ffffff12; --accent: #82aaff; --on-accent: #0d1526; --bad: #ff8a80; --shadow: #0008;
} }
.ivm.page { position: fixed; inset: 0; }
.ivm.widget { box-sizing: border-box; height: 480px; border: 1px solid var(--line); border-radius: 10px; }
.ivm *, .ivm *::before { box-sizing: border-box; }
.ivm [hidden] { display: none !important; }
.ivm canvas.picture { position: absolute; inset: 0; width: 100%; height: 100%; display: block;
  touch-action: none; cursor: grab; outline-offset: -3px; }
.ivm canvas.picture:active { cursor: grabbing; }
.ivm.asking canvas.picture { cursor: crosshair; }
.ivm :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.ivm canvas.picture:focus-visible { outline-offset: -3px; }

.ivm .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  box-shadow: 0 4px 18px var(--shadow); backdrop-filter: blur(8px); }
.ivm .bar { position: absolute; z-index: 1; top: 10px; left: 10px; right: 10px; display: flex; flex-wrap: wrap;
  gap: 8px; align-items: flex-start; pointer-events: none; }
.ivm .bar > * { pointer-events: auto; }
.ivm .group { display: flex; align-items: center; gap: 2px; padding: 3px; min-height: 38px; }
.ivm .group .group { padding: 0; min-height: 0; }
.ivm .name { padding: 0 10px; font-weight: 600; max-width: 240px; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.ivm .space { flex: 1; }

.ivm button, .ivm input, .ivm select { font: inherit; color: inherit; }
.ivm button { border: 0; background: none; border-radius: 7px; padding: 5px 9px; cursor: pointer; }
.ivm button:hover { background: var(--soft); }
.ivm button[aria-pressed="true"], .ivm button[aria-expanded="true"] { background: var(--accent); color: var(--on-accent); }
.ivm button.icon { width: 32px; height: 32px; padding: 6px; flex: none; }
.ivm button.small { width: 26px; height: 26px; padding: 4px; }
.ivm svg { width: 100%; height: 100%; display: block; fill: none; stroke: currentColor;
  stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

.ivm fieldset.segments { border: 0; margin: 0; padding: 0; display: flex; align-items: center; min-width: 0; }
.ivm .segments legend { float: left; padding: 0 6px 0 8px; color: var(--dim); }
.ivm .segments label { cursor: pointer; }
.ivm .segments input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.ivm .segments span { display: block; padding: 5px 9px; border-radius: 7px; white-space: nowrap; }
.ivm .segments span:hover { background: var(--soft); }
.ivm .segments input:checked + span { background: var(--accent); color: var(--on-accent); }
.ivm .segments input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 1px; }
.ivm label.check { display: flex; align-items: center; gap: 6px; padding: 5px 9px; cursor: pointer; white-space: nowrap; }
.ivm input[type="checkbox"] { accent-color: var(--accent); margin: 0; }
.ivm input[type="number"] { background: var(--soft); border: 1px solid transparent; border-radius: 6px;
  padding: 2px 6px; width: 84px; font-variant-numeric: tabular-nums; }
.ivm input[type="number"]:invalid { border-color: var(--bad); }
.ivm input[type="range"] { accent-color: var(--accent); width: 100%; margin: 2px 0; }

.ivm .side { position: absolute; top: 58px; right: 10px; bottom: 44px; width: 300px; display: flex;
  flex-direction: column; gap: 8px; pointer-events: none; }
.ivm .side > * { pointer-events: auto; min-height: 0; overflow: auto; }
.ivm .side:has(> .why:not([hidden])) { width: min(580px, 50%); }
.ivm .side > .variables { align-self: flex-end; width: 300px; flex: none; max-height: 50%; }
.ivm .panel { padding: 10px 12px 12px; display: flex; flex-direction: column; gap: 8px; }
.ivm .head { display: flex; align-items: center; gap: 4px; min-height: 26px; }
.ivm .head h2 { font-size: 13px; font-weight: 600; margin: 0; flex: 1; }
.ivm .rows { display: grid; gap: 10px; }
.ivm .variable { display: grid; grid-template-columns: 1fr auto auto; gap: 0 4px; align-items: center; }
.ivm .variable label { font-family: ui-monospace, monospace; overflow: hidden; text-overflow: ellipsis; }
.ivm .variable input[type="range"] { grid-column: 1 / -1; }
.ivm .ends { grid-column: 1 / -1; display: flex; justify-content: space-between; }
.ivm .ends input { width: 66px; background: none; color: var(--dim); font-size: 11px; padding: 0 2px; }
.ivm .ends input:hover, .ivm .ends input:focus { background: var(--soft); }
.ivm .ends input:last-child { text-align: right; }

.ivm .body { display: flex; flex-direction: column; gap: 6px; }
.ivm .body pre { max-height: 220px; flex: none; }
.ivm dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 12px; margin: 0; }
.ivm dt { color: var(--dim); } 
.ivm dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.ivm pre { margin: 0; padding: 8px; background: var(--soft); border-radius: 7px; overflow: auto;
  font: 11.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre; min-height: 34px; }
.ivm h3 { font-size: 12px; font-weight: 600; margin: 4px 0 0; color: var(--dim); }

.ivm .status { position: absolute; left: 10px; right: 10px; bottom: 10px; display: flex; gap: 8px;
  align-items: flex-end; pointer-events: none; }
.ivm .status .line { padding: 3px 10px; font-size: 12px; color: var(--dim); font-variant-numeric: tabular-nums;
  display: flex; flex-wrap: wrap; gap: 0 14px; overflow-wrap: anywhere; }
.ivm .dot { width: 8px; height: 8px; border-radius: 50%; background: #2ea36c; align-self: center; }
.ivm .dot.busy { background: #e9a13b; }
.ivm .dot.off { background: var(--bad); }
.ivm .legend { position: absolute; left: 10px; bottom: 46px; padding: 8px 12px; font-size: 12px; }
.ivm .legend ul { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 3px; }
.ivm .legend li { display: flex; align-items: center; gap: 8px; }
.ivm .legend canvas { border-radius: 3px; display: block; }
.ivm .legend .ticks { display: flex; justify-content: space-between; color: var(--dim); font-variant-numeric: tabular-nums; }

.ivm .notes { position: absolute; bottom: 46px; left: 50%; transform: translateX(-50%); width: max-content;
  max-width: min(520px, 92%); display: flex; flex-direction: column; align-items: center; gap: 6px; pointer-events: none; }
.ivm .notes > * { padding: 6px 12px; pointer-events: auto; }
.ivm .error { position: absolute; left: 50%; top: 58px; transform: translateX(-50%); width: min(640px, 94%);
  max-height: 60%; overflow: auto; border-left: 4px solid var(--bad); }
.ivm .error h2 { color: var(--bad); }
.ivm .menu { position: relative; }
.ivm .menu .list { position: absolute; right: 0; top: 38px; min-width: 190px; padding: 4px; z-index: 2; }
.ivm .menu .list button { display: flex; justify-content: space-between; gap: 18px; width: 100%; text-align: left; }
.ivm .menu .list small { color: var(--dim); }
.ivm progress { width: 160px; accent-color: var(--accent); vertical-align: middle; }
.ivm .save { display: flex; align-items: center; gap: 10px; }
.ivm dialog { border: 1px solid var(--line); border-radius: 12px; padding: 16px 20px; background: var(--solid);
  color: var(--text); max-width: min(560px, 92vw); box-shadow: 0 12px 48px var(--shadow); }
.ivm dialog::backdrop { background: #0006; }
.ivm kbd { font: 11px ui-monospace, monospace; background: var(--soft); border: 1px solid var(--line);
  border-radius: 4px; padding: 1px 5px; }
.ivm dialog dl { gap: 6px 16px; }
.ivm dialog dt { color: var(--text); white-space: nowrap; }
.ivm .cross { position: absolute; width: 17px; height: 17px; margin: -8.5px 0 0 -8.5px; pointer-events: none; left: 0; top: 0;
  border: 2px solid #fff; border-radius: 50%; box-shadow: 0 0 0 2px #d5412b, inset 0 0 0 1px #d5412b; }

@container (max-width: ${NARROW_PX}px) {
  .ivm .side, .ivm .side:has(> .why:not([hidden])) { top: auto; left: 10px; width: auto; bottom: 44px;
    max-height: 46%; justify-content: flex-end; }
  .ivm .side > .variables { width: 100%; max-height: 100%; }
  .ivm .name { max-width: 110px; }
  .ivm .segments legend { position: absolute; opacity: 0; pointer-events: none; }
  .ivm .bar .tools { order: 1; z-index: 1; } .ivm .bar .space { order: 0; }
  .ivm .bar .choices { order: 2; }
  .ivm .segments span { padding: 5px 8px; }
  .ivm .error { top: 104px; }
  .ivm .legend { top: 104px; bottom: auto; }
}
@media (prefers-reduced-transparency: reduce) { .ivm .card { backdrop-filter: none; } }
@media (prefers-reduced-motion: no-preference) { .ivm button, .ivm .segments span { transition: background-color 0.12s; } }
@media (forced-colors: active) { .ivm .segments input:checked + span { outline: 2px solid Highlight; } }
`;

/** Give the document, or the shadow root that a notebook shows the widget in, the style. */
function adoptStyle(element) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = element.getRootNode();
  const place = root.adoptedStyleSheets ? root : document;
  place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
  return () => {
    place.adoptedStyleSheets = place.adoptedStyleSheets.filter((each) => each !== sheet);
  };
}

// ------------------------------------------------------------------------------------ panels

/** Sliders for the variables of a shape. */
class Variables {
  constructor(onset) {
    this.onset = onset;
    this.rows = h("div", { class: "rows" });
    const reset = iconButton("reset", "Reset all variables", () => this.#resetAll(), {
      class: "icon small",
    });
    const head = h("div", { class: "head" }, h("h2", {}, "Variables"), reset);
    this.element = h(
      "section",
      { class: "card panel variables", "aria-label": "Variables", hidden: true },
      head,
      this.rows,
    );
  }

  /** Make the rows of `variables`, with `values`; ranges that were set by hand stay. */
  show(variables, values) {
    const old = this.sliders ?? new Map();
    this.sliders = new Map(
      variables.map((each) => [each.name, this.#slider(each, old.get(each.name))]),
    );
    this.rows.replaceChildren(...[...this.sliders.values()].map(({ element }) => element));
    for (const { name } of variables) this.set(name, values[name]);
  }

  set(name, value) {
    this.sliders.get(name).set(value);
  }

  #resetAll() {
    for (const [name, { reset }] of this.sliders) this.#change(name, reset);
  }

  #change(name, value) {
    this.set(name, value);
    this.onset(name, value);
  }

  #slider({ name, value, low, high }, old) {
    const change = (text) => {
      if (text !== "" && Number.isFinite(Number(text))) this.#change(name, Number(text));
    };
    const range = h("input", {
      type: "range",
      "aria-label": name,
      oninput: () => change(range.value),
    });
    const number = h("input", {
      type: "number",
      step: "any",
      "aria-label": `${name}, exactly`,
      onchange: () => change(number.value),
    });
    const end = (label) => {
      const onchange = () => {
        if (Number(least.value) < Number(most.value))
          setRange(Number(least.value), Number(most.value));
        else [least.value, most.value] = [range.min, range.max];
      };
      return h("input", {
        type: "number",
        step: "any",
        "aria-label": `${label} value of the slider of ${name}`,
        onchange,
      });
    };
    const [least, most] = [end("least"), end("greatest")];
    const setRange = (from, to) => {
      [least.value, most.value] = [brief(from), brief(to)];
      [range.min, range.max, range.step] = [from, to, Number(((to - from) / 1000).toPrecision(3))];
      range.value = number.value;
    };
    const set = (now) => {
      number.value = brief(now);
      if (now < Number(range.min)) setRange(now, Number(range.max));
      if (now > Number(range.max)) setRange(Number(range.min), now);
      range.value = now;
    };
    if (old) setRange(Number(old.range.min), Number(old.range.max));
    else setRange(low, high);
    const reset = iconButton(
      "reset",
      `Reset ${name} to ${brief(value)}`,
      () => this.#change(name, value),
      { class: "icon small" },
    );
    const element = h(
      "div",
      { class: "variable" },
      h("label", {}, name),
      number,
      reset,
      range,
      h("div", { class: "ends" }, least, most),
    );
    return { element, range, set, reset: value };
  }
}

/** Facts about one pixel. */
class Why {
  constructor(onclose) {
    this.body = h("div", { class: "body" });
    const copy = iconButton(
      "copy",
      "Copy as text",
      () => navigator.clipboard?.writeText(this.text),
      { class: "icon small" },
    );
    const close = iconButton("close", "Close", onclose, { class: "icon small" });
    const head = h("div", { class: "head" }, h("h2", {}, "Why this pixel"), copy, close);
    this.element = h(
      "section",
      { class: "card panel why", "aria-label": "Why this pixel", hidden: true },
      head,
      this.body,
    );
  }

  wait() {
    this.element.hidden = false;
    this.body.replaceChildren(h("p", {}, "…"));
  }

  show(found) {
    const facts = Object.entries(found.facts).map(([name, text]) => [
      h("dt", {}, name),
      h("dd", {}, text),
    ]);
    const parts = [h("dl", {}, ...facts.flat())];
    for (const [title, text] of Object.entries(found.texts)) {
      parts.push(h("h3", {}, title), h("pre", { tabindex: "0", "aria-label": title }, text));
    }
    this.text = Object.entries(found.facts)
      .map(([name, text]) => `${name}: ${text}`)
      .concat(Object.entries(found.texts).map(([title, text]) => `\n${title}\n${text}`))
      .join("\n");
    this.body.replaceChildren(...parts);
  }

  fail(message) {
    this.body.replaceChildren(h("p", {}, message));
  }
}

/** What the colours of an overlay mean. */
class Legend {
  constructor() {
    this.element = h("section", { class: "card legend", "aria-label": "Legend", hidden: true });
  }

  show(overlay, map, theme) {
    this.element.hidden = !map || overlay === "none";
    if (this.element.hidden) return;
    const swatch = (value, colour) =>
      this.#swatch(14, theme, (context) => {
        fillTile(context, theme, value, colour, [0, 0, 14, 14]);
      });
    const row = (value, colour, text) => h("li", {}, swatch(value, colour), text);
    const outside = row(OUTSIDE, theme.outside, "proven outside");
    if (overlay === "tiles") {
      const inside = row(INSIDE, theme.inside, "proven inside");
      const left = row(1, theme.ambiguous, "ambiguous: evaluated at each pixel");
      this.element.replaceChildren(h("ul", {}, inside, outside, left));
      return;
    }
    const scale = this.#swatch(180, theme, (context) => {
      for (let x = 0; x < 180; x += 1) {
        fillTile(context, theme, 1, [...heat(x / 179), HEAT_ALPHA], [x, 0, 1, 14]);
      }
    });
    const middle = Math.round(Math.sqrt(map.least * map.most));
    const ticks = map.most > 0 ? [map.least, middle, map.most] : [];
    const texts = ticks.map((count) => h("span", {}, count.toLocaleString("en")));
    this.element.replaceChildren(
      h("div", {}, "clauses left in a tile"),
      scale,
      h("div", { class: "ticks" }, ...texts),
      h("ul", {}, outside),
    );
  }

  #swatch(width, theme, draw) {
    const canvas = h("canvas", { width, height: 14, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    context.fillStyle = css(theme.paper);
    context.fillRect(0, 0, width, 14);
    draw(context);
    return canvas;
  }
}

/** Buttons that open a list of others. */
class Menu {
  constructor(name, label, items) {
    const rows = items.map(([text, detail, onclick]) => {
      const run = () => {
        this.close();
        onclick();
      };
      return h(
        "button",
        { type: "button", role: "menuitem", onclick: run },
        text,
        h("small", {}, detail),
      );
    });
    this.list = h(
      "div",
      { class: "card list", role: "menu", "aria-label": label, hidden: true },
      ...rows,
    );
    this.rows = rows;
    this.button = iconButton(name, label, () => this.toggle(), {
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    });
    this.element = h(
      "div",
      { class: "menu", onkeydown: (event) => this.#key(event) },
      this.button,
      this.list,
    );
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.close();
    });
  }

  /** Show those of the items with these texts. */
  show(texts) {
    for (const row of this.rows) row.hidden = !texts.includes(row.firstChild.textContent);
  }

  toggle() {
    this.list.hidden = !this.list.hidden;
    this.button.setAttribute("aria-expanded", String(!this.list.hidden));
    if (!this.list.hidden) this.rows.find((row) => !row.hidden)?.focus();
  }

  close() {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #key(event) {
    const rows = this.rows.filter((row) => !row.hidden);
    const at = rows.indexOf(document.activeElement);
    if (event.key === "Escape" && !this.list.hidden) {
      this.close();
      this.button.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      rows[(at + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length]?.focus();
      event.preventDefault();
    } else return;
    event.stopPropagation();
  }
}

const KEYS = [
  ["drag", "move a plane, turn a solid (right button or Shift: move it)"],
  ["wheel, pinch, + −", "zoom at the pointer"],
  ["double click", "zoom in (Shift: out)"],
  ["← → ↑ ↓", "move a plane, turn a solid (Shift: move it)"],
  ["0, Home", "the whole shape"],
  ["W, Alt + click", "why a pixel is as it is; Enter asks for the middle one"],
  ["T", "the next overlay"],
  ["F", "full screen"],
  ["?", "this list"],
];

function helpDialog() {
  const rows = KEYS.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]);
  const close = iconButton("close", "Close", () => dialog.close(), { class: "icon small" });
  const head = h("div", { class: "head" }, h("h2", { id: "ivm-keys" }, "Pointer and keys"), close);
  const dialog = h("dialog", { "aria-labelledby": "ivm-keys" }, head, h("dl", {}, ...rows));
  return dialog;
}

// ------------------------------------------------------------------------------------- input

/**
 * Turns pointers, wheel and keys into calls of `on`: `pan(dx, dy)`, `orbit(dx, dy)`,
 * `zoom(factor, at)`, `hover(at)`, `click(at)`, `rest()`; in pixels of the canvas.
 */
class Input {
  constructor(canvas, on, needsFocus) {
    this.canvas = canvas;
    this.on = on;
    this.needsFocus = needsFocus; // before the wheel zooms: a notebook scrolls by it
    this.pointers = new Map();
    for (const [name, listen] of Object.entries({
      pointerdown: (event) => this.#down(event),
      pointermove: (event) => this.#move(event),
      pointerup: (event) => this.#up(event),
      pointercancel: (event) => this.#up(event),
      pointerleave: () => this.on.hover(null),
      contextmenu: (event) => event.preventDefault(),
      dblclick: (event) => this.on.zoom(event.shiftKey ? 2 : 0.5, this.#at(event)),
    }))
      canvas.addEventListener(name, listen);
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  get isDown() {
    return this.pointers.size > 0;
  }

  get ratio() {
    return this.canvas.width / (this.canvas.clientWidth || 1);
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  #down(event) {
    if (event.button === 1) event.preventDefault(); // no automatic scrolling
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.#at(event);
    const pans = event.button !== 0 || event.shiftKey;
    this.pointers.set(event.pointerId, { at, from: at, pans, asks: event.altKey });
    this.hasMoved = this.pointers.size > 1;
  }

  #move(event) {
    const at = this.#at(event);
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      this.on.hover(at);
      return;
    }
    const before = this.#grip();
    const [dx, dy] = [at[0] - pointer.at[0], at[1] - pointer.at[1]];
    const far = Math.hypot(at[0] - pointer.from[0], at[1] - pointer.from[1]) > 3 * this.ratio;
    this.hasMoved ||= far;
    if (!this.hasMoved || pointer.asks) return;
    pointer.at = at;
    if (this.pointers.size === 1) {
      if (pointer.pans) this.on.pan(dx, dy);
      else this.on.drag(dx, dy);
      this.on.hover(at);
      return;
    }
    const after = this.#grip();
    this.on.pan(after.middle[0] - before.middle[0], after.middle[1] - before.middle[1]);
    if (before.span > 0 && after.span > 0) this.on.zoom(before.span / after.span, after.middle);
  }

  /** The middle of two fingers and their distance. */
  #grip() {
    const [a, b = a] = [...this.pointers.values()].map(({ at }) => at);
    return {
      middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
      span: Math.hypot(a[0] - b[0], a[1] - b[1]),
    };
  }

  #up(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    this.pointers.delete(event.pointerId);
    if (event.type === "pointerup" && !this.hasMoved) this.on.click(this.#at(event), pointer.asks);
    if (!this.isDown) this.on.rest();
  }

  #wheel(event) {
    const isFocused = this.canvas.getRootNode().activeElement === this.canvas;
    if (this.needsFocus && !isFocused && !event.ctrlKey) return;
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode];
    const delta = clamp(event.deltaY * unit, -240, 240);
    // a pinch on a touchpad comes as a wheel with the control key, in small steps
    if (delta) this.on.zoom(Math.exp(delta * (event.ctrlKey ? 0.01 : 0.002)), this.#at(event));
  }
}

const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// -------------------------------------------------------------------------------- the viewer

/** The window: it holds the state, and connects input, pump, painter and panels. */
export class Viewer {
  /** `start()` is the fragment of a link to begin with; `kept(state)` is told where it rests. */
  constructor(root, transport, { isPage, start = () => location.hash, kept = null }) {
    this.root = root;
    this.transport = transport;
    this.isPage = isPage;
    this.start = start;
    this.kept = kept ?? (() => this.#keepLink());
    this.state = null;
    this.hello = null;
    this.early = null; // what was heard before there is a layout
    this.size = null;
    this.moving = false;
    this.asking = false;
    this.counts = { sent: 0, frames: 0, stale: 0, errors: 0, draws: 0 };
    this.waiters = [];
    this.files = 0;
    this.pump = new Pump((message) => {
      this.counts.sent += 1;
      transport.send(message);
    });
    this.#build();
    this.abort = new AbortController();
    this.#listen();
    transport.start({
      open: () => this.#connected(),
      closed: (failures) => this.#closed(failures),
      message: (header, payload) => this.#message(header, payload),
    });
  }

  destroy() {
    this.transport.stop();
    this.abort.abort();
    this.sizes.disconnect();
    clearTimeout(this.timer);
    this.dropStyle();
    this.root.replaceChildren();
  }

  // ---- elements

  #build() {
    const label = "The picture. Arrows move it, plus and minus zoom, 0 shows all, W asks why.";
    this.canvas = h("canvas", {
      class: "picture",
      tabindex: "0",
      role: "img",
      "aria-label": label,
      "aria-busy": "true",
    });
    this.painter = new Painter(this.canvas);
    this.variables = new Variables((name, value) => this.#setVariable(name, value));
    this.why = new Why(() => this.#closeWhy());
    this.legend = new Legend();
    this.help = helpDialog();
    this.nameLabel = h("span", { class: "name" }, "…");
    this.tools = this.#buildTools();
    this.choices = h("div", { class: "group card choices", hidden: true });
    this.error = h("section", { class: "card panel error", role: "alert", hidden: true });
    this.notes = h("div", { class: "notes", role: "status" });
    this.notice = h("div", { class: "card", hidden: true });
    this.notes.append(this.notice);
    this.dot = h("span", { class: "dot off", title: "not connected" });
    this.facts = h("span", {});
    this.pointed = h("span", { class: "pointed" });
    this.cross = h("div", { class: "cross", hidden: true });
    const line = h("div", { class: "card line" }, this.dot, this.facts, this.pointed);
    const name = h("div", { class: "group card" }, this.nameLabel);
    this.bar = h(
      "div",
      { class: "bar" },
      name,
      this.choices,
      h("span", { class: "space" }),
      this.tools,
    );
    this.root.classList.add("ivm", this.isPage ? "page" : "widget");
    this.root.replaceChildren(
      this.canvas,
      this.cross,
      this.bar,
      h("div", { class: "side" }, this.variables.element, this.why.element),
      this.error,
      this.legend.element,
      this.notes,
      h("div", { class: "status" }, line),
      this.help,
    );
    this.dropStyle = adoptStyle(this.root);
  }

  #buildTools() {
    const toggle = (name, label, onclick) =>
      iconButton(name, label, onclick, { "aria-pressed": "false" });
    this.slidersButton = toggle("sliders", "Variables", () =>
      this.#showVariables(this.variables.element.hidden),
    );
    this.whyButton = toggle("why", "Why this pixel? (W)", () => this.#ask(!this.asking));
    this.saveMenu = new Menu("save", "Download", [
      ["PNG", "the picture", () => this.#save("png")],
      ["SVG", "the outline", () => this.#save("svg")],
      ["STL", "the surface", () => this.#save("stl")],
    ]);
    const link = iconButton("link", "Copy a link to this view", () => this.#copyLink());
    return h(
      "div",
      { class: "group card tools", role: "toolbar", "aria-label": "Tools" },
      this.slidersButton,
      this.whyButton,
      iconButton("fit", "Show the whole shape (0)", () => this.#fit()),
      this.saveMenu.element,
      this.isPage ? link : null,
      iconButton("full", "Full screen (F)", () => this.#toggleFullScreen()),
      iconButton("help", "Pointer and keys (?)", () => this.help.showModal()),
    );
  }

  /** What can be chosen for a plane or a solid. */
  #buildChoices(kind) {
    const parts = {};
    const choose = (name) => (value) => this.#change({ [name]: value });
    if (kind === "plane") {
      parts.show = segments("Show", SHOWS, choose("show"));
      parts.overlay = segments("Overlay", OVERLAY_NAMES, choose("overlay"));
      const box = h("input", {
        type: "checkbox",
        onchange: () => this.#change({ isolines: box.checked ? "auto" : null }),
      });
      const step = h("input", {
        type: "number",
        min: "0",
        step: "any",
        placeholder: "auto",
        "aria-label": "Step between iso-lines",
      });
      step.addEventListener("change", () =>
        this.#change({ isolines: Number(step.value) > 0 ? Number(step.value) : "auto" }),
      );
      const set = (isolines) => {
        box.checked = Boolean(isolines);
        step.hidden = !isolines;
        step.value = typeof isolines === "number" ? isolines : "";
      };
      const element = h(
        "div",
        { class: "group lines" },
        h("label", { class: "check" }, box, "Iso-lines"),
        step,
      );
      parts.isolines = { element, set };
    } else {
      parts.mode = segments("Show", MODES, choose("mode"));
      const box = h("input", {
        type: "checkbox",
        onchange: () =>
          this.#move(new SolidView({ ...this.state.view, perspective: box.checked ? 0.3 : 0 })),
      });
      const set = () => (box.checked = this.state.view?.perspective > 0);
      parts.perspective = { element: h("label", { class: "check" }, box, "Perspective"), set };
    }
    this.parts = parts;
    this.choices.replaceChildren(...Object.values(parts).map(({ element }) => element));
    this.choices.hidden = false;
  }

  #listen() {
    const { signal } = this.abort;
    this.input = new Input(
      this.canvas,
      {
        pan: (dx, dy) => this.#move(this.state?.view.panned(dx, dy, this.state.size)),
        drag: (dx, dy) => this.#drag(dx, dy),
        zoom: (factor, at) => this.#move(this.state?.view.zoomed(factor, at, this.state.size)),
        hover: (at) => this.#hover(at),
        click: (at, asks) => (this.asking || asks) && this.#askWhy(at),
        rest: () => this.#restSoon(),
      },
      !this.isPage,
    );
    const keys = this.isPage ? document : this.root;
    keys.addEventListener("keydown", (event) => this.#key(event), { signal });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#setTheme(dark.matches), { signal });
    this.#setTheme(dark.matches);
    this.sizes = new ResizeObserver(([entry]) => this.#resize(entry));
    this.sizes.observe(this.canvas);
    if (this.isPage) addEventListener("hashchange", (event) => this.#followLink(event), { signal });
  }

  // ---- messages

  #connected() {
    this.pump.reset();
    this.#setDot("busy", "connected");
    this.#say("offline", null);
  }

  #closed(failures) {
    this.pump.reset();
    this.#setDot("off", "not connected");
    if (failures > 1 || this.hello) {
      const gone =
        "The server does not answer: trying again. If it was started anew, open the link that it shows.";
      this.#say("offline", gone);
    }
  }

  #message(header, payload) {
    const known = {
      hello: () => this.#greeted(header),
      broken: () => this.#showError(header),
      frame: () => this.#receive(header, payload),
      why: () => header.id === this.whyId && this.why.show(whyTexts(header)),
      file: () => this.#download(header, payload),
      progress: () => this.#showProgress(header),
      error: () => this.#failed(header),
    };
    known[header.type]?.();
  }

  /** Hear the facts of a shape, and keep them until the canvas is laid out: views fit its size. */
  #greeted(hello) {
    this.error.hidden = true;
    this.nameLabel.textContent = this.nameLabel.title = hello.name;
    if (this.isPage) document.title = `${hello.name} · intervalvm`;
    if (this.size && this.canvas.clientWidth > 0) {
      this.#take(hello);
    } else {
      this.early = hello;
      this.sizes.unobserve(this.canvas);
      this.sizes.observe(this.canvas); // so that the next layout is told, be it the same as before
    }
  }

  /** Take the facts of a shape: the first one, a changed one, or the same with bounds known now. */
  #take(hello) {
    const before = this.hello;
    this.hello = hello;
    this.early = null;
    const isNew = before?.kind !== hello.kind;
    this.defaults = defaultsOf(hello);
    if (isNew) {
      this.#buildChoices(hello.kind);
      this.state = { ...this.defaults, size: this.size, view: null };
    } else {
      const variables = valuesKept(before.variables, this.state.variables, hello.variables);
      this.state = { ...this.state, variables };
    }
    this.saveMenu.show(hello.kind === "plane" ? ["PNG", "SVG", "STL"] : ["PNG", "STL"]);
    this.slidersButton.hidden = hello.variables.length === 0;
    if (isNew || before.variables.length === 0) {
      this.#showVariables(hello.variables.length > 0 && this.root.clientWidth > NARROW_PX);
    }
    this.#setParts();
    if (this.state.view === this.fittedView || isNew) this.#setFitted(); // beside what is shown now
    if (isNew) Object.assign(this.state, fromLink(this.start(), this.defaults));
    this.variables.show(hello.variables, this.state.variables);
    if (before?.revision !== hello.revision) this.#closeWhy();
    this.#setParts();
    this.#request(false);
  }

  async #receive(header, payload) {
    const asked = this.pump.answered(header.id);
    if (!asked) {
      this.counts.stale += 1;
      this.pump.next();
      return;
    }
    this.pump.next(); // what waits is drawn by the server while this is decoded here
    const frame = new Frame(header, payload, asked.state);
    await frame.load();
    if (this.shown && this.shown.header.id > header.id) {
      this.counts.stale += 1;
      return;
    }
    this.shown = frame;
    this.painter.compose(frame);
    this.#draw();
    this.counts.frames += 1;
    this.last = {
      id: header.id,
      final: header.final,
      size: header.size,
      format: header.format,
      seconds: header.seconds,
      dtype: header.dtype,
      ms: performance.now() - asked.since,
    };
    this.#showFacts(frame, asked);
    if (header.final) this.first ??= performance.now();
    this.#sharpen();
  }

  #failed({ id, message }) {
    this.counts.errors += 1;
    if (id !== null && id === this.whyId) this.why.fail(message);
    else if (id !== null && id === this.saveId) this.#endSave();
    else if (id !== null) this.pump.answered(id);
    if (id !== this.whyId) this.#say("error", message, 8000);
    this.pump.next();
  }

  #showError({ message, line }) {
    const where =
      line === null || line === undefined ? this.nameLabel.textContent : `Line ${line}`;
    const close = iconButton("close", "Close", () => (this.error.hidden = true), {
      class: "icon small",
    });
    const about = "The picture is that of the last version without an error.";
    this.error.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, `${where}: the file has an error`), close),
      h("pre", { tabindex: "0" }, message),
      h("div", {}, about),
    );
    this.error.hidden = false;
  }

  // ---- state

  /** Show the whole shape. */
  #setFitted() {
    const ratio = this.input.ratio;
    const insets = [this.bar.offsetHeight + 2 * 10, 44].map((side) => side * ratio);
    const { kind, size, view } = this.state;
    this.fittedView = VIEWS[kind].fit(this.hello.bounds, size, insets, view);
    this.state = { ...this.state, view: this.fittedView };
  }

  /** Replace parts of the state that are no movement. */
  #change(parts) {
    if (!this.state) return;
    this.state = { ...this.state, ...parts };
    this.#setParts();
    this.#request(false);
    this.#restSoon();
  }

  /** Show another view; more of its kind will follow soon. */
  #move(view) {
    if (!view) return;
    this.state = { ...this.state, view };
    this.#drawSoon();
    this.#request(true);
    this.#restSoon();
  }

  #drag(dx, dy) {
    if (!this.state) return;
    if (this.state.kind === "plane")
      return this.#move(this.state.view.panned(dx, dy, this.state.size));
    const degrees = 180 / Math.min(...this.state.size); // half a turn across the picture
    this.#move(this.state.view.orbited(-dx * degrees, dy * degrees));
  }

  #fit() {
    if (!this.state) return;
    this.#setFitted();
    this.#move(this.state.view);
  }

  /** Take the values of variables that others set. */
  setVariables(values) {
    const differs = ([name, value]) => values[name] !== value && Number.isFinite(values[name]);
    const changed = Object.entries(this.state?.variables ?? {}).filter(differs);
    if (changed.length === 0) return;
    const set = Object.fromEntries(changed.map(([name]) => [name, values[name]]));
    this.state = { ...this.state, variables: { ...this.state.variables, ...set } };
    for (const [name] of changed) this.variables.set(name, values[name]);
    this.#request(true);
    this.#restSoon();
  }

  #setVariable(name, value) {
    this.state = { ...this.state, variables: { ...this.state.variables, [name]: value } };
    this.#request(true);
    this.#restSoon();
  }

  #resize(entry) {
    const { width, height } = entry.contentRect;
    const sides = [width * devicePixelRatio, height * devicePixelRatio];
    const exact = entry.devicePixelContentBoxSize?.[0];
    // how the browser rounds them; with an emulated ratio it tells those of the true one
    if (exact && Math.abs(exact.inlineSize - sides[0]) <= 1) {
      [sides[0], sides[1]] = [exact.inlineSize, exact.blockSize];
    }
    if (!(sides[0] > 0 && sides[1] > 0)) return; // hidden
    const shrink = Math.min(1, MOST_PX / Math.max(...sides));
    this.size = sides.map((side) => Math.max(1, Math.round(side * shrink)));
    [this.canvas.width, this.canvas.height] = this.size;
    if (this.state) this.state = { ...this.state, size: this.size };
    if (this.early) {
      this.#take(this.early);
    } else if (this.state) {
      this.#request(true);
      this.#restSoon();
    }
    this.#draw();
  }

  #request(moving) {
    this.moving = moving;
    this.canvas.setAttribute("aria-busy", "true");
    this.#setDot("busy", "drawing");
    this.pump.want(this.state, moving);
  }

  #restSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.moving = false;
      if (this.state) this.kept(this.state);
      this.#sharpen();
    }, REST_MS);
  }

  /** Ask for the final frame, if what is shown is not, and nothing moves. */
  #sharpen() {
    if (!this.state) return;
    const isNewest = this.shown?.asked === this.state;
    if (isNewest && this.shown.isFinal) {
      this.canvas.setAttribute("aria-busy", "false");
      this.#setDot("", "connected");
      for (const resolve of this.waiters.splice(0)) resolve(this.last);
    } else if (!this.moving && this.pump.isIdle) this.#request(false);
  }

  // ---- links

  #keepLink() {
    const link = toLink(this.state, this.defaults);
    if (location.hash.slice(1) !== link) history.replaceState(null, "", `#${link}`);
  }

  #followLink(event) {
    if (!this.state) return;
    const { hash } = new URL(event.newURL); // the address may have been kept anew since
    this.state = { ...this.state, ...this.defaults, ...fromLink(hash, this.defaults) };
    this.variables.show(this.hello.variables, this.state.variables);
    this.#setParts();
    this.#request(false);
    this.#restSoon();
  }

  async #copyLink() {
    this.#keepLink();
    try {
      await navigator.clipboard.writeText(location.href);
      this.#say("link", "The link is copied. It works as long as this server runs.", 4000);
    } catch {
      this.#say("link", location.href, 12000);
    }
  }

  // ---- drawing and texts

  #setTheme(isDark) {
    this.painter.setTheme(isDark ? "dark" : "light");
    if (this.state) this.#draw();
    this.#showLegend();
  }

  #drawSoon() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.#draw();
    });
  }

  #draw() {
    this.counts.draws += 1;
    this.painter.draw(this.state);
    this.#placeCross();
  }

  #setParts() {
    for (const [name, part] of Object.entries(this.parts)) part.set(this.state[name]);
    if (this.parts.isolines) this.parts.isolines.element.hidden = this.state.show !== "value";
    this.#showLegend();
  }

  #showLegend() {
    if (this.state) this.legend.show(this.state.overlay, this.shown?.map, this.painter.theme);
  }

  #showFacts({ header }, asked) {
    const count = `${this.hello.clauses.toLocaleString("en")} clauses`;
    const size = asked.state.size.join(" × ");
    const ms = header.seconds * 1000;
    const time = ms < 100 ? `${brief(Number(ms.toPrecision(2)))} ms` : `${Math.round(ms)} ms`;
    this.facts.textContent = [count, size, time, header.dtype].join(" · ");
    this.notice.textContent = header.notice ?? "";
    this.notice.hidden = !header.notice;
    this.#showLegend();
    this.#showPointed();
  }

  #hover(at) {
    this.pointer = at;
    this.#showPointed();
  }

  #showPointed() {
    const at = this.pointer;
    if (!at || !this.state) {
      this.pointed.textContent = "";
      return;
    }
    const place = this.state.view.at(at, this.state.size);
    const parts = place ? [`x ${place[0]}  y ${place[1]}`] : [];
    if (this.shown?.map && this.shown.asked === this.state) {
      const tile = this.shown.map.at(at.map(Math.floor), this.state.size);
      if (tileText(tile)) parts.push(tileText(tile));
    }
    this.pointed.textContent = parts.join(" · ");
  }

  #setDot(name, title) {
    this.dot.className = `dot ${name}`;
    this.dot.title = title;
  }

  /** Show a line at the bottom, for some time; null takes it away. */
  #say(name, text, ms) {
    const old = this.notes.querySelector(`[data-name="${name}"]`);
    old?.remove();
    if (text === null) return;
    const note = h("div", { class: "card", "data-name": name }, text);
    this.notes.append(note);
    if (ms) setTimeout(() => note.remove(), ms);
  }

  #showVariables(isShown) {
    this.variables.element.hidden = !isShown;
    this.slidersButton.setAttribute("aria-pressed", String(isShown));
  }

  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  // ---- why

  #ask(isAsking) {
    this.asking = isAsking;
    this.root.classList.toggle("asking", isAsking);
    this.whyButton.setAttribute("aria-pressed", String(isAsking));
    this.#say("asking", isAsking ? "Click a pixel to see why it is as it is." : null);
  }

  #askWhy(at) {
    if (!this.state) return;
    const pixel = at.map((part, i) => clamp(Math.floor(part), 0, this.state.size[i] - 1));
    this.#ask(false);
    this.why.wait();
    this.asked = {
      view: this.state.view.panned(
        this.state.size[0] / 2 - pixel[0] - 0.5,
        this.state.size[1] / 2 - pixel[1] - 0.5,
        this.state.size,
      ),
    };
    this.#placeCross();
    this.pump.last += 1;
    this.whyId = this.pump.last;
    this.transport.send({ type: "why", id: this.whyId, view: requestOf(this.state), at: pixel });
  }

  #closeWhy() {
    this.why.element.hidden = true;
    this.whyId = null;
    this.asked = null;
    this.cross.hidden = true;
    this.#ask(false);
  }

  /** Mark the pixel that was asked about, wherever it is now. */
  #placeCross() {
    this.cross.hidden = !this.asked;
    if (!this.asked) return;
    const { x, y } = this.state.view.place(this.asked.view, this.state.size, this.state.size);
    const { ratio } = this.input;
    this.cross.style.transform = `translate(${x / ratio}px, ${y / ratio}px)`;
  }

  // ---- downloads

  #save(format) {
    if (!this.state) return;
    this.pump.last += 1;
    this.saveId = this.pump.last;
    this.transport.send({ type: "save", id: this.saveId, view: requestOf(this.state), format });
    const stop = () => {
      this.transport.send({ type: "stop" });
      this.#endSave();
    };
    const bar = h("progress", { "aria-label": "Progress of the download" });
    const element = h(
      "div",
      { class: "card save" },
      h("span", {}, `making the ${format.toUpperCase()}`),
      bar,
      h("button", { type: "button", onclick: stop }, "Stop"),
    );
    this.saving?.element.remove(); // that of a file that this one replaces
    this.saving = { element, bar };
    this.notes.append(element);
  }

  #showProgress({ id, done, total }) {
    if (id === this.saveId) [this.saving.bar.max, this.saving.bar.value] = [total, done];
  }

  #endSave() {
    this.saving?.element.remove();
    this.saving = null;
    this.saveId = null;
  }

  #download({ id, name, mime }, payload) {
    if (id !== this.saveId) return;
    this.#endSave();
    const url = URL.createObjectURL(new Blob([payload], { type: mime }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    this.files += 1;
  }

  // ---- keys

  #key(event) {
    const typing = event.target.closest?.("input, select, textarea, dialog, pre, [role=menu]");
    if (event.ctrlKey || event.metaKey || event.altKey || !this.state) return;
    if (event.key === "Escape") {
      this.#closeWhy();
      this.error.hidden = true;
      return;
    }
    const isRadio = typing?.matches("input[type=radio], input[type=checkbox]");
    if (typing && !(isRadio && !event.key.startsWith("Arrow"))) return;
    const middle = this.state.size.map((side) => side / 2);
    const zoomed = (factor) =>
      this.#move(this.state.view.zoomed(factor, this.pointer ?? middle, this.state.size));
    const step = Math.min(...this.state.size) / 12;
    const arrow = ARROWS[event.key];
    const overlays = Object.keys(OVERLAY_NAMES);
    const keys = {
      "+": () => zoomed(0.8),
      "=": () => zoomed(0.8),
      "-": () => zoomed(1.25),
      _: () => zoomed(1.25),
      0: () => this.#fit(),
      Home: () => this.#fit(),
      f: () => this.#toggleFullScreen(),
      w: () => this.#ask(!this.asking),
      t: () =>
        this.parts.overlay &&
        this.#change({
          overlay: overlays[(overlays.indexOf(this.state.overlay) + 1) % overlays.length],
        }),
      "?": () => this.help.showModal(),
      Enter: () => this.asking && event.target === this.canvas && this.#askWhy(middle),
    };
    const run = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (arrow) {
      const [dx, dy] = arrow;
      if (this.state.kind === "solid" && !event.shiftKey)
        this.#move(this.state.view.orbited(-dx * 5, dy * 5));
      else this.#move(this.state.view.panned(dx * step, dy * step, this.state.size));
    } else if (run) run();
    else return;
    if (event.key !== "Enter") event.preventDefault();
  }

  // ---- for tests and benchmarks

  /** What tests and benchmarks look at: not for other use. */
  get hook() {
    const viewer = this;
    return {
      canvas: this.canvas,
      get state() {
        return viewer.state && { ...viewer.state, view: viewer.state.view.toLink() };
      },
      get request() {
        return viewer.state && requestOf(viewer.state);
      },
      get hello() {
        return viewer.hello;
      },
      get counts() {
        return { ...viewer.counts, last: viewer.pump.last, inFlight: viewer.pump.sent.length };
      },
      get shown() {
        return viewer.last ?? null;
      },
      /** When the first final frame was on the canvas: ms since the page was asked for. */
      get first() {
        return viewer.first ?? null;
      },
      /** Resolves with the frame shown, as soon as it is the final one of the newest state. */
      settled() {
        const isDone = viewer.state && viewer.shown?.asked === viewer.state && viewer.shown.isFinal;
        return isDone
          ? Promise.resolve(viewer.last)
          : new Promise((resolve) => viewer.waiters.push(resolve));
      },
    };
  }
}

/** The state in which a shape is shown first, but for size and view. */
function defaultsOf({ kind, variables }) {
  const values = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  const choices = { show: "bitmap", overlay: "none", mode: "shaded", isolines: null };
  return { kind, ...choices, variables: values };
}

/** The values of new variables; those that were set by hand outlive a change of the file. */
function valuesKept(before, values, after) {
  const defaults = new Map(before.map(({ name, value }) => [name, value]));
  const isSet = (name) => defaults.has(name) && values[name] !== defaults.get(name);
  return Object.fromEntries(
    after.map(({ name, value }) => [name, isSet(name) ? values[name] : value]),
  );
}

/** The answer to a why as facts, and as longer texts by their titles. */
function whyTexts({ x, y, value, inside, verdict, clauses, of, type: _type, id: _id, ...texts }) {
  const facts = {
    point: `x ${x}  y ${y}`,
    value: `${value}: ${inside ? "inside" : "outside"}`,
    tile: verdict,
    clauses: `${clauses.toLocaleString("en")} of ${of.toLocaleString("en")} are left there`,
  };
  const title = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
  const titled = Object.entries(texts).map(([name, text]) => [title(name), text]);
  return { facts, texts: Object.fromEntries(titled) };
}

/** The window as an anywidget: its traits are `height`, `start` and, both ways, `variables`. */
function render({ model, el }) {
  const root = document.createElement("div");
  root.style.height = `${model.get("height")}px`;
  el.append(root);
  const viewer = new Viewer(root, new ModelTransport(model), {
    isPage: false,
    start() {
      const set = Object.entries(model.get("variables")).map((each) => ["set", each.join(":")]);
      return new URLSearchParams([...new URLSearchParams(model.get("start")), ...set]).toString();
    },
    kept({ variables }) {
      const known = model.get("variables");
      if (Object.entries(variables).every(([name, value]) => known[name] === value)) return;
      model.set("variables", { ...variables });
      model.save_changes();
    },
  });
  const follow = () => viewer.setVariables(model.get("variables"));
  model.on("change:variables", follow);
  return () => {
    model.off("change:variables", follow);
    viewer.destroy();
  };
}

export default { render };

// on a page of its own
const home = document.querySelector("[data-intervalvm-page]");
if (home) {
  const url = new URL("ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  url.search = location.search; // with the token
  window.intervalvm = new Viewer(home, new SocketTransport(url.href), { isPage: true }).hook;
}
