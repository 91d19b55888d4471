// Offsets into a text that an element shows: the browser counts UTF-16 units, answers count Unicode code points.

/** Converts between the two for one text. */
export class Offsets {
  constructor(text) {
    this.units = [];
    this.points = new Uint32Array(text.length + 1);
    let unit = 0;
    for (const character of text) {
      this.points.fill(this.units.length, unit, unit + character.length);
      this.units.push(unit);
      unit += character.length;
    }
    this.points[unit] = this.units.length;
    this.units.push(unit);
  }

  /** How many code points are the first so many UTF-16 units. */
  toPoints(units) {
    return this.points[Math.min(units, this.points.length - 1)];
  }

  /** How many UTF-16 units are the first so many code points. */
  toUnits(points) {
    return this.units[Math.min(points, this.units.length - 1)];
  }
}

/** The UTF-16 offsets of the selection within an element; null when it is elsewhere. */
export function selected(element) {
  const selection = document.getSelection();
  if (!selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return null;
  return { start: before(element, range.startContainer, range.startOffset), end: before(element, range.endContainer, range.endOffset) };
}

function before(element, node, offset) {
  const range = document.createRange();
  range.setStart(element, 0);
  range.setEnd(node, offset);
  return range.toString().length;
}

/** The place in an element's text nodes at a UTF-16 offset. */
export function place(element, offset) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = offset;
  let last = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) return [node, left];
    left -= node.length;
    last = node;
  }
  return last ? [last, last.length] : [element, 0];
}
