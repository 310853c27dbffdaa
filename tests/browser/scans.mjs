// Files as scanners and other people send them, made here so that none lies in the repository.

import { deflateSync } from "node:zlib";

/** A TIFF of these pages: each a width, a height, and its points packed by deflate. */
export function tiff(pages) {
  const parts = [Buffer.from("II*\0\0\0\0\0", "latin1")];
  let place = 8;
  const put = (part) => {
    parts.push(part);
    place += part.length;
    if (place % 2) put(Buffer.alloc(1));
  };
  let link = { buffer: parts[0], at: 4 };
  for (const { width, height, packed } of pages) {
    const strip = place;
    put(packed);
    const tags = [[256, 4, width], [257, 4, height], [258, 3, 8], [259, 3, 8], [262, 3, 1], [273, 4, strip], [277, 3, 1], [278, 4, height], [279, 4, packed.length]];
    const folder = Buffer.alloc(2 + tags.length * 12 + 4);
    folder.writeUInt16LE(tags.length);
    tags.forEach(([tag, kind, value], number) => {
      const at = 2 + number * 12;
      folder.writeUInt16LE(tag, at);
      folder.writeUInt16LE(kind, at + 2);
      folder.writeUInt32LE(1, at + 4);
      folder.writeUInt32LE(value, at + 8);
    });
    link.buffer.writeUInt32LE(place, link.at);
    link = { buffer: folder, at: folder.length - 4 };
    put(folder);
  }
  return Buffer.concat(parts);
}

/** A sheet of paper at 200 dots per inch, white with some grey. */
export function sheet(number) {
  const [width, height] = [1700, 2200];
  const points = Buffer.alloc(width * height, 255);
  for (let row = 200; row < 2000; row += 40) points.fill(60, row * width + 200, row * width + 300 + ((row * number) % 1200));
  return { width, height, packed: deflateSync(points) };
}

/** A page that claims more points than anybody's memory holds. */
export function bomb() {
  return tiff([{ width: 60000, height: 60000, packed: deflateSync(Buffer.alloc(1 << 20)) }]);
}

/** A page whose points fit on a disk as a few kilobytes and take half a gigabyte unpacked. */
export function packed() {
  return tiff([{ width: 11900, height: 11900, packed: deflateSync(Buffer.alloc(11900 * 11900, 255)) }]);
}

/** A PDF that opens with a password alone. */
export function locked() {
  const objects = [
    "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
    "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
    "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>\nendobj\n",
    `4 0 obj\n<</Filter/Standard/V 1/R 2/O<${"00".repeat(32)}>/U<${"00".repeat(32)}>/P -44>>\nendobj\n`,
  ];
  let text = "%PDF-1.4\n";
  const places = objects.map((object) => {
    const place = text.length;
    text += object;
    return place;
  });
  const table = text.length;
  text += `xref\n0 5\n0000000000 65535 f \n${places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("")}`;
  text += `trailer\n<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}
